"""What the map of everything shows of a window: sightings in clusters, routes, time driven; bounded whatever there is.

A window with more sightings than `MOST_SEEN` shows the newest of them all, and says since when; closer, or for fewer
days, it shows all.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, ColumnElement, Select, String, cast, func, select, tuple_
from sqlalchemy.orm import Session

from dashcam.catalog import plate_filter, search
from dashcam.catalog.models import RouteRow, SightingRow, TripRow, Video
from dashcam.catalog.paging import Cursor
from dashcam.catalog.places import fixes_of_each
from dashcam.catalog.plate_filter import Area, PlateFilter
from dashcam.catalog.roads import passage
from dashcam.catalog.routes import LEVELS, Cells, arrays_of, joined, level_at, summed, unpacked
from dashcam.catalog.sightings import SightingCard, cards, chosen
from dashcam.records import Fix

MOST_SEEN = 100_000
CLUSTER_PX = 64
MOST_ACROSS = 48
"""Clusters, for windows that no screen has."""
UNITS = 1_000_000
"""A degree has so many; ten centimetres each."""
WIDE = 1_000_000_000
"""More than there are around the earth."""
MOST_PLATES = 500
"""So many plates a fragment may stand for."""
MOST_ROUTES = (4000, 1500, 300)
MOST_COMPARED = 300
MOST_DRIVEN = (4000, 3000, 800)
"""Trips of which routes and heat are shown, the newest, at each of `routes.LEVELS`."""
MOST_CELLS = 4000
MOST_FIXES = 4000
MOST_TRIPS_A_DAY = 50
MOST_OF_A_DAY = 1500
"""Sightings."""


@dataclass(frozen=True)
class Cluster:
    """Sightings that a screen cannot tell apart; ``at`` is their middle, ``box`` holds them to a millionth degree."""

    count: int
    at: tuple[float, float]
    box: Area


@dataclass(frozen=True)
class Clusters:
    clusters: list[Cluster]
    since: datetime | None = None
    """Older ones are left out, because there are too many."""
    plates_left_out: bool = False
    """The fragment stands for more than `MOST_PLATES`."""


@dataclass(frozen=True)
class TripWay:
    trip_id: int
    start_utc: datetime
    end_utc: datetime
    distance_m: float
    box: Area


@dataclass(frozen=True)
class Routes:
    shown: list[TripWay]
    """Newest first."""
    total: int
    """In the window, with those that are not shown."""


@dataclass(frozen=True)
class Lines:
    """The same, drawn."""

    shown: dict[int, str]
    """Of each trip `models.RouteRow.line`, newest first."""
    total: int


@dataclass(frozen=True)
class Heat:
    cells: list[tuple[int, int, int]] = field(default_factory=list)
    """Row and column from the south pole and the date line, seconds."""
    per_degree: float = 1.0
    trips: int = 0
    total: int = 0
    """Trips in the window; ``trips``, the newest, are counted."""


def clusters(session: Session, wanted: PlateFilter, zoom: int) -> Clusters:
    """The sightings that match, brought together by what a map at this zoom can tell apart."""
    since, left_out = None, False
    base = select(SightingRow.plate_id).where(*plate_filter.conditions(wanted))
    if wanted.text:
        ids = plate_ids(session, wanted)
        left_out = len(ids) > MOST_PLATES
        base = base.where(SightingRow.plate_id.in_(ids[:MOST_PLATES]))
    elif not is_wide(wanted.region) and search.few(session, near := plate_filter.in_place(wanted), MOST_SEEN):
        base = near
    elif since := newest_from(session, wanted):
        base = base.where(SightingRow.seen_utc >= since)
    step_lat, step_lon = steps(wanted.region, zoom)
    found = cells_of(places(session, base), step_lat, step_lon)
    return Clusters(apart(found, step_lat, step_lon), since, left_out)


def places(session: Session, which: Select[Any]) -> NDArray[np.int64]:
    """Where these sightings were, (2, n): `UNITS` of a degree north of the south pole and east of the date line.

    The database tells them in one text: as rows they cost three times as much, and grouped by it as well.
    """
    seen = which.add_columns(SightingRow.lat, SightingRow.lon).where(SightingRow.lat.is_not(None)).subquery().c
    # a quarter, because one database cuts off what the other rounds, and most positions lie on a unit
    north, east = (cast((side + half) * UNITS + 0.25, BigInteger) for side, half in ((seen.lat, 90), (seen.lon, 180)))
    told = session.scalar(select(func.aggregate_strings(cast(north * WIDE + east, String), ",")))
    return np.array(np.divmod(np.fromstring(told or "", np.int64, sep=","), WIDE))


def cells_of(places: NDArray[np.int64], step_lat: float, step_lon: float) -> list[Cluster]:
    """Of each cell of a grid of such steps what lies in it."""
    north, east = places
    rows, columns = (np.floor(side / UNITS / step) for side, step in ((north, step_lat), (east, step_lon)))
    order = np.lexsort((columns, rows))
    changes = (np.diff(rows[order]) != 0) | (np.diff(columns[order]) != 0)
    starts = np.flatnonzero(np.append(len(order) > 0, changes))
    counts = np.diff(starts, append=len(order))
    lat, lon = (np.round(side[order] / UNITS - half, 6) for side, half in ((north, 90), (east, 180)))
    middles = (np.add.reduceat(side, starts) / counts for side in (lat, lon))
    edges = (of.reduceat(side, starts) for of in (np.minimum, np.maximum) for side in (lat, lon))
    return [
        Cluster(count, (lat, lon), Area(*box))
        for count, lat, lon, *box in zip(*(column.tolist() for column in (counts, *middles, *edges)), strict=True)
    ]


def apart(found: list[Cluster], step_lat: float, step_lon: float) -> list[Cluster]:
    """Two whose middles are less than half a cell apart are one: a click on the lower circle would meet the upper."""
    kept: defaultdict[tuple[int, int], list[Cluster]] = defaultdict(list)
    for one in sorted(found, key=lambda one: -one.count):
        row, column = int((one.at[0] + 90) / step_lat), int((one.at[1] + 180) / step_lon)
        for cell in [(row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)]:
            near = [other for other in kept[cell] if distance(one, other, step_lat, step_lon) < 0.5]
            if near:
                kept[cell].remove(near[0])
                one = together(near[0], one)
                break
        else:
            cell = (row, column)
        kept[cell].append(one)
    return [one for cell in kept.values() for one in cell]


def distance(one: Cluster, other: Cluster, step_lat: float, step_lon: float) -> float:
    """In cells."""
    return math.hypot((one.at[0] - other.at[0]) / step_lat, (one.at[1] - other.at[1]) / step_lon)


def together(one: Cluster, other: Cluster) -> Cluster:
    count = one.count + other.count
    lat, lon = ((a * one.count + b * other.count) / count for a, b in zip(one.at, other.at, strict=True))
    south, west = min(one.box.south, other.box.south), min(one.box.west, other.box.west)
    north, east = max(one.box.north, other.box.north), max(one.box.east, other.box.east)
    return Cluster(count, (lat, lon), Area(south, west, north, east))


def plate_ids(session: Session, wanted: PlateFilter) -> Sequence[int]:
    """Of the plates that the text stands for; one more than `MOST_PLATES` where there are more."""
    matching = search.matching_plates(wanted)
    return [] if matching is None else session.scalars(matching.distinct().limit(MOST_PLATES + 1)).all()


def is_wide(region: Area | None) -> bool:
    """Too high for the index of places."""
    tile, most = plate_filter.tile, plate_filter.MANY_ROWS
    return region is None or tile(region.north) - tile(region.south) + 2 > most


def newest_from(session: Session, wanted: PlateFilter) -> datetime | None:
    """Since when there are `MOST_SEEN` sightings in these days, anywhere; None where there are fewer in all."""
    everywhere = select(SightingRow.seen_utc).where(
        SightingRow.seen_utc.is_not(None), *plate_filter.conditions(replace(wanted, region=None, confirmed_only=False))
    )
    return session.scalar(everywhere.order_by(SightingRow.seen_utc.desc()).offset(MOST_SEEN).limit(1))


def steps(region: Area | None, zoom: int) -> tuple[float, float]:
    """The cells' height and width in degrees: squares on the screen, the same wherever in a country one looks."""
    area = region or Area(-90, -180, 90, 180)
    wide = 360 * CLUSTER_PX / 256 / 2**zoom
    flat = max(1, round(8 * math.cos(math.radians((area.south + area.north) / 2)))) / 8
    return max(wide * flat, (area.north - area.south) / MOST_ACROSS), max(wide, (area.east - area.west) / MOST_ACROSS)


