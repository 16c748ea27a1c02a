"""One pass over a clip's video with PyAV: every frame with its exact pts, never the whole clip in memory."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import cv2
import numpy as np

from dashcam import Explained
from dashcam.media.coding import NoDecoder, coding_of, of_the_medium
from dashcam.media.hardware import opened
from dashcam.media.images import Image
from dashcam.media.picture import PLANAR, SEMIPLANAR, Picture, planes_of
from dashcam.media.validity import MAX_STEP_S, REPAIR

MIN_FPS = 0.2
"""Slower than that is no recording, time-lapse included."""
MS = 0.001
NOT_DONE_HERE = (av.error.NotImplementedError, av.error.PatchWelcomeError)
"""What a decoder says that knows the coding and cannot do it: FFmpeg's own for AV1 without a card, a rare profile."""
HELD_BYTES = 16_000_000
"""Packets put aside in the hope that nobody wants their frames; beyond that they are decoded after all."""


class DecodeError(Explained):
    """The file holds no video that can be decoded; the message is a sentence that names it."""


class UnknownCoding(DecodeError):
    """FFmpeg knows no such coding: the index is damaged, or this FFmpeg is older than the coding."""


class ClipUnreadable(Explained):
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

    def picture(self, side: int) -> Picture:
        """The frame for another thread, with a small copy whose longer side is ``side`` or the frame's own."""
        frame = self.av
        scale = min(1.0, side / max(frame.width, frame.height))
        size = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
        if frame.format.name not in PLANAR + SEMIPLANAR:
            whole = self.bgr()
            small = np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.uint8) if scale < 1 else whole
            return Picture(self.pts, self.t_s, frame.width, frame.height, small, (whole,), "bgr24")
        scaled = frame.reformat(*size, format="bgr24", interpolation="AREA", threads=1)
        colour = frame.colorspace, frame.color_range
        return Picture(
            self.pts, self.t_s, frame.width, frame.height, np.ascontiguousarray(scaled.to_ndarray()),
            planes_of(frame), frame.format.name, colour,
        )  # fmt: skip

    def gray(self, width: int) -> Image:
        """The frame's brightness at that width (its shape kept, never enlarged): cheap, one swscale call."""
        width = min(width, self.av.width)
        height = max(1, round(self.av.height * width / self.av.width))
        small = self.av.reformat(width, height, "gray", interpolation="AREA", threads=1)
        return np.ascontiguousarray(small.to_ndarray())


