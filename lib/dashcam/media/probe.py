"""What a clip is: codec, size, rate, length; or, in plain words, why nobody can read it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median

import av

from dashcam.media import validity
from dashcam.media.coding import NoDecoder, coding_of, of_the_medium
from dashcam.media.validity import MAX_STEP_S, REPAIR, Validity


class UnreadableClip(Exception):
    """Nobody can process this file; the message is one plain sentence for a person.

    ``has_remains``: it was a clip, so positions may be in it.
    """

    def __init__(self, message: str, has_remains: bool = False) -> None:
        super().__init__(message)
        self.has_remains = has_remains


@dataclass(frozen=True)
class Probe:
    """``fps`` is the average rate; ``created`` is what the container says, None when it says nothing.

    ``duration_s`` and ``frames`` are what can be read; ``damage`` says in a sentence what is lost, if anything is.
    """

    codec: str
    width: int
    height: int
    fps: float
    duration_s: float
    frames: int
    created: datetime | None
    damage: str = ""


def probe(path: Path) -> Probe:
    """Look into a clip.

    Raises ``UnreadableClip`` for what shows no picture to anybody, ``NoDecoder`` for what it shows to others, and
    ``OSError`` when the file cannot be read (now).
    """
    found = validity.look(path)
    if found.fatal is not None:
        raise UnreadableClip(f"{path.name} {found.fatal.words}", found.container in ("mp4", "ts"))
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            if not container.streams.video:
                raise UnreadableClip(
                    f"{path.name} holds no video that can be found, only {_streams(container)}: {REPAIR}."
                )
            return _facts(path, container, found)
    except av.error.FFmpegError as error:
        if of_the_medium(error):  # it may work again
            raise
        lost = found.damage.partition(";")[0] or "what is in it is damaged"
        raise UnreadableClip(f"{path.name} cannot be opened as video, {lost}: {REPAIR}.", bool(found.damage)) from error


def _streams(container: av.container.InputContainer) -> str:
    return ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"


def _facts(path: Path, container: av.container.InputContainer, found: Validity) -> Probe:
    stream = container.streams.video[0]
    if stream.codec_context is None:
        if coding := coding_of(container):
            raise NoDecoder(path.name, coding)
        raise UnreadableClip(
            f"{path.name} holds video in a coding that is not known here, or its index is damaged: {REPAIR}.",
            has_remains=True,
        )
    if not stream.width or not stream.height:
        raise UnreadableClip(f"{path.name} holds a video without a picture size, its index is damaged: {REPAIR}.")
    rate, frames = stream.average_rate, stream.frames
    duration = _seconds(stream.duration, stream.time_base) or _seconds(container.duration, Fraction(1, av.time_base))
    created = _created(container.metadata)
    codec, width, height = stream.codec_context.name, stream.width, stream.height
    if found.damage and found.frames and found.readable_s:
        frames, duration = found.frames, found.readable_s
    elif not frames or not duration or not rate or found.damage:
        frames, duration = _count(container)
        if not frames:
            raise UnreadableClip(f"{path.name} holds no frames that can be found: {REPAIR}.")
    fps = float(rate) if rate and not found.damage else frames / max(duration, 1e-3)
    return Probe(codec, width, height, fps, duration, frames, created, found.damage)


def _seconds(value: int | None, time_base: Fraction | None) -> float:
    return float(value * time_base) if value and time_base and value > 0 else 0.0


def _count(container: av.container.InputContainer) -> tuple[int, float]:
    """Frames and seconds by reading every packet, for containers that do not know (MPEG-TS) or are wrong."""
    times = sorted(
        float(packet.pts * packet.time_base)
        for packet in video_packets(container)
        if packet.pts is not None and packet.time_base is not None
    )
    if not times:
        return 0, 0.0
    steps = [b - a for a, b in pairwise(times) if b - a < MAX_STEP_S]
    return len(times), sum(steps) + (median(steps) if steps else 0.0)


def video_packets(container: av.container.InputContainer) -> Iterator[av.Packet]:
    """The packets of the first video stream, in file order."""
    packets = container.demux(container.streams.video[0])
    try:
        yield from packets
    except IndexError:
        # PyAV 18 at the end of MPEG-TS with a stream that its tables do not list (Viofo's GPS): all packets are out
        return
    except av.error.FFmpegError as error:
        if of_the_medium(error):
            raise
        return  # cut off here: what came before counts


def _created(metadata: dict[str, str]) -> datetime | None:
    try:
        created = datetime.fromisoformat(metadata.get("creation_time", ""))
    except ValueError:
        return None
    created = created if created.tzinfo else created.replace(tzinfo=UTC)
    return created if created.year >= 2000 else None