def sightings(session: Session, wanted: PlateFilter, after: Cursor | None, limit: int) -> list[SightingCard]:
    """Those in the window, newest first: the list beside the map."""
    if not wanted.text:
        return search.sightings(session, wanted, after, limit)
    ids = plate_ids(session, wanted)[:MOST_PLATES]
    seen = SightingRow.plate_id.in_(ids), SightingRow.seen_utc.is_not(None)
    query = chosen().where(*seen, *plate_filter.conditions(wanted))
    if after is not None:
        query = query.where(before(after))
    return cards(session, query.order_by(SightingRow.seen_utc.desc(), SightingRow.sighting_id.desc()).limit(limit))


def before(after: Cursor) -> ColumnElement[bool]:
    return tuple_(SightingRow.seen_utc, SightingRow.sighting_id) < (after.when, after.key)


def lines(session: Session, wanted: PlateFilter, zoom: int) -> Lines:
    """The trips that lead through the window, each with its line at the level of this zoom."""
    level = level_at(zoom)
    query = through(session, wanted, level)
    shown = session.scalars(newest(query, MOST_ROUTES[level])).all()
    drawn = lines_of(session, shown, level)
    return Lines({trip_id: drawn[trip_id] for trip_id in shown}, counted(session, query))


def routes(session: Session, wanted: PlateFilter, level: int, limit: int) -> Routes:
    """The same trips as a list, of this level what it says of them."""
    query = through(session, wanted, level)
    columns = [getattr(TripRow, name) for name in ("trip_id", "start_utc", "end_utc", "distance_m")]
    sides = [getattr(RouteRow, name) for name in ("south", "west", "north", "east")]
    rows = session.execute(newest(query, limit).with_only_columns(*columns, *sides)).all()
    shown = [TripWay(trip_id, start, end, distance_m, Area(*box)) for trip_id, start, end, distance_m, *box in rows]
    return Routes(shown, counted(session, query))