class FrameReader:
    """An open clip; iterate it once for its frames. A context manager.

    A packet that does not decode is counted in ``corrupt`` and skipped; a clip that is cut off ends where it is cut.
    ``packets`` counts the video's, also those that are not decoded.
    ``on_audio``, if set, receives the packets of the first audio stream in passing: an encoder needs no second read.
    Of the stretches ``skip`` (seconds of media time) only keyframes are decoded, as far as whole groups of pictures lie
    in them; ``passed_over_s`` has the times of the other frames there.
    ``gpu`` is the number of a card that shall decode; ``no_gpu`` says why it does not.
    ``wants``, if set, is asked with the media time of each keyframe before it is decoded.
    Raises `ClipUnreadable`; `NoDecoder`, at once or when no frame could be decoded for want of one; `DecodeError` when
    the file is no video, and at the end when nothing was decoded.
    """

    def __init__(
        self,
        path: Path,
        *,
        keyframes_only: bool = False,
        threads: int = 0,
        skip: Sequence[tuple[float, float]] = (),
        gpu: int | None = None,
    ) -> None:
        self.path = path
        self.keyframes_only = keyframes_only
        self.corrupt = 0
        self._not_done_here = 0
        self.decoded = 0
        self.packets = 0
        self.first_pts: int | None = None
        self._last_pts: int | None = None
        self._shift = 0
        self._step = 1
        self._skip = skip
        self.passed_over_s: list[float] = []
        self._shown_pts: int | None = None
        self.on_audio: Callable[[av.Packet], None] | None = None
        self.wants: Callable[[float], bool] | None = None
        try:
            self._container, self.no_gpu = opened(path, gpu)
        except (OSError, av.error.FFmpegError) as error:
            if of_the_medium(error):
                raise _unreadable(path, error) from error
            raise DecodeError(f"{path.name} cannot be opened as video ({error.strerror}).") from error
        if not self._container.streams.video:
            self._container.close()
            raise DecodeError(f"{path.name} has no video stream.")
        if self._container.streams.video[0].codec_context is None:
            coding = coding_of(self._container)
            self._container.close()
            if coding:
                raise NoDecoder(path.name, coding)
            raise UnknownCoding(f"{path.name} holds video in a coding that is not known here.")
        self.stream = self._container.streams.video[0]
        self.audio = self._container.streams.audio[0] if self._container.streams.audio else None
        context = self.stream.codec_context
        context.thread_count = threads
        # frame threads hold back frames; with few keyframes to decode they only cost start-up
        context.thread_type = "SLICE" if keyframes_only else "AUTO"
        if keyframes_only:
            context.skip_frame = "NONKEY"

    @property
    def came(self) -> int:
        """How many frames came out, with those that were passed over."""
        return self.decoded + len(self.passed_over_s)

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
        for decoded in self._skimmed() if self._skip else map(self._decode, self._packets()):
            for frame in decoded:
                if not self._again(frame) and (made := self._frame(frame)):
                    yield made
        if not self.decoded and self._not_done_here:
            raise NoDecoder(self.path.name, self.stream.codec_context.name)
        if not self.decoded:
            damaged = f" ({self.corrupt} damaged packets)" if self.corrupt else ""
            raise DecodeError(f"No frame of {self.path.name} can be decoded{damaged}: {REPAIR}.")

    def _decode(self, packet: av.Packet | None) -> Sequence[Any]:
        """The frames that come out; with None all that are left, after which the decoder starts afresh."""
        context: Any = self.stream.codec_context
        try:
            return self._decoded(packet)
        except av.error.FFmpegError as error:
            self.corrupt += 1
            self._not_done_here += isinstance(error, NOT_DONE_HERE)
            return []
        finally:
            if packet is None:
                context.flush_buffers()

    def _decoded(self, packet: av.Packet | None) -> Sequence[Any]:
        context: Any = self.stream.codec_context
        frames: Sequence[Any] = context.decode(None) if packet is None else packet.decode()
        return frames

    def _skimmed(self) -> Iterator[Sequence[Any]]:
        """Frames, of unwanted groups of pictures the first; what is put aside of such a group is decoded after all when
        the group turns out to reach beyond the stretch."""
        aside: list[av.Packet] = []
        for packet in self._packets():
            if packet.is_keyframe or not packet.size:
                self.passed_over_s += sorted(t_s for p in aside[1:] if (t_s := self._time_of(p)) is not None)
            if packet.is_keyframe and self._unwanted(packet):
                yield self._decode(None)
                yield self._decode(packet)
                yield self._decode(None)
                aside = [packet]
            elif not aside or packet.is_keyframe:
                aside = []
                yield self._decode(packet)
            elif packet.size:
                aside.append(packet)
                if not self._unwanted(packet) or sum(p.size for p in aside) > HELD_BYTES:
                    self._shown_pts = aside[0].pts
                    yield from map(self._decode, aside)
                    aside = []

    def _unwanted(self, packet: av.Packet) -> bool:
        """Whether the packet's time lies in a stretch that is skipped; the stretches are given in milliseconds."""
        t_s = self._time_of(packet)
        return t_s is not None and any(start - MS <= t_s < end - MS for start, end in self._skip)

    def _time_of(self, packet: av.Packet) -> float | None:
        if packet.pts is None:
            return None
        at = packet.pts + self._shift
        return float((at - (at if self.first_pts is None else self.first_pts)) * self.time_base)

    def _again(self, frame: av.VideoFrame) -> bool:
        """Whether it is the keyframe that was shown before its group was decoded after all, or needs what was not."""
        if self._shown_pts is None or frame.pts is None:
            return False
        if frame.pts <= self._shown_pts:
            return True
        self._shown_pts = None
        return False

    def _packets(self) -> Iterator[av.Packet]:
        streams = [self.stream, self.audio] if self.audio and self.on_audio else [self.stream]
        packets = self._container.demux(streams)
        while True:
            try:
                packet = next(packets, None)
            except (OSError, av.error.FFmpegError) as error:
                if of_the_medium(error):  # nothing may be concluded from half a read
                    raise _unreadable(self.path, error) from error
                self.corrupt += 1  # cut off here: what came before counts
                packet = None
            except IndexError:  # PyAV 18 at the end of MPEG-TS with a stream that its tables do not list: all are out
                packet = None
            if packet is None:
                return
            if packet.stream is not self.stream:
                if self.on_audio and packet.size:
                    self.on_audio(packet)
                continue
            self.packets += bool(packet.size)
            if not packet.size or not self.keyframes_only or (packet.is_keyframe and self._wanted(packet)):
                yield packet

    def _wanted(self, packet: av.Packet) -> bool:
        if self.wants is None or self.first_pts is None or packet.pts is None:
            return True
        return self.wants(float((packet.pts + self._shift - self.first_pts) * self.time_base))

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


def _unreadable(path: Path, error: Exception) -> ClipUnreadable:
    why = getattr(error, "strerror", error)
    return ClipUnreadable(f"{path} cannot be read ({why}); check that it is there and may be read.")
