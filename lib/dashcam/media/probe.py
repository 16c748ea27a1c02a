"""What a clip is: codec, size, rate, length; or, in plain words, why nobody can read it."""

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av

from dashcam.media import boxes

_BOXED = frozenset({".mp4", ".mov"})
_FILE_ERRORS = frozenset({errno.ENOENT, errno.EIO, errno.EACCES, errno.ENOTCONN, errno.ESTALE, errno.ETIMEDOUT})
"""What is wrong with a disk or a mount, not with the clip: that may work again later."""
_COPY_AGAIN = "copy it from the card again"


class UnreadableClip(Exception):
    """Nobody can process this file; the message is one plain sentence for a person."""


@dataclass(frozen=True)
class Probe:
    """``fps`` is the average rate; ``created`` is what the container says, None when it says nothing."""

    codec: str
    width: int
    height: int
    fps: float
    duration_s: float
    frames: int
    created: datetime | None


def probe(path: Path) -> Probe:
    """Look into a clip.

    Raises ``UnreadableClip`` for what is no whole video, ``OSError`` when the file cannot be read (now).
    """
    _refuse_by_boxes(path)
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            if not container.streams.video:
                raise UnreadableClip(
                    f"{path.name} holds no video, only {_streams(container)}: {_COPY_AGAIN} or remove it."
                )
            return _facts(path, container)
    except av.error.FFmpegError as error:
        if isinstance(error, OSError) and error.errno in _FILE_ERRORS:
            raise
        raise UnreadableClip(
            f"{path.name} is not a video that can be opened ({error.strerror}): "
            f"{_COPY_AGAIN}, or remove it if it is no clip."
        ) from error


def _streams(container: av.container.InputContainer) -> str:
    return ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"


def _refuse_by_boxes(path: Path) -> None:
    if path.suffix.lower() not in _BOXED:
        with path.open("rb") as file:
            if not file.read(1):
                raise UnreadableClip(f"{path.name} is empty (0 bytes): {_COPY_AGAIN}, or remove it.")
        return
    found = boxes.check(path)
    name, size = path.name, path.stat().st_size
    reasons = {
        "empty": f"{name} is empty (0 bytes): {_COPY_AGAIN}, or remove it.",
        "not_video": f"{name} is not a video file, only its name says so: {_COPY_AGAIN}, or remove it.",
        "no_moov": f"{name} has no index (moov), the camera lost power before it closed the file or the copy stopped "
        f"at {size:,} bytes: {_COPY_AGAIN}.",
        "cut": f"{name} is cut off: {found.inside} of {found.frames} frames are in the file: {_COPY_AGAIN}.",
        "broken": f"{name} has a damaged index (moov): {_COPY_AGAIN}.",
    }
    if found.state != "ok":
        raise UnreadableClip(reasons[found.state])


def _facts(path: Path, container: av.container.InputContainer) -> Probe:
    stream = container.streams.video[0]
    if not stream.width or not stream.height:
        raise UnreadableClip(f"{path.name} holds a video without a picture size: {_COPY_AGAIN}.")
    rate, frames = stream.average_rate, stream.frames
    duration = _seconds(stream.duration, stream.time_base) or _seconds(container.duration, Fraction(1, av.time_base))
    created = _created(container.metadata)
    codec, width, height = stream.codec_context.name, stream.width, stream.height
    if not frames or not duration or not rate:
        frames, duration = _count(container)
        if not frames:
            raise UnreadableClip(f"{path.name} holds no frames: {_COPY_AGAIN}.")
    fps = float(rate) if rate else frames / max(duration, 1e-3)
    return Probe(codec, width, height, fps, duration, frames, created)


def _seconds(value: int | None, time_base: Fraction | None) -> float:
    return float(value * time_base) if value and time_base and value > 0 else 0.0


def _count(container: av.container.InputContainer) -> tuple[int, float]:
    """Frames and seconds by reading every packet, for containers that do not know (MPEG-TS)."""
    times = [
        (packet.pts * packet.time_base, (packet.duration or 0) * packet.time_base)
        for packet in video_packets(container)
        if packet.pts is not None and packet.time_base is not None
    ]
    if not times:
        return 0, 0.0
    first, (last, step) = min(times)[0], max(times)
    return len(times), float(last - first + step)


def video_packets(container: av.container.InputContainer) -> Iterator[av.Packet]:
    """The packets of the first video stream, in file order."""
    packets = container.demux(container.streams.video[0])
    try:
        yield from packets
    except IndexError:
        # PyAV 18 at the end of MPEG-TS with a stream that its tables do not list (Viofo's GPS): all packets are out
        return


def _created(metadata: dict[str, str]) -> datetime | None:
    try:
        created = datetime.fromisoformat(metadata.get("creation_time", ""))
    except ValueError:
        return None
    created = created if created.tzinfo else created.replace(tzinfo=UTC)
    return created if created.year >= 2000 else None