def newest(query: Select[Any], limit: int) -> Select[Any]:
    return query.order_by(TripRow.start_utc.desc(), TripRow.trip_id.desc()).limit(limit)


def counted(session: Session, query: Select[Any]) -> int:
    return session.scalar(query.with_only_columns(func.count(), maintain_column_froms=True)) or 0


def lines_of(session: Session, trip_ids: Sequence[int], level: int) -> dict[int, str]:
    """By the trips' ids: lines are long, and what chooses trips is said by an index that has none."""
    query = select(RouteRow.trip_id, RouteRow.line).where(RouteRow.level == level, RouteRow.trip_id.in_(trip_ids))
    return {row.trip_id: row.line for row in session.execute(query)}


def reach(session: Session, wanted: PlateFilter) -> Area | None:
    """What holds the newest `MOST_ROUTES` of these days; None where there are none."""
    sides = RouteRow.south, RouteRow.west, RouteRow.north, RouteRow.east
    side = newest(through(session, wanted, 0), MOST_ROUTES[0]).with_only_columns(*sides).subquery().c
    query = select(func.min(side.south), func.min(side.west), func.max(side.north), func.max(side.east))
    south, west, north, east = session.execute(query).one()
    return None if south is None else Area(south, west, north, east)


def passing(session: Session, wanted: PlateFilter, limit: int, told: Callable[[str], str] | None = None) -> Routes:
    """The trips whose way itself, as it is ``told``, leads through the window, of the newest `MOST_COMPARED` that
    may. One that lies in it whole, of which nothing is kept back, is not unpacked: most are, where a map shows a
    town."""
    level = len(LEVELS) - 1
    found = routes(session, wanted, level, MOST_COMPARED)
    shown = found.shown
    if (area := wanted.region) is not None:
        unsure = {one.trip_id for one in shown if told or not is_within(one.box, area)}
        ways = lines_of(session, sorted(unsure), level)
        outside = {trip_id for trip_id, line in ways.items() if not leads_through(told(line) if told else line, area)}
        shown = [one for one in shown if one.trip_id not in outside]
    return Routes(shown[:limit], len(shown) + max(0, found.total - MOST_COMPARED))


def leads_through(line: str, area: Area) -> bool:
    return any(crosses(piece, area) for piece in arrays_of(line))


def is_within(inner: Area, outer: Area) -> bool:
    across = outer.west <= inner.west and inner.east <= outer.east
    return across and outer.south <= inner.south and inner.north <= outer.north


def crosses(piece: NDArray[np.float64], area: Area) -> bool:
    """Whether a stretch between two of its places has a point inside."""
    start, way = piece[:-1], np.diff(piece, axis=0)
    if not len(way):
        start, way = piece, np.zeros_like(piece)
    enter, leave = passage(start, way, np.array([area.south, area.west]), np.array([area.north, area.east]))
    return bool((enter <= leave).any())


