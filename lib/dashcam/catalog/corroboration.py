"""One plate on the front and on the rear camera within minutes: each supports the other, and who overtook whom.

A car that was behind and is ahead has overtaken. One that was ahead and is behind was overtaken, stood at the road, or
came towards us: that tells how fast it fell back, beside how fast we drove.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dashcam.catalog.models import GUESSED, SightingRow, Video
from dashcam.catalog.sightings import SightingCard

WINDOW = timedelta(minutes=3)
"""From the end of the one sighting to the beginning of the other at most."""
SIDES = ("front", "rear")
SLOWER, FASTER = 0.5, 1.5
"""Beside our own speed: a car that stands falls back at just that speed; distances are good to about a third."""

Passing = Literal["it overtook you", "you overtook it", "it came towards you", "you passed it"]


@dataclass(frozen=True)
class Corroboration:
    """What the other camera has seen of the same plate: ``apart_s`` seconds earlier or, with ``later``, later.
    ``together`` is how sure the plate's text is by both: as sure as by the surer look. One reader takes a sign for the
    same other one each time, so that two looks which agree are right no more often (`benchmarks.both_cameras`)."""

    sighting_id: int
    video_id: str
    camera: str
    best_s: float
    apart_s: float
    later: bool
    passing: Passing
    together: float


@dataclass(frozen=True)
class _Stretch:
    sighting_id: int
    plate_id: int
    video_id: str
    camera: str
    best_s: float
    begin: datetime
    best: datetime
    end: datetime
    confidence: float
    speed_mps: float | None
    distance_m: float | None


@dataclass(frozen=True)
class _Pair:
    first: _Stretch
    then: _Stretch

    @property
    def gap(self) -> timedelta:
        return self.then.begin - self.first.end


def corroborations(session: Session, seen: Sequence[SightingCard]) -> dict[int, Corroboration]:
    """By the numbers of those of these sightings whose plate the camera on the other side has seen, the nearest."""
    timed = [one.seen_utc for one in seen if one.seen_utc is not None and one.camera in SIDES]
    if not timed:
        return {}
    nearest: dict[int, _Pair] = {}
    stretches = _stretches(session, {one.plate_id for one in seen}, min(timed) - 2 * WINDOW, max(timed) + 2 * WINDOW)
    for pair in _pairs(stretches):
        for this in (pair.first, pair.then):
            if this.sighting_id not in nearest or pair.gap < nearest[this.sighting_id].gap:
                nearest[this.sighting_id] = pair
    return {one.sighting_id: _told(one.sighting_id, nearest) for one in seen if one.sighting_id in nearest}


def _pairs(stretches: Sequence[_Stretch]) -> Iterator[_Pair]:
    """Of one plate, the one after the other on the two cameras. Both at one time are two plates: none is before and
    behind us at once."""
    for index, first in enumerate(stretches):
        for then in islice(stretches, index + 1, None):
            pair = _Pair(first, then)
            if then.plate_id != first.plate_id or pair.gap > WINDOW:
                break
            if then.camera != first.camera and pair.gap >= timedelta():
                yield pair


def _stretches(session: Session, plates: set[int], first: datetime, last: datetime) -> list[_Stretch]:
    """By plate, then in order of time."""
    row = SightingRow
    query = (
        select(
            row.sighting_id, row.plate_id, row.video_id, Video.camera, row.first_s, row.best_s, row.last_s,
            row.seen_utc, row.confidence, row.speed_mps, row.estimate["distance_m"].as_float().label("distance_m"),
        )
        .join(Video, Video.video_id == row.video_id)
        .where(row.plate_id.in_(plates), row.seen_utc.between(first, last), Video.camera.in_(SIDES))
        .where(~func.coalesce(GUESSED, False))
    )  # fmt: skip
    found = []
    for one in session.execute(query):
        begin, end = (one.seen_utc + timedelta(seconds=at - one.best_s) for at in (one.first_s, one.last_s))
        found.append(
            _Stretch(
                one.sighting_id, one.plate_id, one.video_id, one.camera, one.best_s,
                begin, one.seen_utc, end, one.confidence, one.speed_mps, one.distance_m,
            )
        )  # fmt: skip
    return sorted(found, key=lambda one: (one.plate_id, one.begin, one.sighting_id))


def _told(number: int, nearest: Mapping[int, _Pair]) -> Corroboration:
    """Where a car was seen several times on its way past us, the two looks that lie closest tell what it did."""
    pair = nearest[number]
    this, other = (pair.first, pair.then) if pair.first.sighting_id == number else (pair.then, pair.first)
    closest = nearest[other.sighting_id]
    return Corroboration(
        other.sighting_id, other.video_id, other.camera, other.best_s, round(pair.gap.total_seconds(), 1),
        other is pair.then, passing(closest.first, closest.then), max(this.confidence, other.confidence),
    )  # fmt: skip


def passing(first: _Stretch, then: _Stretch) -> Passing:
    if first.camera == "rear":
        return "it overtook you"
    fell_back = falling_back(first, then)
    own = [one.speed_mps for one in (first, then) if one.speed_mps is not None]
    if fell_back is None or not own:
        return "you passed it"
    share = fell_back / max(sum(own) / len(own), 1.0)
    return "you overtook it" if share < SLOWER else "it came towards you" if share > FASTER else "you passed it"


def falling_back(first: _Stretch, then: _Stretch) -> float | None:
    """Metres a second from before us to behind us; None where it is not known how far away the car was."""
    if first.distance_m is None or then.distance_m is None:
        return None
    return (first.distance_m + then.distance_m) / max((then.best - first.best).total_seconds(), 0.1)
