"""The home zones that people have drawn, and where one may be: where most trips begin and end."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from dashcam.catalog import routes
from dashcam.catalog.models import TripRow
from dashcam.catalog.routes import Ends
from dashcam.catalog.site_rows import HomeZone
from dashcam.config.privacy import Zone
from dashcam.gps.plane import Plane, distance_m

NEWEST = 500
"""Trips that are looked at."""
NEAR_M = 250.0
"""Who parks somewhere else in the same street comes to the same place."""
CELLS = 500
"""To a degree: about as large as what is near."""
LEAST = 3
"""Trips, before a place is said to be come to often."""


class OftenHere(NamedTuple):
    lat: float
    lon: float
    trips: int
    """That begin or end there."""


def drawn(session: Session) -> list[Zone]:
    rows = session.scalars(select(HomeZone).order_by(HomeZone.lat, HomeZone.lon))
    return [Zone(lat=row.lat, lon=row.lon, radius_m=row.radius_m) for row in rows]


def draw(session: Session, zone: Zone) -> None:
    """One with the same middle gets its size."""
    session.merge(HomeZone(lat=zone.lat, lon=zone.lon, radius_m=zone.radius_m))


def rub_out(session: Session, lat: float, lon: float) -> bool:
    """Whether one was drawn with this middle."""
    row = session.get(HomeZone, (lat, lon))
    if row is not None:
        session.delete(row)
    return row is not None


def trip_ends(session: Session) -> list[Ends]:
    """Where the newest trips began and ended, as far as they are drawn."""
    newest = session.scalars(select(TripRow.trip_id).order_by(TripRow.start_utc.desc()).limit(NEWEST))
    return list(routes.ends(session, newest).values())


def often(trips: Iterable[Ends], most: int = 3) -> list[OftenHere]:
    """The places where most of these trips begin or end, the most frequent first, none near another."""
    left = [(number, end) for number, ends in enumerate(trips) for end in ends]
    found: list[OftenHere] = []
    while left and len(found) < most:
        middle = middle_of_the_fullest([end for _, end in left])
        here = {number for number, end in left if distance_m(middle, end) <= NEAR_M}
        if len(here) < LEAST:
            break
        found.append(OftenHere(*middle, len(here)))
        left = [(number, end) for number, end in left if distance_m(middle, end) > NEAR_M]
    return found


def middle_of_the_fullest(ends: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Of what lies near the fullest cell, which may be cut by a cell's edge."""
    (row, col), _ = Counter((round(lat * CELLS), round(lon * CELLS)) for lat, lon in ends).most_common(1)[0]
    plane = Plane(row / CELLS, col / CELLS)
    near = [plane.to_metres(*end) for end in ends if distance_m((plane.lat, plane.lon), end) <= NEAR_M]
    east, north = (sum(metres) / len(near) for metres in zip(*near, strict=True))
    return plane.to_degrees(east, north)
