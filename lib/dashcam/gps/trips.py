"""From clips to trips, as a person would draw them: pure functions over what is known of each clip.

Clips of several cameras that ran together are one moment; a trip is a row of moments without a pause that is too long,
or that the car was moved in. What a person decided about the beginning of a clip wins over the rule.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

from dashcam.config.model import TripSettings
from dashcam.gps.drive import SAME_EVENT_S, Drive, Place
from dashcam.gps.plane import distance_m
from dashcam.gps.track import MOVING_MPS
from dashcam.records import Record

Decision = Literal["split", "merge"]
"""A person's word about a clip: a trip begins with it, or goes on through it."""
PARKING = "parking"
_BLIND_MPS = 30.0
"""A car may have come this far, per second that a clip is without a fix at its end or beginning."""
CAMERA_ORDER = {"front": 0, "": 1, "telephoto": 2, "rear": 3, "interior": 4}
"""Which one is looked at first."""
SHORTEST_STOP_S = 60.0
"""Shorter ones are traffic lights."""
_SAME_PLACE_M = 50.0
_ONE_CAR_M = 200.0
"""Two clips of one time that were further apart are of two cars."""
_TOUCHING = timedelta(seconds=3)
"""From one clip to the next a camera may need this long."""


@dataclass(frozen=True)
class TripClip:
    """What trips need to know of a clip; ``drive`` is None when it has no positions."""

    video_id: str
    start_utc: datetime
    duration_s: float
    camera: str = ""
    kind: str = "normal"
    drive: Drive | None = None
    guessed: bool = False
    """Nothing but the file's own date says when it began, which is as likely that of a copy: it is in no trip."""

    @property
    def end_utc(self) -> datetime:
        return self.start_utc + timedelta(seconds=self.duration_s)


class Stop(Record):
    """The car stands; ``video_id`` and ``t_s`` show where that begins."""

    start_utc: datetime
    end_utc: datetime
    lat: float
    lon: float
    video_id: str
    t_s: float

    @property
    def duration_s(self) -> float:
        return (self.end_utc - self.start_utc).total_seconds()


class TripEvent(Record):
    """A driving event with its second of video; ``value`` in m/s², m/s for speeding, seconds for a long stop."""

    kind: Literal["braking", "cornering", "speeding", "stop"]
    utc: datetime
    value: float
    lat: float
    lon: float
    video_id: str
    t_s: float


@dataclass
class Moment:
    """Clips that ran at the same time."""

    clips: list[TripClip]

    @property
    def start_utc(self) -> datetime:
        return min(clip.start_utc for clip in self.clips)

    @property
    def end_utc(self) -> datetime:
        return max(clip.end_utc for clip in self.clips)

    @property
    def lead(self) -> TripClip:
        """The clip that tells where the car was: one with positions, the front camera's before others'."""
        return min(self.clips, key=lambda clip: (clip.drive is None, CAMERA_ORDER.get(clip.camera, 9), clip.video_id))


@dataclass
class Trip:
    moments: list[Moment]
    parked: list[TripClip] = field(default_factory=list)

    @property
    def clips(self) -> list[TripClip]:
        return [clip for moment in self.moments for clip in moment.clips]

    @property
    def leads(self) -> list[TripClip]:
        return [moment.lead for moment in self.moments]

    @property
    def start_utc(self) -> datetime:
        return self.moments[0].start_utc

    @property
    def end_utc(self) -> datetime:
        return max(moment.end_utc for moment in self.moments)

    @property
    def distance_m(self) -> float:
        """Along the clips, and straight across the pauses between them."""
        own = sum(clip.drive.distance_m for clip in self.leads if clip.drive)
        return own + sum(way for way, _ in self._between())

    @property
    def moving_s(self) -> float:
        return sum(clip.drive.moving_s for clip in self.leads if clip.drive) + sum(s for _, s in self._between())

    def _between(self) -> Iterator[tuple[float, float]]:
        """Metres and seconds from each clip's last place to the next one's first, where the car moved."""
        placed = [(clip.start_utc, clip.drive) for clip in self.leads if clip.drive]
        for (start, drive), (next_start, following) in pairwise(placed):
            seconds = (next_start - start).total_seconds() + following.first.t_s - drive.last.t_s
            way = _distance(drive.last, following.first)
            if seconds <= 0:  # they overlap: two cameras of one name, a clip that is there twice
                continue
            if way >= MOVING_MPS * seconds:
                yield way, seconds
            elif way > _SAME_PLACE_M:
                yield way, 0.0

    @property
    def max_mps(self) -> float:
        return max((clip.drive.max_mps for clip in self.leads if clip.drive), default=0.0)

    @property
    def box(self) -> tuple[float, float, float, float] | None:
        """(south, west, north, east), None without positions."""
        boxes = [clip.drive.box for clip in self.clips if clip.drive]
        if not boxes:
            return None
        south, west, north, east = zip(*boxes, strict=True)
        return min(south), min(west), max(north), max(east)


def trips(clips: Sequence[TripClip], decisions: Mapping[str, Decision], settings: TripSettings) -> list[Trip]:
    """The trips in the order of time. Parking clips go with the trip before them (the first ones: after them)."""
    driven = sorted((clip for clip in clips if clip.kind != PARKING), key=lambda clip: (clip.start_utc, clip.video_id))
    found: list[Trip] = []
    for moment in moments(driven):
        if found and goes_on(found[-1], moment, decisions, settings):
            found[-1].moments.append(moment)
        else:
            found.append(Trip([moment]))
    if found:
        for clip in sorted((clip for clip in clips if clip.kind == PARKING), key=lambda clip: clip.start_utc):
            before = [trip for trip in found if trip.start_utc <= clip.start_utc]
            (before[-1] if before else found[0]).parked.append(clip)
    return found


