"""Plates: the distinct texts, with how often and when each was seen."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, or_, select
from sqlalchemy.orm import Session

from dashcam.catalog import plate_text
from dashcam.catalog.models import Plate, PlateNear, PlateSuffix, SightingRow
from dashcam.catalog.paging import Cursor
from dashcam.catalog.sightings import SightingCard
from dashcam.database import insert as upsert


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
    return plate_ids(session, [text])[text]


def plate_ids(session: Session, texts: Iterable[str]) -> dict[str, int]:
    """The number of each plate; those that have never been seen are added, also beside somebody who adds them too."""
    wanted = sorted(set(texts))  # two who write the same plates in one order never wait for each other in a circle
    query = select(Plate.text, Plate.plate_id)
    known = dict(session.execute(query.where(Plate.text.in_(wanted))).tuples().all())
    if new := [{"text": text} for text in wanted if text not in known]:
        once = upsert(session, Plate.__table__).on_conflict_do_nothing(index_elements=["text"])
        added = session.execute(once.returning(Plate.text, Plate.plate_id), new).tuples().all()
        known |= dict(added)
        ends = [{"suffix": end, "plate_id": number, "text": text} for text, number in added
                for end in plate_text.suffixes(text)]  # fmt: skip
        near = [{"key": key, "plate_id": number} for text, number in added for key in plate_text.near_keys(text)]
        for kind, rows in ((PlateSuffix, ends), (PlateNear, near)):
            if rows:
                session.connection().execute(insert(kind), rows)
        if others := [text for text in wanted if text not in known]:
            known |= dict(session.execute(query.where(Plate.text.in_(others))).tuples().all())
    return known


def forget_unseen(session: Session, plate_ids: set[int]) -> None:
    seen = select(SightingRow.plate_id).where(SightingRow.plate_id == Plate.plate_id).exists()
    session.execute(delete(Plate).where(Plate.plate_id.in_(plate_ids), ~seen))
