"""Where a clip's positions come from: the first of the known sources that has some."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from dashcam.gps import camm, exiftool, gpmf, novatek, novatek_ts, sidecar
from dashcam.gps.reading import Reading, without_spikes
from dashcam.media import validity
from dashcam.records import Fix

_LONGER_S = 10.0
"""A track that goes on so much longer than the clip was not recorded with it."""


class Source(Protocol):
    """All fixes of a clip, empty when this source has none. ``OSError`` when the clip cannot be read."""

    def __call__(self, path: Path, /) -> list[Reading]: ...


@dataclass(frozen=True)
class Recorded:
    """What is known of the clip's time without any GPS; ``duration_s`` is 0 when nobody knows."""

    start_utc: datetime
    duration_s: float = 0.0


@dataclass(frozen=True)
class Found:
    """``source`` is empty when there are no fixes; ``hint`` then says what might help.

    ``has_clock`` is False when the times of the fixes are not the source's own but counted from the clip's start.
    """

    source: str
    fixes: list[Fix]
    has_clock: bool = True
    hint: str = ""


_BOXED: tuple[tuple[str, Source], ...] = (("gpmf", gpmf.read), ("camm", camm.read), ("novatek", novatek.read))
_STREAMED: tuple[tuple[str, Source], ...] = (("novatek-ts", novatek_ts.read),)
_ANY: tuple[tuple[str, Source], ...] = (("sidecar", sidecar.read), ("exiftool", exiftool.read))


def read(path: Path, span: Callable[[], Recorded]) -> Found:
    """The fixes of a clip in order of media time, whatever it is called. ``OSError`` when it cannot be read.

    ``span`` is asked only for sources that do not know media time or have no clock. A file beside the clip that this
    user may not read is passed over, and the hint says so; a disk's failure is raised, because it may work again.
    """
    own = _STREAMED if validity.container(path) == "ts" else _BOXED
    hint = "" if exiftool.installed() else exiftool.MISSING
    for name, source in own + _ANY:
        try:
            readings = source(path)
        except PermissionError as error:
            if error.filename in (None, str(path)):
                raise
            hint = f"{Path(error.filename).name} beside it may not be read; allow it and process the clip again."
            continue
        if readings:
            fixes = _fixes(readings, name, span)
            if fixes:
                return Found(name, fixes, has_clock=any(one.utc is not None for one in readings))
    return Found("", [], hint=hint)


def _fixes(readings: Sequence[Reading], source: str, span: Callable[[], Recorded]) -> list[Fix]:
    """In media time and UTC, each moment once, jumps left out."""
    if any(one.t_s is None for one in readings):
        readings = _placed(readings, span())
    if any(one.utc is None for one in readings):
        clocked = [one for one in readings if one.utc is not None]
        readings = clocked or _timed(readings, span().start_utc)
    by_time = {one.t_s: one for one in reversed(readings)}
    ordered = [by_time[t_s] for t_s in sorted(t for t in by_time if t is not None)]
    return [
        Fix(
            t_s=one.t_s, utc=one.utc, lat=one.lat, lon=one.lon, speed_mps=one.speed_mps, heading_deg=one.heading_deg,
            source=source, quality=one.quality,
        )
        for one in without_spikes(ordered)
        if one.t_s is not None and one.utc is not None
    ]  # fmt: skip


def _placed(readings: Sequence[Reading], span: Recorded) -> list[Reading]:
    """Clock times as media times: a track as long as the clip began with it, out of a longer one the clip is cut."""
    timed = [(one.utc, one) for one in readings if one.utc is not None and one.t_s is None]
    if not timed:
        return [one for one in readings if one.t_s is not None]
    first, last = min(utc for utc, _ in timed), max(utc for utc, _ in timed)
    covers = (last - first).total_seconds() <= span.duration_s + _LONGER_S
    began = first if covers or not span.duration_s else span.start_utc
    seconds = [((utc - began).total_seconds(), one) for utc, one in timed]
    return [replace(one, t_s=t_s) for t_s, one in seconds if t_s >= 0 and (covers or t_s <= (span.duration_s or t_s))]


def _timed(readings: Sequence[Reading], start_utc: datetime) -> list[Reading]:
    return [replace(one, utc=start_utc + timedelta(seconds=one.t_s or 0.0)) for one in readings]
