"""Plates: the distinct texts, with how often and when each was seen."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, or_, select
from sqlalchemy.orm import Session

from dashcam.catalog import plate_text
from dashcam.catalog.models import Plate, PlateNear, PlateSuffix, SightingRow
from dashcam.catalog.paging import Cursor
from dashcam.catalog.sightings import SightingCard


@dataclass(frozen=True)
class PlateCard:
    """A plate with how many sightings there are, the time of the first, and the newest."""

    plate_id: int
    text: str
    sightings: int
    first_seen: datetime | None
    last: SightingCard

    @property
    def cursor(self) -> Cursor | None:
        return Cursor(self.last.seen_utc, self.plate_id) if self.last.seen_utc else None


@dataclass(frozen=True)
class PlateSummary:
    plate_id: int
    text: str
    sightings: int
    confirmed: int
    placed: int
    """How many of the sightings have a position."""
    videos: int
    first_seen: datetime | None
    last_seen: datetime | None


def plate(session: Session, text: str) -> PlateSummary | None:
    """The plate by its text as a person would type it; None when it has never been seen."""
    query = (
        select(
            Plate.plate_id,
            Plate.text,
            func.count(),
            func.count().filter(SightingRow.confirmed),
            func.count(SightingRow.lat),
            func.count(SightingRow.video_id.distinct()),
            func.min(SightingRow.seen_utc),
            func.max(SightingRow.seen_utc),
        )
        .join(Plate.sightings)
        .where(or_(Plate.text == text, Plate.text == plate_text.normalised(text)))
        .group_by(Plate.plate_id)
        .order_by(Plate.text != text)
        .limit(1)
    )
    row = session.execute(query).first()
    return None if row is None else PlateSummary(*row)


def plate_id(session: Session, text: str) -> int:
    found = session.scalar(select(Plate.plate_id).where(Plate.text == text))
    if found is not None:
        return found
    plate = Plate(text=text)
    session.add(plate)
    session.flush()
    session.execute(
        insert(PlateSuffix),
        [{"suffix": suffix, "plate_id": plate.plate_id, "text": text} for suffix in plate_text.suffixes(text)],
    )
    session.execute(insert(PlateNear), [{"key": key, "plate_id": plate.plate_id} for key in plate_text.near_keys(text)])
    return plate.plate_id


def forget_unseen(session: Session, plate_ids: set[int]) -> None:
    seen = select(SightingRow.plate_id).where(SightingRow.plate_id == Plate.plate_id).exists()
    session.execute(delete(Plate).where(Plate.plate_id.in_(plate_ids), ~seen))
