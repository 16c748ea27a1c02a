"""What changes when a clip is read again: noted where its sightings are replaced, and listed for people.

Compared is what the machine says of what is shown, before and after: what a person says stays, and is told beside it.
Each function works inside the caller's transaction.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Select, and_, case, delete, func, or_, select, text
from sqlalchemy.orm import Session

from dashcam.catalog import corrections, plate_text
from dashcam.catalog.models import Plate, SightingRow, Video
from dashcam.catalog.paging import Cursor
from dashcam.catalog.reread_rows import ReadChange, Reread
from dashcam.catalog.same_sighting import Spot, same
from dashcam.records import HIDDEN
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import PENDING, TaskRow

ChangeKind = Literal["differently", "new", "gone"]


@dataclass(frozen=True)
class ReadShown:
    """A sighting as it is shown, by what the machine says of it."""

    text: str
    confidence: float
    sure: bool
    """A person's word is."""
    said: str | None
    best_s: float
    crop: str
    spots: list[Spot]


ReadPair = tuple[ReadShown | None, ReadShown | None]
"""Before and after."""


@dataclass(frozen=True)
class ChangeLine:
    change_id: int
    video_id: str
    video_name: str
    at: datetime
    best_s: float
    was: str | None
    was_confidence: float | None
    now: str | None
    now_confidence: float | None
    said: str | None
    crop: str | None
    """None where it is not shown any more."""

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.at, self.change_id)

    @property
    def kind(self) -> ChangeKind:
        return "new" if self.was is None else "gone" if self.now is None else "differently"


@dataclass(frozen=True)
class RereadCounts:
    clips: int
    """Times a clip was read again."""
    waiting: int
    """Clips that are to be."""
    differently: int
    new: int
    gone: int


def told(session: Session, video_id: str) -> list[ReadShown]:
    """What is shown of the clip."""
    query = select(SightingRow, Plate.text).join(SightingRow.plate).where(SightingRow.video_id == video_id)
    rows = session.execute(query.order_by(SightingRow.first_s, SightingRow.sighting_id)).tuples()
    return [told_of(row, shown) for row, shown in rows]


def told_of(row: SightingRow, shown: str) -> ReadShown:
    one = corrections.machine_says(row, shown)
    said = shown if row.word_id else None
    return ReadShown(one.text, one.confidence, row.confirmed, said, one.best_s, one.crop, corrections.spots(one))


def note(session: Session, video_id: str, before: Sequence[ReadShown], at: datetime) -> None:
    """The clip's sightings were just replaced by those of a new look."""
    session.merge(Reread(video_id=video_id, at=at))
    for was, now in changes(before, told(session, video_id)):
        shown = now or was
        if shown is None or (was is not None and was.text.startswith(HIDDEN)):
            continue  # nobody can say what was read where only a hash is kept
        if not any(one is not None and one.sure for one in (was, now)):
            continue
        session.add(
            ReadChange(
                video_id=video_id,
                at=at,
                best_s=shown.best_s,
                was=was and was.text,
                was_confidence=was and was.confidence,
                now=now and now.text,
                now_confidence=now and now.confidence,
                said=shown.said,
                crop=now and now.crop,
            )
        )
    session.flush()


def changes(before: Sequence[ReadShown], after: Sequence[ReadShown]) -> Iterator[ReadPair]:
    """What differs between two looks at one clip. A plate that both have read alike is the same, in as many stretches
    as each has seen it."""
    alike = [(one, other) for one in before for other in after if one.text == other.text and is_same(one, other)]
    stay = [id(one) for pair in alike for one in pair]
    left = [one for one in before if id(one) not in stay]
    for now in (one for one in after if id(one) not in stay):
        was = next((one for one in left if is_same(one, now)), None)
        if was is not None:
            left.remove(was)
        yield was, now
    for was in left:
        yield was, None


def is_same(one: ReadShown, other: ReadShown) -> bool:
    return same(one.spots, other.spots)


def listed(session: Session, limit: int, after: Cursor | None = None, video_id: str | None = None) -> list[ChangeLine]:
    """What was read otherwise, the newest first; page 1,000 costs what page 1 costs."""
    own = [name for name in ChangeLine.__dataclass_fields__ if name not in ("video_name", "crop")]
    there = and_(SightingRow.video_id == ReadChange.video_id, SightingRow.crop == ReadChange.crop)
    query = (
        select(
            *(getattr(ReadChange, name) for name in own), Video.name.label("video_name"), SightingRow.crop.label("crop")
        )
        .join(Video, Video.video_id == ReadChange.video_id)
        .outerjoin(SightingRow, there)
        .order_by(ReadChange.at.desc(), ReadChange.change_id.desc())
        .limit(limit)
    )
    if video_id is not None:
        query = query.where(ReadChange.video_id == video_id)
    if after is not None:
        at_once = and_(ReadChange.at == after.when, ReadChange.change_id < after.key)
        query = query.where(ReadChange.at <= after.when, (ReadChange.at < after.when) | at_once)
    return [ChangeLine(**row._asdict()) for row in session.execute(query)]


def counts(session: Session) -> RereadCounts:
    """To be asked through `app.system.System.recent`: it counts them all."""
    kind = case((ReadChange.was.is_(None), "new"), (ReadChange.now.is_(None), "gone"), else_="differently")
    by_kind = dict(session.execute(select(kind, func.count()).group_by(kind)).tuples().all())
    again = text(PENDING), TaskRow.task_type == TaskType.HEAVY_PROCESS_VIDEO.value, Video.frames_decoded.is_not(None)
    waiting = select(func.count()).select_from(TaskRow).join(Video, Video.video_id == TaskRow.video_id).where(*again)
    return RereadCounts(
        clips=session.scalar(select(func.count()).select_from(Reread)) or 0,
        waiting=session.scalar(waiting) or 0,
        **{name: by_kind.get(name, 0) for name in ("differently", "new", "gone")},
    )


def knows(session: Session, plate: str) -> bool:
    """Whether something was read as this plate before its clip was read again, or since."""
    typed = plate_text.normalised(plate)
    mine = or_(ReadChange.was == typed, ReadChange.now == typed, ReadChange.said == typed)
    return session.scalar(select(ReadChange.change_id).where(mine).limit(1)) is not None


def forget(session: Session, video_ids: Select[tuple[str]]) -> None:
    """What plates of these clips were read as is not to be known any more."""
    session.execute(delete(ReadChange).where(ReadChange.video_id.in_(video_ids)))


def forget_crops(session: Session, crops: Mapping[str, Set[str]]) -> None:
    """Sightings are dropped, by clip."""
    for video_id, some in crops.items():
        session.execute(delete(ReadChange).where(ReadChange.video_id == video_id, ReadChange.crop.in_(some)))
