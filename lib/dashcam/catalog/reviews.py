"""What each person has looked at: marks of their own, which nobody else sees and any of which can be taken back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import AliasedClass

from dashcam.catalog.models import SightingRow, Video
from dashcam.catalog.review_rows import Review, Visit
from dashcam.database import insert
from dashcam.storage import layout

OWNER = 0
"""Who looks where nobody logs in."""
ONE_VISIT = timedelta(minutes=30)
"""Whoever comes back sooner is still there."""
SAME_MS = 1500
"""A clip that is processed again has its plates at about the same time."""
MarkKind = Literal["plate", "moment"]


@dataclass(frozen=True)
class Mark:
    video_id: str
    kind: MarkKind
    at_s: float

    @property
    def at_ms(self) -> int:
        return round(self.at_s * 1000)


def visit(session: Session, account_id: int, now: datetime) -> datetime | None:
    """Note that the person is there; the end of their visit before this one, None at the first."""
    row = session.get(Visit, account_id)
    if row is None:
        new = insert(session, Visit).values(account_id=account_id, seen_at=now, since=None)
        session.execute(new.on_conflict_do_nothing(index_elements=["account_id"]))
        return None
    if now - row.seen_at > ONE_VISIT:
        row.since = row.seen_at
    row.seen_at = max(row.seen_at, now)
    return row.since


def mark(session: Session, account_id: int, marks: Iterable[Mark], now: datetime) -> None:
    """Marks of clips that are there no more are left out."""
    wanted = list(marks)
    known = set(session.scalars(select(Video.video_id).where(Video.video_id.in_({one.video_id for one in wanted}))))
    rows = [
        {"account_id": account_id, "video_id": one.video_id, "kind": one.kind, "at_ms": one.at_ms, "at": now}
        for one in wanted
        if one.video_id in known
    ]
    if rows:
        session.execute(insert(session, Review).on_conflict_do_nothing(), rows)


def mark_clips(session: Session, account_id: int, now: datetime, *which: ColumnElement[bool]) -> None:
    """All that is in these clips, as far as they are through."""
    new = select(Video.video_id).where(is_through(), ~is_reviewed(account_id), *which)
    rows = [{"account_id": account_id, "video_id": video_id, "kind": "clip", "at_ms": 0, "at": now}
            for video_id in session.scalars(new)]  # fmt: skip
    if rows:
        session.execute(insert(session, Review).on_conflict_do_nothing(), rows)


def mark_trip(session: Session, account_id: int, trip_id: int, now: datetime) -> None:
    """All that is in the trip by now; what comes later stands for itself."""
    mark_clips(session, account_id, now, Video.trip_id == trip_id)


def undo(session: Session, account_id: int) -> int:
    """Take back what the person has marked last; how many marks that were."""
    last = session.scalar(select(func.max(Review.at)).where(Review.account_id == account_id))
    gone = delete(Review).where(Review.account_id == account_id, Review.at == last).returning(Review.at_ms)
    return len(session.scalars(gone).all())


def is_through() -> ColumnElement[bool]:
    """Of a video: whether there is something to look at. While it is read again that is what its archive shows."""
    return or_(Video.outcome.is_not(None), Video.media.startswith(f"{layout.SHED}:"))


def is_reviewed(account_id: int) -> ColumnElement[bool]:
    """Of a video: whether the person has looked at all of it."""
    its = Review.account_id == account_id, Review.video_id == Video.video_id, Review.kind == "clip"
    return exists().where(*its).correlate(Video)


def has_seen(account_id: int, of: type[SightingRow] | AliasedClass[SightingRow] = SightingRow) -> ColumnElement[bool]:
    """Of a sighting: whether the person has looked at it, or at all of its clip."""
    at_ms = of.best_s * 1000
    this = and_(Review.kind == "plate", Review.at_ms.between(at_ms - SAME_MS, at_ms + SAME_MS))
    its = Review.account_id == account_id, Review.video_id == of.video_id, or_(Review.kind == "clip", this)
    return exists().where(*its)


def clips(session: Session, account_id: int, reviewed: bool, most: int) -> Sequence[str] | None:
    """The clips with a mark of the person's, or those not all looked at; None of more than so many."""
    marked = select(Review.video_id).where(Review.account_id == account_id).distinct()
    which = marked if reviewed else select(Video.video_id).where(~is_reviewed(account_id))
    found = session.scalars(which.limit(most + 1)).all()
    return found if len(found) <= most else None


def newest(session: Session, account_id: int, reviewed: bool) -> datetime | None:
    """When the newest of these clips began."""
    marked = exists().where(Review.account_id == account_id, Review.video_id == Video.video_id).correlate(Video)
    when = func.coalesce(Video.start_utc, Video.created_at)
    which = marked if reviewed else ~is_reviewed(account_id)
    return session.scalar(select(when).where(which).order_by(when.desc(), Video.video_id.desc()).limit(1))


def of_videos(session: Session, account_id: int, video_ids: Iterable[str]) -> dict[str, list[tuple[str, int]]]:
    """The person's marks in these clips, as kind and milliseconds."""
    its = Review.account_id == account_id, Review.video_id.in_(set(video_ids))
    found: dict[str, list[tuple[str, int]]] = {}
    for video_id, kind, at_ms in session.execute(select(Review.video_id, Review.kind, Review.at_ms).where(*its)):
        found.setdefault(video_id, []).append((kind, at_ms))
    return found


def covers(marks: Iterable[tuple[str, int]], wanted: Mark) -> bool:
    """Whether one of a clip's marks is about that."""
    return any(
        kind == "clip" or (kind == wanted.kind and abs(at_ms - wanted.at_ms) <= SAME_MS) for kind, at_ms in marks
    )


def forget_person(session: Session, account_id: int) -> None:
    for table in (Review, Visit):
        session.execute(delete(table).where(table.account_id == account_id))
