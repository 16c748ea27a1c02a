"""How a car was met, and whether it follows: a sequential likelihood ratio against the traffic around it.

After Lawlor, Sider, Eluru, Hatzopoulou and Rabbat, "Detecting Convoys Using License Plate Recognition Data" (2016):
cars of one road move together, so counting says little. What each trip adds is what a follower would do, over what
other cars of that road and hour did. Nothing is added where the car has been met before: the commute, a car that parks
there, a car park count once. Trips on which it is not seen take away (Page's test: never below nothing).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Literal, Protocol

from dashcam.gps.plane import Plane

Meaning = Literal["nothing", "often", "unusual"]
Manner = Literal["few", "parked", "same_way", "around", "along"]
"""Met too seldom to say more; always where it stands; always at one place or hour; at several; on different ways."""

GAP = timedelta(minutes=10)
"""Not seen for longer, it was met anew."""
PARKED_M = 40
"""A car that was there on two trips stands there."""
KNOWN_M = 400
"""So near to where it was met on an earlier trip nothing is new."""
ALONG_M = 1000.0
"""So far it has to come along on a way that is new to count."""
ONE_HOUR = timedelta(minutes=45)
DAY = timedelta(days=1)

COMES, STAYS = 0.1, 0.8
"""How likely a follower is seen on a trip, and there to the end of the stretch."""
SELDOM, MOST_SELDOM = 0.5, 50
STRAYS, MOST_STRAYS = 0.3, 6
"""What is taken for known of other cars before any is looked at: so many of so many."""
LIMIT = math.log(10_000)
TRIPS = 3
"""On fewer nothing is unusual, however unlikely."""
OFTEN = 3
MOST_OTHERS = 60
"""Of the other cars so many are looked at."""


@dataclass(frozen=True)
class Glimpse:
    """The plate was seen; where our own car was."""

    at: datetime
    place: tuple[float, float] | None
    trip_id: int
    behind: bool = False


@dataclass(frozen=True)
class Along:
    """A stretch of one trip on which the car came along, where it had not been met on an earlier one."""

    trip_id: int
    start: datetime
    end: datetime
    way_m: float
    behind: bool = False


@dataclass(frozen=True)
class Others:
    """Of the other cars: how many did the same."""

    did: int
    of: int


class Background(Protocol):
    """What the other cars did."""

    def stayed(self, one: Along) -> Others:
        """Of those that went our way at its start, how many were there at its end."""

    def met_again(self, before: Along, now: Along) -> Others:
        """Of those around at the earlier one, how many were seen on the later trip."""

    def trips_between(self, before: Along, now: Along) -> int: ...


@dataclass(frozen=True)
class Weight:
    """The strongest run of trips that speak for following."""

    score: float = 0.0
    """Natural logarithm of the likelihood ratio."""
    along: Sequence[Along] = field(default=())


@dataclass(frozen=True)
class Met:
    """A plate, as it was met."""

    level: Meaning
    manner: Manner
    trips: int
    days: int
    places: int
    """About half a kilometre each; 0 where no position is known."""
    weight: Weight
    at_least: bool = False
    """There are more sightings than were looked at."""

    @property
    def ratio(self) -> float:
        """How many times likelier what was seen is of a follower than of the traffic around."""
        return math.exp(min(self.weight.score, 50.0))


Point = tuple[float, float]


class ByPlace:
    """Points on the ground, each of one trip, found by what is near."""

    def __init__(self, size_m: int) -> None:
        self.size_m = size_m
        self.cells: dict[tuple[int, int], list[tuple[Point, int]]] = {}

    def add(self, point: Point, trip_id: int) -> None:
        self.cells.setdefault(self._cell(point), []).append((point, trip_id))

    def has_near(self, point: Point, but_of: int | None = None) -> bool:
        east, north = self._cell(point)
        for cell in [(east + dx, north + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]:
            for other, trip_id in self.cells.get(cell, ()):
                if trip_id != but_of and math.dist(point, other) <= self.size_m:
                    return True
        return False

    def _cell(self, point: Point) -> tuple[int, int]:
        return math.floor(point[0] / self.size_m), math.floor(point[1] / self.size_m)


@dataclass(frozen=True)
class Located:
    """A glimpse on a flat map; without a point where no position is known."""

    seen: Glimpse
    point: Point | None


def met(glimpses: Iterable[Glimpse], background: Background, at_least: bool = False) -> Met:
    """What is to be said of a car by all times it was seen, in whatever order they come."""
    spots = spotted(glimpses)
    return said(spots, weigh(stretches(spots), background), at_least)


def briefly(glimpses: Iterable[Glimpse], background: Background, at_least: bool = False) -> Met:
    """The same in words: the weight is there only of what is unusual, and is not looked for where nothing can be."""
    spots = spotted(glimpses)
    runs_of = runs_that_may(stretches(spots), background)
    strongest = max((weigh(run, background) for run in runs_of), key=lambda one: one.score, default=Weight())
    how = said(spots, strongest, at_least)
    return how if how.level == "unusual" else replace(how, weight=Weight())


def said(spots: Sequence[Located], weight: Weight, at_least: bool) -> Met:
    trips = {spot.seen.trip_id for spot in spots}
    days = {begun.at.date() for begun in beginnings(spots)}
    unusual = weight.score >= LIMIT and len(weight.along) >= TRIPS
    level: Meaning = "unusual" if unusual else "often" if len(trips) >= OFTEN else "nothing"
    manner: Manner = "along" if unusual else manner_of(spots) if level == "often" else "few"
    return Met(level, manner, len(trips), len(days), places_of(spots), weight, at_least)


def spotted(glimpses: Iterable[Glimpse]) -> list[Located]:
    seen = sorted(set(glimpses), key=lambda one: (one.at, one.trip_id, one.place or (), one.behind))
    placed = [one.place for one in seen if one.place is not None]
    if not placed:
        return [Located(one, None) for one in seen]
    plane = Plane(*placed[0])
    return [Located(one, plane.to_metres(*one.place) if one.place else None) for one in seen]


def stretches(spots: Sequence[Located]) -> list[Along]:
    """Of each trip the longest stretch that counts, in order of time."""
    standing = ByPlace(PARKED_M)
    for spot in spots:
        if spot.point is not None:
            standing.add(spot.point, spot.seen.trip_id)
    known = ByPlace(KNOWN_M)
    found = []
    for trip_id, of_trip in by_trip(spots):
        best: Along | None = None
        for run in runs(of_trip, standing, known):
            way = sum(math.dist(a, b) for a, b in pairwise(spot.point for spot in run if spot.point))
            if way >= ALONG_M and (best is None or way > best.way_m):
                behind = 2 * sum(spot.seen.behind for spot in run) >= len(run)
                best = Along(trip_id, run[0].seen.at, run[-1].seen.at, way, behind)
        if best is not None:
            found.append(best)
        for spot in of_trip:
            if spot.point is not None:
                known.add(spot.point, trip_id)
    return found


def by_trip(spots: Sequence[Located]) -> list[tuple[int, list[Located]]]:
    """In the order in which the car was first seen on each."""
    trips: dict[int, list[Located]] = {}
    for spot in spots:
        trips.setdefault(spot.seen.trip_id, []).append(spot)
    return list(trips.items())


def runs(of_trip: Sequence[Located], standing: ByPlace, known: ByPlace) -> list[list[Located]]:
    """One time in which the car was seen each, without where it stands and where it was met before."""
    found: list[list[Located]] = []
    last: Located | None = None
    for spot in of_trip:
        if spot.point is None or standing.has_near(spot.point, but_of=spot.seen.trip_id):
            continue
        if known.has_near(spot.point):
            last = None
            continue
        if last is None or spot.seen.at - last.seen.at > GAP:
            found.append([])
        found[-1].append(spot)
        last = spot
    return found


def weigh(stretches_of: Sequence[Along], background: Background) -> Weight:
    score, best = 0.0, Weight()
    run: list[Along] = []
    for one in stretches_of:
        if run:
            score += background.trips_between(run[-1], one) * math.log(1 - COMES)
        if score <= 0:
            score, run = 0.0, []
        share = background.stayed(one)
        score += gain(STAYS, (share.did + STRAYS) / (share.of + MOST_STRAYS))
        if run:
            share = background.met_again(run[-1], one)
            score += gain(COMES, (share.did + SELDOM) / (share.of + MOST_SELDOM))
        run = [*run, one]
        if score > best.score:
            best = Weight(score, tuple(run))
    return best


def runs_that_may(stretches_of: Sequence[Along], background: Background) -> list[list[Along]]:
    """The runs of trips that reach the `LIMIT` if no other car did the same: nothing, where none of them has enough
    trips. Between two of them the sum begins anew, whatever the others did."""
    found: list[tuple[float, list[Along]]] = []
    score = 0.0
    for one in stretches_of if len(stretches_of) >= TRIPS else ():
        if found:
            score += background.trips_between(found[-1][1][-1], one) * math.log(1 - COMES)
        if score <= 0:
            score = most(STAYS, STRAYS, MOST_STRAYS)
            found.append((score, [one]))
            continue
        score += most(STAYS, STRAYS, MOST_STRAYS) + most(COMES, SELDOM, MOST_SELDOM)
        highest, run = found[-1]
        found[-1] = max(highest, score), [*run, one]
    high = [run for highest, run in found if highest >= LIMIT]
    return high if any(len(run) >= TRIPS for run in high) else []


def most(of_follower: float, taken: float, of: float) -> float:
    """What a trip adds where none of the others did the same."""
    return gain(of_follower, taken / (of + MOST_OTHERS))


def gain(of_follower: float, of_others: float) -> float:
    """What most cars do says nothing, for or against."""
    return max(0.0, math.log(of_follower / of_others))


def beginnings(spots: Sequence[Located]) -> list[Glimpse]:
    """Of each trip the first time that the car was seen."""
    return [of_trip[0].seen for _, of_trip in by_trip(spots)]


def manner_of(spots: Sequence[Located]) -> Manner:
    points = [(spot, spot.point) for spot in spots if spot.point is not None]
    standing, near = ByPlace(PARKED_M), ByPlace(KNOWN_M)
    for spot, point in points:
        standing.add(point, spot.seen.trip_id)
        near.add(point, spot.seen.trip_id)
    trips = {spot.seen.trip_id for spot, _ in points}
    stands = {spot.seen.trip_id for spot, point in points if standing.has_near(point, but_of=spot.seen.trip_id)}
    again = {spot.seen.trip_id for spot, point in points if near.has_near(point, but_of=spot.seen.trip_id)}
    moves = any(way_of(list(run)) > KNOWN_M for _, run in groupby(spots, key=lambda spot: spot.seen.trip_id))
    if trips and 3 * len(stands) >= 2 * len(trips) and not moves:
        return "parked"
    if trips and 3 * len(again) >= 2 * len(trips):
        return "same_way"
    return "around"


def way_of(run: Sequence[Located]) -> float:
    return sum(math.dist(a, b) for a, b in pairwise(spot.point for spot in run if spot.point))


def places_of(spots: Sequence[Located]) -> int:
    """How many circles of half a kilometre hold where the car was first seen each time."""
    found = ByPlace(KNOWN_M)
    count = 0
    last: datetime | None = None
    for spot in spots:
        new = last is None or spot.seen.at - last > GAP
        last = spot.seen.at
        if new and spot.point is not None and not found.has_near(spot.point):
            found.add(spot.point, spot.seen.trip_id)
            count += 1
    return count
