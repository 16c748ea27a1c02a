"""The 720p H.264 copy of a clip that browsers play, encoded in a thread of its own from frames that others decode."""

import contextlib
import os
import queue
import threading
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
from av.video.frame import PictureType
from av.video.reformatter import VideoReformatter

from dashcam.media.coding import of_the_medium
from dashcam.media.decode import Frame, FrameReader
from dashcam.media.hardware import ENCODER, no_encoder

SHORT_SIDE = 720
X264 = {"preset": "superfast", "crf": "28", "x264-params": "bframes=0:scenecut=0:weightp=0:aq-mode=0"}
"""Less than a third of the time of veryfast at CRF 26 (benchmarks/JOURNAL.md). Without adaptive quantisation, which
takes bits from cars and letters for the texture of roads."""
NVENC = {"preset": "p4", "rc": "vbr", "cq": "29"}
GOP_S = 2.0
WAITING = 8
"""Frames between decoder and encoder; a 4K frame is 12 MB."""
CLOSER = 0.7
"""Frames closer than this share of the copy's frame interval are left out: 30 fps becomes 15, 25 becomes 12.5."""


class EncodeError(Exception):
    """The low-resolution copy could not be written; the message says which file and why."""


def low_size(width: int, height: int) -> tuple[int, int]:
    """At most 720 high in landscape, 720 wide in portrait; never enlarged; even, as 4:2:0 needs.

    An odd source loses its last row or column rather than gain one.
    """
    scale = min(1.0, SHORT_SIDE / min(width, height))
    if scale == 1.0:
        return max(2, width // 2 * 2), max(2, height // 2 * 2)
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


class LowResEncoder:
    """Writes ``path``: H.264 yuv420p, the source's own timestamps from 0, audio as AAC, index in front (faststart).

    A context manager. The file is there, whole and flushed to disk, when the block ends well, and not at all when it
    does not. ``write`` waits while the encoder is ``WAITING`` frames behind; an error of the encoder's thread is raised
    by the next ``write`` or at the end as `EncodeError`. ``fps`` is what the copy has at most and about; 0 keeps all
    frames. ``gpu`` is the number of a card that shall encode; ``no_gpu`` says why it does not.
    """

    def __init__(
        self, path: Path, source: FrameReader, *, threads: int = 0, fps: float = 0, gpu: int | None = None
    ) -> None:
        self.path = path
        self._part = path.with_name(f".{path.name}.part")
        self._queue: queue.Queue[Frame | av.Packet | None] = queue.Queue(WAITING)
        self._error: Exception | None = None
        self._stopped = threading.Event()
        self._first_pts: int | None = None
        self._last_pts: int | None = None
        self._key_pts: int | None = None
        self._sound_pts = -1
        self._every = CLOSER / fps if fps else 0.0
        self.no_gpu = "" if gpu is None else no_encoder(gpu)
        self._gpu = None if self.no_gpu else gpu
        self._early: list[av.Packet] = []
        self._scaler: Any = VideoReformatter()
        self._time_base = source.time_base
        self._size = low_size(source.width, source.height)
        self._output: Any = av.open(str(self._part), "w", format="mp4", options={"movflags": "+faststart"})
        self._video = self._video_stream(min(source.fps, fps or source.fps), threads)
        self._audio = self._audio_stream(source.audio)
        self._copy = source.audio is not None and source.audio.codec_context.name == "aac"
        self._thread = threading.Thread(target=self._run, name="encode", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._stopped.set()
        self._put(None)
        self._thread.join()
        try:
            if kind is None:
                self._raise()
                self._publish()
        finally:
            self._part.unlink(missing_ok=True)

    def write(self, frame: Frame) -> None:
        """The next frame of the clip, from now on the encoder's alone; one whose pts does not rise is left out."""
        self._raise()
        if self._last_pts is not None and (frame.pts - self._last_pts) * self._time_base <= self._every:
            return
        self._last_pts = frame.pts
        self._put(frame)

    def write_audio(self, packet: av.Packet) -> None:
        """A packet of the source's first audio stream."""
        if self._audio is not None:
            self._put(packet)

    def _video_stream(self, fps: float, threads: int) -> Any:
        rate = Fraction(fps).limit_denominator(1001)
        if self._gpu is None:
            stream = self._output.add_stream("libx264", rate=rate, options=X264)
        else:
            stream = self._output.add_stream(ENCODER, rate=rate, options=NVENC | {"gpu": str(self._gpu)})
        stream.width, stream.height = self._size
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = self._time_base
        stream.codec_context.gop_size = max(1, round(GOP_S * fps))
        stream.codec_context.thread_count = threads
        stream.codec_context.thread_type = "FRAME"  # slices, PyAV's default, cost picture quality
        return stream

    def _audio_stream(self, source: Any) -> Any:
        if source is None:
            return None
        if source.codec_context.name == "aac":
            return self._output.add_stream_from_template(source)
        # what cannot be transcoded is left out: the picture is what counts
        with contextlib.suppress(av.error.FFmpegError, ValueError):
            stream = self._output.add_stream("aac", rate=source.codec_context.sample_rate)
            stream.layout = "mono" if source.codec_context.channels == 1 else "stereo"
            return stream
        return None

    def _put(self, item: Frame | av.Packet | None) -> None:
        while self._thread.is_alive():
            with contextlib.suppress(queue.Full):
                self._queue.put(item, timeout=0.5)
                return

    def _raise(self) -> None:
        if self._error is not None and of_the_medium(self._error):
            raise self._error  # the disk's
        if self._error is not None:
            raise EncodeError(f"{self.path.name} cannot be written: {self._error}") from self._error

    def _run(self) -> None:
        try:
            while (item := self._queue.get()) is not None and not self._stopped.is_set():
                if isinstance(item, Frame):
                    self._encode(item)
                else:
                    self._pass_on(item)
            if not self._stopped.is_set():
                self._output.mux(self._video.encode(None))
                if self._audio is not None and not self._copy:
                    self._output.mux(self._audio.encode(None))
        except Exception as error:  # handed to the thread that writes
            self._error = error
        finally:
            try:
                self._output.close()
            except Exception as error:
                self._error = self._error or error

    def _encode(self, frame: Frame) -> None:
        if self._first_pts is None:
            self._first_pts = frame.pts
            for packet in self._early:
                self._pass_on(packet)
            self._early.clear()
        pts = frame.pts - self._first_pts
        small = self._scaler.reformat(frame.av, *self._size, format="yuv420p", interpolation="AREA", threads=1)
        small.pts, small.time_base = pts, self._time_base
        # never the source's own choice; by time, because frames may lie far apart
        small.pict_type = PictureType.I if self._wants_key(pts) else PictureType.NONE
        self._output.mux(self._video.encode(small))

    def _wants_key(self, pts: int) -> bool:
        if self._key_pts is not None and (pts - self._key_pts) * self._time_base < GOP_S:
            return False
        self._key_pts = pts
        return True

    def _pass_on(self, packet: av.Packet) -> None:
        if packet.pts is None:
            return
        if self._first_pts is None:  # a decoder holds back its first frames, so sound comes first
            self._early.append(packet)
            return
        start = int(self._first_pts * self._time_base / packet.time_base)
        if self._copy:
            packet.pts -= start
            packet.dts = packet.pts
            if packet.pts > self._sound_pts:  # a clip in which a part lies twice goes back in time
                self._sound_pts = packet.pts
                packet.stream = self._audio
                self._mux_sound(packet)
            return
        with contextlib.suppress(av.error.FFmpegError):  # damaged sound is silence
            for sound in packet.decode():
                if sound.pts is not None:
                    sound.pts -= start
                if sound.pts is None or sound.pts >= 0:
                    self._output.mux(self._audio.encode(sound))

    def _mux_sound(self, packet: av.Packet) -> None:
        """Damaged sound is silence; what the disk says is not."""
        try:
            self._output.mux(packet)
        except av.error.FFmpegError as error:
            if of_the_medium(error):
                raise

    def _publish(self) -> None:
        with self._part.open("rb+") as file:
            os.fsync(file.fileno())
        self._part.replace(self.path)