def through(session: Session, wanted: PlateFilter, level: int) -> Select[Any]:
    """Trips with their row of this level, from the table of trips on."""
    query = select(TripRow.trip_id).join(RouteRow, RouteRow.trip_id == TripRow.trip_id).where(RouteRow.level == level)
    if wanted.since is not None:
        query = query.where(TripRow.end_utc >= wanted.since)
    if wanted.until is not None:
        query = query.where(TripRow.start_utc < wanted.until)
    if wanted.text:
        met = select(Video.trip_id).join(SightingRow, SightingRow.video_id == Video.video_id)
        ids = plate_ids(session, wanted)[:MOST_PLATES]
        sure = [SightingRow.confirmed.is_(True)] if wanted.confirmed_only else []
        query = query.where(TripRow.trip_id.in_(met.where(SightingRow.plate_id.in_(ids), *sure)))
    if (area := wanted.region) is not None:
        query = query.where(RouteRow.south <= area.north, RouteRow.north >= area.south)
        query = query.where(RouteRow.west <= area.east, RouteRow.east >= area.west)
    return query


def heat(session: Session, wanted: PlateFilter, zoom: int) -> Heat:
    """For how long the car was where in the window, over the newest trips."""
    level = level_at(zoom)
    query = through(session, wanted, level)
    total = session.scalar(query.with_only_columns(func.count(), maintain_column_froms=True)) or 0
    newest = query.order_by(TripRow.start_utc.desc()).limit(MOST_DRIVEN[level])
    packs = session.scalars(newest.with_only_columns(RouteRow.heat)).all()
    per_degree = float(LEVELS[level].cells)
    if not packs:
        return Heat(per_degree=per_degree)
    cells = inside(np.concatenate([unpacked(one) for one in packs]), wanted.region, per_degree)
    cells = summed(cells)
    while len(cells) > MOST_CELLS:
        cells = summed(np.column_stack((cells[:, :2] // 2, cells[:, 2])))
        per_degree /= 2
    found = [(row, col, seconds) for row, col, seconds in cells.tolist()]
    return Heat(found, per_degree, len(packs), total)


def inside(cells: Cells, area: Area | None, per_degree: float) -> Cells:
    if area is None:
        return cells
    rows, cols = cells[:, 0], cells[:, 1]
    south, north = math.floor((area.south + 90) * per_degree), (area.north + 90) * per_degree
    west, east = math.floor((area.west + 180) * per_degree), (area.east + 180) * per_degree
    kept: Cells = cells[(rows >= south) & (rows <= north) & (cols >= west) & (cols <= east)]
    return kept


@dataclass(frozen=True)
class Day:
    """A day's driving, to be shown again as it went."""

    trips: list[TripWay]
    pieces: list[list[Fix]]
    """Without a gap each, in order of time."""
    sightings: list[SightingCard]
    """With a place, in order of time."""


def newest_trip(session: Session, wanted: PlateFilter) -> datetime | None:
    """When the newest trip of these days began."""
    query = through(session, replace(wanted, region=None), 0).with_only_columns(func.max(TripRow.start_utc))
    return session.scalar(query)


def day(session: Session, wanted: PlateFilter) -> Day:
    """What was driven and seen from ``since`` to ``until``, thinned to about `MOST_FIXES`."""
    began = [TripRow.start_utc >= wanted.since, TripRow.start_utc < wanted.until]
    query = select(TripRow).where(*began, TripRow.box.is_not(None)).order_by(TripRow.start_utc).limit(MOST_TRIPS_A_DAY)
    trips = session.scalars(query).all()
    pieces = joined(fixes_of_each(session, [video_id for trip in trips for video_id in trip.leads]))
    every = 1 + sum(map(len, pieces)) // MOST_FIXES
    seen = chosen().where(SightingRow.lat.is_not(None), *plate_filter.conditions(replace(wanted, region=None)))
    if wanted.text:
        seen = seen.where(SightingRow.plate_id.in_(plate_ids(session, wanted)[:MOST_PLATES]))
    return Day(
        [TripWay(one.trip_id, one.start_utc, one.end_utc, one.distance_m, Area(*(one.box or ()))) for one in trips],
        [[*piece[:-1:every], piece[-1]] for piece in pieces if len(piece) > 1],
        cards(session, seen.order_by(SightingRow.seen_utc).limit(MOST_OF_A_DAY)),
    )
