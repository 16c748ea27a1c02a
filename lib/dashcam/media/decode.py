"""One pass over a clip's video with PyAV: every frame with its exact pts, never the whole clip in memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np

from dashcam.media.images import Image
from dashcam.media.validity import MAX_STEP_S

MIN_FPS = 0.2
"""Slower than that is no recording, time-lapse included."""


class DecodeError(Exception):
    """The file holds no video that can be decoded; the message is a sentence that names it."""


class ClipUnreadable(Exception):
    """The clip cannot be read where it lies (gone, no right to it, a failing medium); its content may well be fine."""


@dataclass(frozen=True)
class Frame:
    """A decoded frame. ``t_s`` is media time: ``(pts - pts of the first frame) * time_base``.

    One thread at a time may use it: PyAV keeps the converter in the frame, and two threads in it wait for ever.
    """

    index: int
    pts: int
    t_s: float
    av: av.VideoFrame

    def bgr(self) -> Image:
        """The whole frame, H x W x 3."""
        return np.ascontiguousarray(self.av.to_ndarray(format="bgr24"))

    def gray(self, width: int) -> Image:
        """The frame's brightness at that width (its shape kept, never enlarged): cheap, one swscale call."""
        width = min(width, self.av.width)
        height = max(1, round(self.av.height * width / self.av.width))
        small = self.av.reformat(width=width, height=height, format="gray", interpolation="AREA")
        return np.ascontiguousarray(small.to_ndarray())


class FrameReader:
    """An open clip; iterate it once for its frames. A context manager.

    A packet that does not decode is counted in ``corrupt`` and skipped; a clip that is cut off ends where it is cut.
    ``on_audio``, if set, receives the packets of the first audio stream in passing: an encoder needs no second read.
    Raises `ClipUnreadable`; `DecodeError` when the file is no video, and at the end when nothing was decoded.
    """

    def __init__(
        self,
        path: Path,
        *,
        keyframes_only: bool = False,
        threads: int = 0,
    ) -> None:
        self.path = path
        self.keyframes_only = keyframes_only
        self.corrupt = 0
        self.decoded = 0
        self.first_pts: int | None = None
        self._last_pts: int | None = None
        self._shift = 0
        self._step = 1
        self.on_audio: Callable[[av.Packet], None] | None = None
        try:
            self._container = av.open(str(path))
        except OSError as error:
            raise _unreadable(path, error) from error
        except av.error.FFmpegError as error:
            raise DecodeError(f"{path.name} cannot be opened as video ({error.strerror}).") from error
        if not self._container.streams.video:
            self._container.close()
            raise DecodeError(f"{path.name} has no video stream.")
        if self._container.streams.video[0].codec_context is None:
            self._container.close()
            raise DecodeError(f"{path.name} holds video in a coding that is not known here.")
        self.stream = self._container.streams.video[0]
        self.audio = self._container.streams.audio[0] if self._container.streams.audio else None
        context = self.stream.codec_context
        context.thread_count = threads
        # frame threads hold back frames; with few keyframes to decode they only cost start-up
        context.thread_type = "SLICE" if keyframes_only else "AUTO"
        if keyframes_only:
            context.skip_frame = "NONKEY"

    @property
    def width(self) -> int:
        return int(self.stream.codec_context.width)

    @property
    def height(self) -> int:
        return int(self.stream.codec_context.height)

    @property
    def time_base(self) -> Fraction:
        base = self.stream.time_base
        assert base is not None  # every demuxed stream has one
        return Fraction(base)

    @property
    def fps(self) -> float:
        """Frames a second as the container says, 30 when it does not or its clock jumped."""
        rate = float(self.stream.average_rate or self.stream.guessed_rate or 30)
        return rate if rate > MIN_FPS else 30.0

    @property
    def duration_s(self) -> float:
        """What the container promises; 0 when it does not say."""
        if self.stream.duration:
            return float(self.stream.duration * self.time_base)
        return float(self._container.duration or 0) / 1e6  # AV_TIME_BASE: microseconds

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    def __iter__(self) -> Iterator[Frame]:
        for packet in self._packets():
            try:
                decoded = packet.decode()
            except av.error.FFmpegError:
                self.corrupt += 1
                continue
            for frame in decoded:
                if made := self._frame(frame):
                    yield made
        if not self.decoded:
            raise DecodeError(f"No frame of {self.path.name} can be decoded ({self.corrupt} damaged packets).")

    def _packets(self) -> Iterator[av.Packet]:
        streams = [self.stream, self.audio] if self.audio and self.on_audio else [self.stream]
        packets = self._container.demux(streams)
        while True:
            try:
                packet = next(packets, None)
            except OSError as error:  # the medium, not the clip: nothing may be concluded from half a read
                raise _unreadable(self.path, error) from error
            except av.error.FFmpegError:  # cut off here: what came before counts
                self.corrupt += 1
                packet = None
            except IndexError:  # PyAV 18 at the end of MPEG-TS with a stream that its tables do not list: all are out
                packet = None
            if packet is None:
                return
            if packet.stream is not self.stream:
                if self.on_audio and packet.size:
                    self.on_audio(packet)
            elif packet.is_keyframe or not packet.size or not self.keyframes_only:
                yield packet

    def _frame(self, frame: av.VideoFrame) -> Frame | None:
        pts = frame.pts if frame.pts is not None else frame.dts
        if pts is None:
            self.corrupt += 1
            return None
        if frame.is_corrupt:
            self.corrupt += 1
        pts = self._going_on(pts)
        if self.first_pts is None:
            self.first_pts = pts
        made = Frame(self.decoded, pts, float((pts - self.first_pts) * self.time_base), frame)
        self.decoded += 1
        return made

    def _going_on(self, pts: int) -> int:
        """Where the clock wraps or is lost, time goes on one frame later; all further pts move along."""
        pts += self._shift
        if self._last_pts is not None:
            if abs(pts - self._last_pts) * self.time_base > MAX_STEP_S:
                on = self._last_pts + self._step
                self._shift += on - pts
                pts = on
            self._step = max(1, pts - self._last_pts)
        self._last_pts = pts
        return pts


def frames(path: Path, *, keyframes_only: bool = False) -> Iterator[Frame]:
    """All frames (or keyframes) of a clip in presentation order. Raises `DecodeError`."""
    with FrameReader(path, keyframes_only=keyframes_only) as reader:
        yield from reader


def _unreadable(path: Path, error: OSError) -> ClipUnreadable:
    return ClipUnreadable(f"{path} cannot be read ({error.strerror}); check that it is there and may be read.")
