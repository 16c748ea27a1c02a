"""Sightings: a plate in one stretch of one clip, by plate, by clip and by trip. They have one shape, `SightingCard`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, select, tuple_
from sqlalchemy.orm import Session

from dashcam.catalog.models import GUESSED, Plate, SightingRow, Video
from dashcam.catalog.paging import Cursor
from dashcam.gps.place import Estimate
from dashcam.gps.track import Quality
from dashcam.records import Box

ReadBox = tuple[float, float, float, float, float]
"""``(t_s, x0, y0, x1, y1)`` in pixels of the source video."""
READ_IN = select(SightingRow.frame, SightingRow.confidence, SightingRow.box).where(
    SightingRow.video_id == bindparam("video_id"), SightingRow.confirmed
)


@dataclass(frozen=True)
class SightingCard:
    sighting_id: int
    plate_id: int = field(compare=False)
    """A plate that is merged and split again has another."""
    text: str
    confidence: float
    confirmed: bool
    video_id: str
    video_name: str
    camera: str | None
    media: str | None
    """``store:path`` of the folder that ``crop`` and ``frame`` lie in."""
    first_s: float
    last_s: float
    best_s: float
    box: Box
    """At ``best_s``."""
    crop: str
    frame: str
    seen_utc: datetime | None
    guessed: bool
    """Of its clip nothing but the file's own date says when it began."""
    lat: float | None
    lon: float | None
    """Where our own car was, as are speed, heading and accuracy."""
    speed_mps: float | None
    heading_deg: float | None
    accuracy_m: float | None
    place_quality: Quality | None
    estimate: Estimate | None
    """Where the other car may have been."""
    reads: Sequence[ReadBox] = field(default=())
    """Where the plate was in the picture at each read. Empty unless asked for: the row's reads weigh a hundred times
    as much as all the rest."""

    @property
    def cursor(self) -> Cursor | None:
        return Cursor(self.seen_utc, self.sighting_id) if self.seen_utc else None

    def followed(self) -> list[ReadBox]:
        """The boxes in order of time, the best one among them."""
        boxes = {t_s: (x0, y0, x1, y1) for t_s, x0, y0, x1, y1 in self.reads} | {self.best_s: self.box}
        return [(t_s, *boxes[t_s]) for t_s in sorted(boxes)]


COLUMNS = (
    SightingRow.sighting_id,
    SightingRow.plate_id,
    Plate.text,
    SightingRow.confidence,
    SightingRow.confirmed,
    SightingRow.video_id,
    Video.name.label("video_name"),
    Video.camera,
    Video.media,
    SightingRow.first_s,
    SightingRow.last_s,
    SightingRow.best_s,
    SightingRow.box,
    SightingRow.crop,
    SightingRow.frame,
    SightingRow.seen_utc,
    func.coalesce(GUESSED, False).label("guessed"),
    SightingRow.lat,
    SightingRow.lon,
    SightingRow.speed_mps,
    SightingRow.heading_deg,
    SightingRow.accuracy_m,
    SightingRow.place_quality,
    SightingRow.estimate,
)


def chosen(reads: bool = False) -> Select[Any]:
    """The columns of a `SightingCard`, for `cards`."""
    return (
        select(*COLUMNS, *([SightingRow.reads] if reads else []))
        .join(Plate, Plate.plate_id == SightingRow.plate_id)
        .join(Video, Video.video_id == SightingRow.video_id)
    )


def cards(session: Session, query: Select[Any]) -> list[SightingCard]:
    return [card_of(**row) for row in session.execute(query).mappings()]


def card_of(box: Sequence[float], estimate: Any, reads: Sequence[dict[str, Any]] = (), **rest: Any) -> SightingCard:
    x0, y0, x1, y1 = box
    return SightingCard(
        **rest,
        box=(x0, y0, x1, y1),
        estimate=Estimate.model_validate(estimate) if estimate else None,
        reads=[(float(read["t_s"]), *read["box"]) for read in reads],
    )


def of_plate(
    session: Session,
    plate_id: int,
    after: Cursor | None = None,
    limit: int = 60,
    placed: bool = False,
    reads: bool = False,
    span: tuple[datetime, datetime] | None = None,
    skip: int = 0,
) -> list[SightingCard]:
    """One plate's sightings, newest first, those without a time last; ``placed`` only those with a position, of a
    ``span`` only those from its beginning to before its end."""
    query = chosen(reads).where(SightingRow.plate_id == plate_id)
    if span is not None:
        query = query.where(SightingRow.seen_utc >= span[0], SightingRow.seen_utc < span[1])
    if placed:
        query = query.where(SightingRow.lat.is_not(None))
    if after is not None:
        query = query.where(tuple_(SightingRow.seen_utc, SightingRow.sighting_id) < (after.when, after.key))
    newest_first = SightingRow.seen_utc.desc().nulls_last(), SightingRow.sighting_id.desc()
    return cards(session, query.order_by(*newest_first).limit(limit).offset(skip))


def times_of_plate(session: Session, plate_id: int, span: tuple[datetime, datetime]) -> list[datetime]:
    """When it was seen from the beginning of the ``span`` to before its end: of the index alone, whatever the rows
    weigh."""
    its = SightingRow.plate_id == plate_id, SightingRow.seen_utc >= span[0], SightingRow.seen_utc < span[1]
    return [when for when in session.scalars(select(SightingRow.seen_utc).where(*its)) if when is not None]


def last_of_plate(session: Session, plate_id: int, before: datetime) -> datetime | None:
    """When it was seen last before then."""
    its = SightingRow.plate_id == plate_id, SightingRow.seen_utc < before
    return session.scalar(select(func.max(SightingRow.seen_utc)).where(*its))


def of_video(session: Session, video_id: str, reads: bool = False) -> list[SightingCard]:
    """One video's sightings in the order of its time."""
    query = chosen(reads).where(SightingRow.video_id == video_id)
    return cards(session, query.order_by(SightingRow.first_s, SightingRow.sighting_id))


def one(session: Session, sighting_id: int) -> SightingCard | None:
    found = cards(session, chosen().where(SightingRow.sighting_id == sighting_id))
    return found[0] if found else None


def best_frame(session: Session, video_id: str) -> str | None:
    """The frame of the plate that was read best: of those that are as sure, to a percent, the largest in the picture;
    None without a confirmed one."""
    read = session.execute(READ_IN, {"video_id": video_id}).tuples()
    best = max(read, key=lambda one: (round(one[1], 2), one[2][3] - one[2][1]), default=None)
    return best and best[0]
