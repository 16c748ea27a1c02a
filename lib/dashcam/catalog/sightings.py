"""Sightings: a plate in one stretch of one clip, by plate, by clip and by trip."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from dashcam.catalog.models import Plate, SightingRow, Video
from dashcam.catalog.paging import Cursor
from dashcam.gps.place import Estimate


@dataclass(frozen=True)
class SightingCard:
    sighting_id: int
    text: str
    confidence: float
    confirmed: bool
    video_id: str
    video_name: str
    camera: str | None
    first_s: float
    last_s: float
    best_s: float
    crop: str
    frame: str
    seen_utc: datetime | None
    lat: float | None
    lon: float | None
    speed_mps: float | None
    heading_deg: float | None
    estimate: Estimate | None = None
    """Where the other car may have been."""

    @property
    def cursor(self) -> Cursor | None:
        return Cursor(self.seen_utc, self.sighting_id) if self.seen_utc else None


@dataclass(frozen=True)
class FollowedSighting(SightingCard):
    """A sighting with where its plate was in the picture: ``(t_s, x0, y0, x1, y1)`` per read, source pixels."""

    boxes: list[tuple[float, float, float, float, float]] = field(default_factory=list)


def of_plate(
    session: Session, plate_id: int, after: Cursor | None = None, limit: int = 60, placed: bool = False
) -> Sequence[SightingCard]:
    """One plate's sightings, newest first; ``placed`` only those with a position."""
    query = card_columns().where(SightingRow.plate_id == plate_id)
    if placed:
        query = query.where(SightingRow.lat.is_not(None))
    if after is not None:
        query = query.where(tuple_(SightingRow.seen_utc, SightingRow.sighting_id) < (after.when, after.key))
    query = query.order_by(SightingRow.seen_utc.desc(), SightingRow.sighting_id.desc()).limit(limit)
    return [card_of(row) for row in session.execute(query)]


def of_video(session: Session, video_id: str, confirmed_only: bool = True) -> Sequence[SightingCard]:
    """One video's sightings in the order of its time."""
    wanted = [SightingRow.confirmed] if confirmed_only else []
    query = card_columns().where(SightingRow.video_id == video_id, *wanted).order_by(SightingRow.first_s)
    return [card_of(row) for row in session.execute(query)]


def of_trip(session: Session, trip_id: int, limit: int) -> Sequence[SightingCard]:
    """One trip's confirmed sightings in order of time."""
    query = card_columns().where(Video.trip_id == trip_id, SightingRow.confirmed)
    query = query.order_by(SightingRow.seen_utc, SightingRow.sighting_id).limit(limit)
    return [card_of(row) for row in session.execute(query)]


def followed(*columns: Any) -> FollowedSighting:
    *card, box, reads = columns
    one = card_of(card)
    boxes = {float(read["t_s"]): read["box"] for read in reads} | {one.best_s: box}
    return FollowedSighting(**vars(one), boxes=[(t_s, *boxes[t_s]) for t_s in sorted(boxes)])


def card_of(columns: Sequence[Any]) -> SightingCard:
    card = [*columns]
    card[-1] = Estimate.model_validate(card[-1]) if card[-1] else None
    return SightingCard(*card)


def card_columns() -> Select[Any]:
    """The fields of `SightingCard` in their order, without the reads, which weigh a hundred times as much."""
    columns: list[ColumnElement[Any] | InstrumentedAttribute[Any]] = [
        SightingRow.sighting_id,
        Plate.text,
        SightingRow.confidence,
        SightingRow.confirmed,
        SightingRow.video_id,
        Video.name,
        Video.camera,
        SightingRow.first_s,
        SightingRow.last_s,
        SightingRow.best_s,
        SightingRow.crop,
        SightingRow.frame,
        SightingRow.seen_utc,
        SightingRow.lat,
        SightingRow.lon,
        SightingRow.speed_mps,
        SightingRow.heading_deg,
        SightingRow.estimate,
    ]
    return (
        select(*columns)
        .join(Plate, Plate.plate_id == SightingRow.plate_id)
        .join(Video, Video.video_id == SightingRow.video_id)
    )
