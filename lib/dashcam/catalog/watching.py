"""What is watched: the plates that the settings or a person name, and what may be a misread of one.

One answer for whoever tells of them: Tonight, messages, the broker of the house.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session, aliased

from dashcam.catalog import notes
from dashcam.catalog.models import Plate, SightingRow, Video
from dashcam.config import Site
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import TaskRow

HEAVY = TaskType.HEAVY_PROCESS_VIDEO.value
MOST_CLIPS = 1000
"""Looked at for news at once; the others at the next look."""


@dataclass(frozen=True)
class PlateSeen:
    """A plate that is watched, or may be."""

    text: str
    watched: str
    """The plate that is watched: itself, or the one that it may be a misread of."""
    last: datetime | None
    times: int


def numbers(session: Session, site: Site) -> dict[int, str]:
    """The plates that are watched, each with the watched plate that it is or may be a misread of; none that a person
    wants to hear nothing of. Only plates that have been seen."""
    texts = notes.watched(session, site)
    named = {text: text for text in texts}
    alike = {other: text for text in texts for other in reversed(notes.misreads(session, text))}
    wanted = alike | named
    quiet = set(notes.ignored(session))
    found = session.execute(select(Plate.plate_id, Plate.text).where(Plate.text.in_(wanted))).tuples()
    return {number: wanted[text] for number, text in found if number not in quiet}


def last_seen(session: Session, watched: Mapping[int, str]) -> PlateSeen | None:
    """Which of these plates was surely seen last."""
    sure = Plate.plate_id.in_(watched), Plate.times > 0, Plate.last_seen.is_not(None)
    newest = select(Plate).where(*sure).order_by(Plate.last_seen.desc(), Plate.plate_id).limit(1)
    row = session.scalar(newest) if watched else None
    return None if row is None else PlateSeen(row.text, watched[row.plate_id], row.last_seen, row.times or 0)


def news(
    session: Session, watched: Mapping[int, str], since: datetime, until: datetime
) -> tuple[list[PlateSeen], datetime]:
    """What was surely seen of these plates in clips that have come through within that time, once per trip and plate.
    And until when that is, where it was too much for once."""
    through = (
        select(TaskRow.video_id, TaskRow.completed_at, TaskRow.task_type, TaskRow.revision)
        .where(TaskRow.state == "complete", TaskRow.completed_at > since, TaskRow.completed_at <= until)
        .order_by(TaskRow.completed_at, TaskRow.task_id)
        .limit(MOST_CLIPS)
    )
    rows = session.execute(through).all()
    reached = rows[-1].completed_at if len(rows) == MOST_CLIPS else until
    clips = {row.video_id for row in rows if row.task_type == HEAVY}
    if not clips or not watched:
        return [], reached
    clip, sure = aliased(Video), SightingRow.confirmed.is_(True)
    its = SightingRow.video_id.in_(clips), SightingRow.plate_id.in_(watched), sure
    seen = (
        select(SightingRow.plate_id, Plate.text, func.max(SightingRow.seen_utc), func.count())
        .join(Plate, Plate.plate_id == SightingRow.plate_id)
        .join(clip, clip.video_id == SightingRow.video_id)
        .where(*its, ~looked_through(clip.video_id, since), ~told_of(clip, since))
        .group_by(SightingRow.plate_id, Plate.text)
        .order_by(Plate.text)
    )
    found = session.execute(seen).all()
    return [PlateSeen(text, watched[number], last, times) for number, text, last, times in found], reached


def looked_through(video_id: Any, before: datetime) -> ColumnElement[bool]:
    """Whether the clip had come through by then: to do it again is no news."""
    return exists().where(TaskRow.video_id == video_id, TaskRow.task_type == HEAVY, TaskRow.completed_at <= before)


def told_of(clip: type[Video], before: datetime) -> ColumnElement[bool]:
    """Whether the sighting's plate was surely seen in another clip of the trip that had come through by then."""
    earlier, other = aliased(SightingRow), aliased(Video)
    same = other.video_id == earlier.video_id, other.trip_id == clip.trip_id
    its = earlier.plate_id == SightingRow.plate_id, earlier.confirmed.is_(True)
    return exists().where(*same, *its, looked_through(earlier.video_id, before)).correlate(SightingRow, clip)
