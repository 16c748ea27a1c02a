"""How a plate of the catalogue was met: its sightings, beside what other plates did at those places and hours.

It costs the same however much the catalogue holds: the newest sightings of the plate, and for each trip that counts a
few minutes of the index of times.
"""

from datetime import datetime, timedelta, tzinfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from dashcam.catalog import encounters
from dashcam.catalog.encounters import MOST_OTHERS, Along, Glimpse, Met, Others
from dashcam.catalog.models import SightingRow, TripRow, Video

MOST = 300
"""Of the plate's sightings, the newest."""
MOST_TRIPS = 200
"""More trips in between leave nothing of any score."""
AROUND = timedelta(minutes=3)
"""A clip's length: a car that stays is one sighting in each."""
NEAR = timedelta(seconds=30)
LOOKED_S = 4.0
"""Who is seen for so long goes our way; who comes towards us, or stands, is gone sooner."""
NEWEST = (
    select(SightingRow.seen_utc, SightingRow.lat, SightingRow.lon, Video.trip_id, Video.camera)
    .join(Video, Video.video_id == SightingRow.video_id)
    .where(SightingRow.plate_id == bindparam("plate_id"), SightingRow.confirmed, Video.trip_id.is_not(None))
    .where(SightingRow.seen_utc.is_not(None))
    .order_by(SightingRow.seen_utc.desc())
    .limit(MOST + 1)
)
"""What is asked of each plate, and dozens of times of what is around it, is put together once."""
DURING = SightingRow.seen_utc.between(bindparam("start"), bindparam("end")), SightingRow.confirmed
AROUND_IT = (
    select(SightingRow.plate_id)
    .where(*DURING, SightingRow.plate_id != bindparam("plate_id"))
    .order_by(SightingRow.seen_utc)
    .limit(4 * MOST_OTHERS)
)
OUR_WAY = AROUND_IT.where(SightingRow.last_s - SightingRow.first_s >= LOOKED_S)
THEN_TOO = select(func.count(SightingRow.plate_id.distinct())).where(
    SightingRow.plate_id.in_(bindparam("plates", expanding=True)), *DURING
)
TRIP = select(TripRow.start_utc, TripRow.end_utc).where(TripRow.trip_id == bindparam("trip_id"))


def met(session: Session, plate_id: int, zone: tzinfo | None = None, until: datetime | None = None) -> Met:
    """By what was seen until then; days are those of the zone, by default this machine's."""
    seen = glimpses(session, plate_id, zone, until)
    return encounters.met(seen[:MOST], OtherPlates(session, plate_id, Trips()), len(seen) > MOST)


def briefly(session: Session, plate_id: int, zone: tzinfo | None = None, trips: "Trips | None" = None) -> Met:
    """`encounters.briefly`; who asks of many plates gives the same ``trips`` each time."""
    seen = glimpses(session, plate_id, zone)
    others = OtherPlates(session, plate_id, trips or Trips())
    return encounters.briefly(seen[:MOST], others, len(seen) > MOST)


def glimpses(session: Session, plate_id: int, zone: tzinfo | None, until: datetime | None = None) -> list[Glimpse]:
    """Newest first; one more than `MOST` where there are more."""
    query = NEWEST if until is None else NEWEST.where(SightingRow.seen_utc <= until)
    rows = session.execute(query, {"plate_id": plate_id}).all()
    return [
        Glimpse(at.astimezone(zone), None if lat is None else (lat, lon), trip_id, camera == "rear")
        for at, lat, lon, trip_id, camera in rows
    ]


class Trips:
    """When trips began and ended, looked up at the first question."""

    def __init__(self) -> None:
        self.times: NDArray[np.float64] | None = None

    def between(self, session: Session, end: datetime, start: datetime) -> int:
        """How many lie between the two moments."""
        times = self.times
        if times is None:
            rows = session.execute(select(TripRow.start_utc, TripRow.end_utc))
            told = [(begin.timestamp(), over.timestamp()) for begin, over in rows]
            times = self.times = np.array(told, np.float64).reshape(-1, 2)
        return int(np.count_nonzero((times[:, 0] > end.timestamp()) & (times[:, 1] < start.timestamp())))


class OtherPlates:
    """What the catalogue's other plates did."""

    def __init__(self, session: Session, plate_id: int, trips: Trips) -> None:
        self.session, self.plate_id, self.trips = session, plate_id, trips

    def stayed(self, one: Along) -> Others:
        here = self._seen(OUR_WAY, one.start - AROUND, one.start + NEAR)
        return Others(self._of_them(here, one.end - NEAR, one.end + AROUND), len(here))

    def met_again(self, before: Along, now: Along) -> Others:
        here = self._seen(AROUND_IT, before.start - AROUND, before.end + AROUND)
        trip = self.session.execute(TRIP, {"trip_id": now.trip_id}).first()
        start, end = trip or (now.start, now.end)
        return Others(self._of_them(here, start, end), len(here))

    def trips_between(self, before: Along, now: Along) -> int:
        return min(MOST_TRIPS, self.trips.between(self.session, before.end, now.start))

    def _seen(self, query: Select[tuple[int]], start: datetime, end: datetime) -> list[int]:
        """Other plates, those nearest the beginning first."""
        asked = {"plate_id": self.plate_id, "start": start, "end": end}
        return list(dict.fromkeys(self.session.scalars(query, asked)))[:MOST_OTHERS]

    def _of_them(self, plates: list[int], start: datetime, end: datetime) -> int:
        asked = {"plates": plates, "start": start, "end": end}
        return (self.session.scalar(THEN_TOO, asked) or 0) if plates else 0
