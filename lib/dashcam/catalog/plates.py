"""Plates: the distinct texts, with how often and when each was seen."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from dashcam.catalog import plate_facts, plate_text
from dashcam.catalog.likeness import Match
from dashcam.catalog.models import Plate, PlateNear, PlateSuffix, SightingRow
from dashcam.catalog.paging import Cursor
from dashcam.catalog.plate_words import PlateMerge
from dashcam.catalog.sightings import SightingCard
from dashcam.database import insert as upsert
from dashcam.records import HIDDEN


@dataclass(frozen=True)
class PlateCard:
    """A plate with how many sightings there are, the time of the first, and the newest."""

    plate_id: int
    text: str
    sightings: int
    first_seen: datetime | None
    last: SightingCard
    match: Match | None = None
    """With what was looked for, where misreadings were looked for too."""
    merged: tuple[str, ...] = ()
    """What was looked for is these texts, which a person has merged into the plate."""

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


def roots(session: Session, texts: Iterable[str]) -> dict[str, str]:
    """Each text with the plate that it is shown as: itself, where nobody has merged it."""
    wanted = set(texts)
    into: dict[str, str] = {}
    new = wanted
    while new:
        some = select(PlateMerge.text, PlateMerge.into).where(PlateMerge.text.in_(new))
        steps = dict(session.execute(some).tuples().all())
        into |= steps
        new = set(steps.values()) - into.keys()
    return {text: end_of(text, into) for text in wanted}


def end_of(text: str, into: dict[str, str]) -> str:
    passed = set()
    while text in into and text not in passed:
        passed.add(text)
        text = into[text]
    return text


def root(session: Session, text: str) -> str:
    return roots(session, [text])[text]


def shown_as(session: Session, text: str) -> str:
    """The plate that a text as a person would type it is shown as."""
    return text if text.startswith(HIDDEN) else root(session, plate_text.normalised(text))


def merged_into(session: Session, text: str) -> list[str]:
    """The texts that are shown as this plate, through others too, in the order of the alphabet."""
    found: set[str] = set()
    new = {text}
    while new:
        new = set(session.scalars(select(PlateMerge.text).where(PlateMerge.into.in_(new)))) - found
        found |= new
    return sorted(found)


def plate(session: Session, text: str) -> PlateSummary | None:
    """The plate by its text as a person would type it, or the one that this is merged into; None when it has never been
    seen."""
    typed, shown = plate_text.normalised(text), shown_as(session, text)
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
        .where(Plate.text.in_({text, typed, shown}))
        .group_by(Plate.plate_id)
        .order_by(Plate.text != text, Plate.text != typed)
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


def plates_in(session: Session, video_id: str) -> set[int]:
    """The numbers of the plates that were seen in the clip."""
    return set(session.scalars(select(SightingRow.plate_id).where(SightingRow.video_id == video_id)))


def forget_unseen(session: Session, plate_ids: set[int]) -> None:
    """Sightings of these plates have come, gone or changed: those without any go, of the others the facts are put down
    anew."""
    seen = select(SightingRow.plate_id).where(SightingRow.plate_id == Plate.plate_id).exists()
    session.execute(delete(Plate).where(Plate.plate_id.in_(plate_ids), ~seen))
    plate_facts.refresh(session, plate_ids)
