"""One clip's part in a drive: how far, how fast, where it stood still, and what happened on the way."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

from dashcam.config.model import TripSettings
from dashcam.gps.plane import distance_m
from dashcam.gps.track import MAX_GAP_S, MAX_OUTSIDE_S, MOVING_MPS, Track, TrackPoint
from dashcam.records import Fix, Record

EventKind = Literal["braking", "cornering", "speeding"]
SAME_EVENT_S = 5.0
"""Two of a kind closer than this are one."""
_IMPOSSIBLE_MPS2 = 12.0
"""No tyre holds more: a jump in the receiver's speed, not in the car's."""
_SHORTEST_SPEEDING_S = 2.0
_CORNERING_FROM_MPS = 3.0


class Place(Record):
    t_s: float
    lat: float
    lon: float


class Still(Record):
    """The car stands from ``start_s`` to ``end_s``, seconds of the clip."""

    start_s: float
    end_s: float
    lat: float
    lon: float


class Event(Record):
    """``value`` is in m/s², for speeding the highest speed in m/s."""

    kind: EventKind
    t_s: float
    end_s: float
    value: float
    lat: float
    lon: float


class Drive(Record):
    """The summary of a clip with positions; ``box`` is (south, west, north, east)."""

    first: Place
    last: Place
    distance_m: float
    moving_s: float
    max_mps: float
    box: tuple[float, float, float, float]
    still: list[Still]
    events: list[Event]


Knot = tuple[float, TrackPoint]


def drive_of(fixes: Sequence[Fix], duration_s: float, settings: TripSettings) -> Drive | None:
    """The summary of a clip of ``duration_s``; None when it has no fix."""
    track = Track(fixes)
    knots = [(fix.t_s, here) for fix in track.fixes if (here := track.at(fix.t_s)) is not None]
    if not knots:
        return None
    legs = [(a, b) for a, b in pairwise(knots) if moves(a, b)]
    lats, lons = [here.lat for _, here in knots], [here.lon for _, here in knots]
    return Drive(
        first=_place(knots[0]),
        last=_place(knots[-1]),
        distance_m=round(sum(length_m(a, b) for a, b in legs), 1),
        moving_s=round(sum(b[0] - a[0] for a, b in legs), 2),
        max_mps=round(max((here.speed_mps or 0.0 for _, here in knots), default=0.0), 2),
        box=(min(lats), min(lons), max(lats), max(lons)),
        still=list(stills(knots, duration_s)),
        events=sorted(
            [*accelerations(track.fixes, settings), *speedings(track.fixes, settings.speed_limit_kmh / 3.6)],
            key=lambda event: event.t_s,
        ),
    )


def length_m(a: Knot, b: Knot) -> float:
    return distance_m((a[1].lat, a[1].lon), (b[1].lat, b[1].lon))


def moves(a: Knot, b: Knot) -> bool:
    """Whether the car moves between two knots: by the receiver's speed, without it by the way that it went."""
    if a[1].speed_mps is not None and b[1].speed_mps is not None and b[0] - a[0] <= MAX_GAP_S:
        return (a[1].speed_mps + b[1].speed_mps) / 2 >= MOVING_MPS
    return length_m(a, b) / (b[0] - a[0]) >= MOVING_MPS


def stills(knots: Sequence[Knot], duration_s: float) -> Iterator[Still]:
    """The stretches in which the car stands; one at the clip's edge reaches to the edge."""
    begun: Knot | None = None
    last: Knot | None = None
    for a, b in pairwise(knots):
        if moves(a, b):
            if begun and last:
                yield _still(begun, last, knots, duration_s)
            begun = last = None
        else:
            begun, last = begun or a, b
    if begun and last:
        yield _still(begun, last, knots, duration_s)


def _still(begun: Knot, last: Knot, knots: Sequence[Knot], duration_s: float) -> Still:
    at_start = begun is knots[0] and begun[0] <= MAX_OUTSIDE_S
    at_end = last is knots[-1] and duration_s - last[0] <= MAX_OUTSIDE_S
    return Still(
        start_s=0.0 if at_start else round(begun[0], 2),
        end_s=round(duration_s if at_end else last[0], 2),
        lat=round(begun[1].lat, 6),
        lon=round(begun[1].lon, 6),
    )


def accelerations(fixes: Sequence[Fix], settings: TripSettings) -> list[Event]:
    """Hard braking and hard cornering, from the receiver's own speed and course; smoothing would soften both."""
    found: list[Event] = []
    for a, b in pairwise(fixes):
        dt = b.t_s - a.t_s
        if a.speed_mps is None or b.speed_mps is None or not 0.4 <= dt <= 2.5:
            continue
        braking = (a.speed_mps - b.speed_mps) / dt
        _note(found, "braking", a, b, braking, settings.braking_mps2)
        slowest = min(a.speed_mps, b.speed_mps)
        if a.heading_deg is not None and b.heading_deg is not None and slowest >= _CORNERING_FROM_MPS:
            turn = math.radians(abs((b.heading_deg - a.heading_deg + 180) % 360 - 180)) / dt
            _note(found, "cornering", a, b, turn * (a.speed_mps + b.speed_mps) / 2, settings.cornering_mps2)
    return found


def _note(found: list[Event], kind: EventKind, a: Fix, b: Fix, value: float, limit: float) -> None:
    """Write the event down, or lengthen the one of its kind that goes on."""
    if not limit <= value <= _IMPOSSIBLE_MPS2:
        return
    new = Event(kind=kind, t_s=round(a.t_s, 2), end_s=round(b.t_s, 2), value=round(value, 2), lat=a.lat, lon=a.lon)
    going_on = [i for i, old in enumerate(found) if old.kind == kind and a.t_s - old.end_s < SAME_EVENT_S]
    if not going_on:
        found.append(new)
        return
    old = found[going_on[-1]]
    found[going_on[-1]] = old.model_copy(update={"end_s": new.end_s, "value": max(old.value, new.value)})


def speedings(fixes: Sequence[Fix], limit_mps: float) -> Iterator[Event]:
    """Stretches of at least two seconds above the limit."""
    fast: list[Fix] = []
    for fix in [*fixes, None]:
        above = fix is not None and (fix.speed_mps or 0.0) > limit_mps
        if fast and (fix is None or (not above and fix.t_s - fast[-1].t_s >= SAME_EVENT_S)):
            if fast[-1].t_s - fast[0].t_s >= _SHORTEST_SPEEDING_S:
                first, top = fast[0], max(one.speed_mps or 0.0 for one in fast)
                yield Event(
                    kind="speeding",
                    t_s=round(first.t_s, 2),
                    end_s=round(fast[-1].t_s, 2),
                    value=round(top, 2),
                    lat=first.lat,
                    lon=first.lon,
                )
            fast = []
        if above and fix is not None:
            fast.append(fix)


def _place(knot: Knot) -> Place:
    return Place(t_s=round(knot[0], 2), lat=round(knot[1].lat, 7), lon=round(knot[1].lon, 7))
