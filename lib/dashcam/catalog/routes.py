"""Trips' ways for the map of everything: simplified once, at a few levels, so that a map of years is read as text.

`draw` makes them, newest first, for each trip that has none; `forget` is for a trip that goes another way now.
"""

import base64
import json
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, Select, delete, exists, func, select
from sqlalchemy.orm import Session

from dashcam.catalog.models import RouteRow, TripRow
from dashcam.catalog.places import fixes_of_each
from dashcam.database import reading, writing
from dashcam.gps.simplify import Places, simplified
from dashcam.records import Fix


class Level(NamedTuple):
    zoom: int
    """The map's, up to which it is drawn at this level."""
    tolerance_m: float
    cells: int
    """Of the heat, per degree."""


LEVELS = (Level(9, 400.0, 20), Level(12, 50.0, 200), Level(99, 6.0, 1000))
GAP_S = 10.0
"""Fixes further apart are not joined by a line: nobody knows the way between them."""
VISIT_S = 60.0
"""So long at most counts one stay in a cell of the finest level: a parked car is no road that is driven much."""
UNITS = 100_000
"""Of a line's numbers, per degree."""
Ends = tuple[tuple[float, float], tuple[float, float]]
Cells = NDArray[np.int32]
"""A row each: the cell's row and column from the south pole and the date line, and seconds."""


def level_at(zoom: int) -> int:
    return next(number for number, level in enumerate(LEVELS) if zoom <= level.zoom)


def draw(engine: Engine, go_on: Callable[[], bool] = lambda: True) -> int:
    """Draw every trip that is not drawn; how many that were. Each in one short write transaction."""
    done = 0
    while go_on():
        with reading(engine) as session:
            trip = session.scalars(undrawn().order_by(TripRow.start_utc.desc()).limit(1)).first()
            if trip is None:
                break
            trip_id, leads = trip.trip_id, list(trip.leads)
            rows = rows_of(fixes_of_each(session, leads))
        with writing(engine) as session:
            now = session.get(TripRow, trip_id)
            if now is None or list(now.leads) != leads:
                continue
            forget(session, trip_id)
            session.add_all(RouteRow(trip_id=trip_id, level=number, **row) for number, row in enumerate(rows))
        done += 1
    return done


def undrawn() -> Select[tuple[TripRow]]:
    return select(TripRow).where(TripRow.box.is_not(None), ~exists().where(RouteRow.trip_id == TripRow.trip_id))


def to_draw(session: Session) -> int:
    """How many trips are still to be drawn."""
    return session.scalar(select(func.count()).select_from(undrawn().subquery())) or 0


def forget(session: Session, trip_id: int) -> None:
    session.execute(delete(RouteRow).where(RouteRow.trip_id == trip_id))


def rows_of(clips: Sequence[Sequence[Fix]]) -> list[dict[str, object]]:
    """The columns of a trip's rows, a dictionary for each level, from the fixes of its clips."""
    pieces = [[(fix.lat, fix.lon) for fix in piece] for piece in joined(clips)]
    lats, lons = zip(*(place for piece in pieces for place in piece), strict=True) if pieces else ((0.0,), (0.0,))
    box = {"south": min(lats), "west": min(lons), "north": max(lats), "east": max(lons)}
    heat = stays(clips)
    return [
        box
        | {
            "line": line_of([[piece[at] for at in simplified(piece, level.tolerance_m)] for piece in pieces]),
            "heat": packed(coarser(heat, LEVELS[-1].cells // level.cells)),
        }
        for level in LEVELS
    ]


def joined(clips: Iterable[Sequence[Fix]]) -> list[list[Fix]]:
    """The trip's fixes in pieces without a gap; one clip goes on where the one before has ended."""
    fixes = sorted((fix for clip in clips for fix in clip), key=lambda fix: fix.utc)
    pieces = [fixes[:1]] if fixes else []
    for here, there in pairwise(fixes):
        if (there.utc - here.utc).total_seconds() > GAP_S:
            pieces.append([])
        pieces[-1].append(there)
    return pieces


def line_of(pieces: Iterable[Places]) -> str:
    told = []
    for piece in pieces:
        whole = np.rint(np.asarray(piece) * UNITS).astype(np.int64)
        told.append(np.vstack((whole[:1], np.diff(whole, axis=0))).ravel().tolist())
    return json.dumps(told, separators=(",", ":"))


def places_of(line: str) -> list[Places]:
    """What `line_of` was given."""
    return [[(lat, lon) for lat, lon in piece.tolist()] for piece in arrays_of(line)]


def arrays_of(line: str) -> list[NDArray[np.float64]]:
    """The same, each piece of shape (places, 2)."""
    return [np.cumsum(np.asarray(told).reshape(-1, 2), axis=0) / UNITS for told in json.loads(line)]


def ends(session: Session, trip_ids: Iterable[int]) -> dict[int, Ends]:
    """Where these trips began and ended, as far as they are drawn: of the coarsest line, which keeps both."""
    query = select(RouteRow.trip_id, RouteRow.line).where(RouteRow.trip_id.in_(set(trip_ids)), RouteRow.level == 0)
    pieces = {trip_id: [told for told in json.loads(line) if told] for trip_id, line in session.execute(query)}
    return {trip_id: (place(way[0][:2]), place(way[-1])) for trip_id, way in pieces.items() if way}


def place(told: Sequence[int]) -> tuple[float, float]:
    """Where a piece of a line leads, or the beginning of one: each of its points is told from the one before."""
    return sum(told[0::2]) / UNITS, sum(told[1::2]) / UNITS


def stays(clips: Iterable[Sequence[Fix]]) -> Cells:
    """For how long the car was in which of the finest cells; each stay counts `VISIT_S` at most."""
    seconds: dict[tuple[int, int], float] = {}
    for piece in joined(clips):
        cell, stay = (0, 0), 0.0
        for here, there in pairwise(piece):
            now = (int((here.lat + 90) * LEVELS[-1].cells), int((here.lon + 180) * LEVELS[-1].cells))
            if now != cell:
                cell, stay = now, 0.0
            more = min((there.utc - here.utc).total_seconds(), VISIT_S - stay)
            stay += more
            seconds[cell] = seconds.get(cell, 0.0) + more
    return np.array([(*cell, round(s)) for cell, s in seconds.items() if s >= 0.5], np.int32).reshape(-1, 3)


def coarser(cells: Cells, times: int) -> Cells:
    """The same seconds in cells so many times as large."""
    return summed(np.column_stack((cells[:, :2] // times, cells[:, 2])))


def summed(cells: Cells) -> Cells:
    """Each cell once."""
    keys = cells[:, 0].astype(np.int64) << 32 | cells[:, 1]
    found, number = np.unique(keys, return_inverse=True)
    seconds = np.bincount(number.ravel(), weights=cells[:, 2], minlength=len(found))
    return np.column_stack((found >> 32, found & 0xFFFFFFFF, np.rint(seconds))).astype(np.int32)


def packed(cells: Cells) -> str:
    return base64.b64encode(cells.astype("<i4").tobytes()).decode("ascii")


def unpacked(heat: str) -> Cells:
    return np.frombuffer(base64.b64decode(heat), "<i4").reshape(-1, 3)