def moments(clips: Sequence[TripClip]) -> list[Moment]:
    """Group clips, in order of time, that overlap for more than half of the shorter one; those of one camera only where
    they were at the same place, else there are two cars."""
    found: list[Moment] = []
    for clip in clips:
        for moment in reversed(found[-4:]):
            first = moment.clips[0]
            together = (min(first.end_utc, clip.end_utc) - clip.start_utc).total_seconds()
            alike = together > min(first.duration_s, clip.duration_s) / 2
            same = [other for other in moment.clips if other.camera == clip.camera]
            if alike and not any(_apart(clip, other) for other in same):
                moment.clips.append(clip)
                break
        else:
            found.append(Moment([clip]))
    return found


def _apart(a: TripClip, b: TripClip) -> bool:
    """Whether clips of one time were at different places; false where one has no positions."""
    if a.drive is None or b.drive is None:
        return False
    between_s = (a.start_utc - b.start_utc).total_seconds() + a.drive.first.t_s - b.drive.first.t_s
    return _distance(a.drive.first, b.drive.first) > _ONE_CAR_M + _BLIND_MPS * abs(between_s)


def goes_on(trip: Trip, moment: Moment, decisions: Mapping[str, Decision], settings: TripSettings) -> bool:
    """Whether the moment still belongs to the trip before it."""
    decided = [decisions[clip.video_id] for clip in moment.clips if clip.video_id in decisions]
    if decided:
        return decided[-1] == "merge"
    pause = moment.start_utc - trip.end_utc
    if pause > timedelta(minutes=settings.gap_minutes):
        return False
    if pause <= timedelta(minutes=settings.missing_minutes):
        return True
    before, after = trip.moments[-1].lead, moment.lead
    if before.drive is None or after.drive is None:
        return True
    blind_s = before.duration_s - before.drive.last.t_s + after.drive.first.t_s
    return _distance(before.drive.last, after.drive.first) <= settings.gap_metres + _BLIND_MPS * max(0.0, blind_s)


def stops(trip: Trip) -> list[Stop]:
    """Every stretch of a minute and more in which the car stood, across clips and the pauses between them."""
    found: list[Stop] = []
    for clip in trip.leads:
        for still in clip.drive.still if clip.drive else []:
            new = Stop(
                start_utc=clip.start_utc + timedelta(seconds=still.start_s),
                end_utc=clip.start_utc + timedelta(seconds=still.end_s),
                lat=still.lat,
                lon=still.lon,
                video_id=clip.video_id,
                t_s=still.start_s,
            )
            last = found[-1] if found else None
            if last and new.start_utc - last.end_utc <= _TOUCHING and _near(last, new):
                found[-1] = last.model_copy(update={"end_utc": max(last.end_utc, new.end_utc)})
            else:
                found.append(new)
    return [stop for stop in _with_pauses(trip, found) if stop.duration_s >= SHORTEST_STOP_S]


def _with_pauses(trip: Trip, found: list[Stop]) -> list[Stop]:
    """A pause between clips after which the car is where it was is a stop, together with the standing around it."""
    for before, after in pairwise(trip.leads):
        pause = after.start_utc - before.end_utc
        if pause <= _TOUCHING or before.drive is None or after.drive is None:
            continue
        if _distance(before.drive.last, after.drive.first) > _SAME_PLACE_M:
            continue
        stop = Stop(
            start_utc=before.end_utc,
            end_utc=after.start_utc,
            lat=before.drive.last.lat,
            lon=before.drive.last.lon,
            video_id=before.video_id,
            t_s=max(0.0, before.duration_s - 1),
        )
        around = [
            one
            for one in found
            if _near(one, stop)
            and one.end_utc >= stop.start_utc - _TOUCHING
            and one.start_utc <= stop.end_utc + _TOUCHING
        ]
        first = min([*around, stop], key=lambda one: one.start_utc)
        joined = first.model_copy(update={"end_utc": max(one.end_utc for one in [*around, stop])})
        found = [one for one in found if one not in around] + [joined]
    return sorted(found, key=lambda one: one.start_utc)


def events(trip: Trip, long_stops: Iterable[Stop]) -> list[TripEvent]:
    """What happened, in order of time; what goes on over the end of a clip is there once."""
    found = [
        TripEvent(
            kind=event.kind,
            utc=clip.start_utc + timedelta(seconds=event.t_s),
            value=event.value,
            lat=event.lat,
            lon=event.lon,
            video_id=clip.video_id,
            t_s=event.t_s,
        )
        for clip in trip.leads
        for event in (clip.drive.events if clip.drive else [])
    ]
    found += [
        TripEvent(
            kind="stop",
            utc=stop.start_utc,
            value=stop.duration_s,
            lat=stop.lat,
            lon=stop.lon,
            video_id=stop.video_id,
            t_s=stop.t_s,
        )
        for stop in long_stops
    ]
    kept: list[TripEvent] = []
    for event in sorted(found, key=lambda one: one.utc):
        close = (one for one in kept if one.kind == event.kind)
        if not any((event.utc - one.utc).total_seconds() < SAME_EVENT_S for one in close):
            kept.append(event)
    return kept


def _distance(a: Place, b: Place) -> float:
    return distance_m((a.lat, a.lon), (b.lat, b.lon))


def _near(a: Stop, b: Stop) -> bool:
    return distance_m((a.lat, a.lon), (b.lat, b.lon)) <= _SAME_PLACE_M
