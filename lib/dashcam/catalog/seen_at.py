"""Where plates were seen: as much of a sighting as a map draws, thousands at once."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnExpressionArgument, Select, select
from sqlalchemy.orm import Session

from dashcam.catalog.models import Plate, SightingRow, Video
from dashcam.gps.place import Estimate

ESTIMATES = 300
"""Of a plate's sightings. On more of them at once nobody sees one ellipse for the others."""


class SeenAt(NamedTuple):
    sighting_id: int
    lat: float
    lon: float
    confirmed: bool
    text: str
    estimate: Estimate | None
    """Where the other car may have been."""


def of_video(session: Session, video_id: str, most: int) -> list[SeenAt]:
    """The confirmed sightings of a clip that have a place, in the order of its time."""
    its = placed(SightingRow.confirmed, SightingRow.video_id == video_id)
    return rows(session, its.order_by(SightingRow.first_s.asc()), most, most)


def of_trip(session: Session, trip_id: int, most: int) -> list[SeenAt]:
    """The confirmed sightings of a trip that have a place, in the order of time."""
    its = placed(SightingRow.confirmed, Video.trip_id == trip_id)
    its = its.join(Video, Video.video_id == SightingRow.video_id)
    return rows(session, its.order_by(SightingRow.seen_utc.nulls_last()), most, most)


def of_plate(session: Session, plate_id: int, most: int, span: tuple[datetime, datetime] | None = None) -> list[SeenAt]:
    """The sightings of a plate that have a place, newest first; of a ``span`` only those from its beginning to before
    its end. Of the newest `ESTIMATES` it is told where the other car may have been."""
    its = placed(SightingRow.plate_id == plate_id)
    if span is not None:
        its = its.where(SightingRow.seen_utc >= span[0], SightingRow.seen_utc < span[1])
    return rows(session, its.order_by(SightingRow.seen_utc.desc().nulls_last()), most, ESTIMATES)


def placed(*which: ColumnExpressionArgument[bool]) -> Select[Any]:
    columns = SightingRow.sighting_id, SightingRow.lat, SightingRow.lon, SightingRow.confirmed, Plate.text
    query = select(*columns).join(Plate, Plate.plate_id == SightingRow.plate_id)
    return query.where(*which, SightingRow.lat.is_not(None), SightingRow.lon.is_not(None))


def rows(session: Session, query: Select[Any], most: int, estimates: int) -> list[SeenAt]:
    """Those with an estimate are read from the table itself, page by page, the others from its indexes alone."""
    found = session.execute(query.order_by(SightingRow.sighting_id).limit(most)).all()
    first = SightingRow.sighting_id.in_([one.sighting_id for one in found[:estimates]])
    told = session.execute(select(SightingRow.sighting_id, SightingRow.estimate).where(first))
    known = {number: Estimate.model_validate(estimate) for number, estimate in told if estimate}
    return [SeenAt(number, lat, lon, confirmed, text, known.get(number)) for number, lat, lon, confirmed, text in found]
