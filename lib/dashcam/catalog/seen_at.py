"""Where plates were seen: as much of a sighting as a map draws, thousands at once."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, ColumnExpressionArgument, Select, select
from sqlalchemy.orm import Session

from dashcam.catalog.models import Plate, SightingRow, Video
from dashcam.gps.place import Estimate


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
    return rows(
        session, placed(SightingRow.confirmed, SightingRow.video_id == video_id), SightingRow.first_s.asc(), most
    )


def of_trip(session: Session, trip_id: int, most: int) -> list[SeenAt]:
    """The confirmed sightings of a trip that have a place, in the order of time."""
    its = placed(SightingRow.confirmed, Video.trip_id == trip_id)
    its = its.join(Video, Video.video_id == SightingRow.video_id)
    return rows(session, its, SightingRow.seen_utc.nulls_last(), most)


def of_plate(session: Session, plate_id: int, most: int, span: tuple[datetime, datetime] | None = None) -> list[SeenAt]:
    """The sightings of a plate that have a place, newest first; of a ``span`` only those from its beginning to before
    its end."""
    its = placed(SightingRow.plate_id == plate_id)
    if span is not None:
        its = its.where(SightingRow.seen_utc >= span[0], SightingRow.seen_utc < span[1])
    return rows(session, its, SightingRow.seen_utc.desc().nulls_last(), most)


def placed(*which: ColumnExpressionArgument[bool]) -> Select[Any]:
    columns = SightingRow.sighting_id, SightingRow.lat, SightingRow.lon, SightingRow.confirmed, Plate.text
    query = select(*columns, SightingRow.estimate).join(Plate, Plate.plate_id == SightingRow.plate_id)
    return query.where(*which, SightingRow.lat.is_not(None), SightingRow.lon.is_not(None))


def rows(session: Session, query: Select[Any], order: ColumnElement[Any], most: int) -> list[SeenAt]:
    found = session.execute(query.order_by(order, SightingRow.sighting_id).limit(most))
    return [
        SeenAt(number, lat, lon, sure, text, Estimate.model_validate(estimate) if estimate else None)
        for number, lat, lon, sure, text, estimate in found
    ]
