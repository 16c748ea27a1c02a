"""Clips that an older reader has read, and that can be read again: how many, and all of them at once.

The reader of today is the one that the newest result tells of. Each function works inside the caller's transaction.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, text
from sqlalchemy.orm import Session

from dashcam.catalog import again
from dashcam.catalog.models import ArchiveCheck, Holding, SightingRow, Video
from dashcam.storage import layout
from dashcam.tasks import table
from dashcam.tasks.model import NewTask, TaskType
from dashcam.tasks.row import COMPLETE, TaskRow

READER = "plate-reader"
"""As results name it (`vision.read.fixed_slot_reader`)."""
AT_ONCE = 200
"""So many clips one transaction offers: who else writes waits as long."""
HEAVY = TaskType.HEAVY_PROCESS_VIDEO


class OlderReads(NamedTuple):
    clips: int
    crops: int
    """Sightings of theirs, each with its crop."""
    by_crops: int
    """Clips whose file a rule has let go."""


class OfferedAgain(NamedTuple):
    """One transaction's share."""

    video_ids: Sequence[str]
    by_crops: int
    after: str | None
    """Where the next transaction begins; None when that was all."""


def reader_of_today(session: Session) -> str | None:
    """The hash of its weights; None before anything was read."""
    newest = text(COMPLETE), TaskRow.task_type == HEAVY.value, TaskRow.outcome == "processed"
    last = select(TaskRow.video_id).where(*newest).order_by(TaskRow.completed_at.desc(), TaskRow.task_id.desc())
    video_id = session.scalar(last.limit(1))
    models = None if video_id is None else session.get_one(Video, video_id).models
    return (models or {}).get(READER)


def is_gone() -> ColumnElement[bool]:
    """Whether a rule has let the clip's file go, or is about to."""
    let_go = or_(Holding.removed_at.is_not(None), Holding.plan_id.is_not(None))
    return exists().where(Holding.video_id == Video.video_id, Holding.kind == "raw", let_go)


def is_older(reader: str) -> ColumnElement[bool]:
    damaged = exists().where(ArchiveCheck.video_id == Video.video_id, ArchiveCheck.wrong.is_not(None))
    archived = and_(Video.media.startswith(f"{layout.SHED}:"), ~damaged)
    other = func.coalesce(Video.models[READER].as_string(), "") != reader
    return and_(Video.outcome == "processed", Video.frames_decoded.is_not(None), other, or_(~is_gone(), archived))


def count(session: Session) -> OlderReads:
    """To be asked through `app.system.System.recent`: it looks at all clips."""
    reader = reader_of_today(session)
    if reader is None:
        return OlderReads(0, 0, 0)
    older = select(Video.video_id, is_gone().label("gone")).where(is_older(reader)).subquery()
    crops = select(func.count()).where(SightingRow.video_id == older.c.video_id).scalar_subquery()
    counts = func.count(), func.coalesce(func.sum(crops), 0), func.count().filter(older.c.gone)
    clips, sightings, gone = session.execute(select(*counts).select_from(older)).one()
    return OlderReads(clips, int(sightings), gone)


def offer_some(session: Session, after: str | None = None) -> OfferedAgain:
    """Have at most `AT_ONCE` of them read again, behind all else: from the clip, or from its archive's crops where the
    clip is gone. What a person or the archive has said stays."""
    reader = reader_of_today(session)
    if reader is None:
        return OfferedAgain([], 0, None)
    query = select(Video, is_gone()).where(is_older(reader), Video.video_id > (after or ""))
    found = session.execute(query.order_by(Video.video_id).limit(AT_ONCE)).tuples().all()
    done = tasks_of(session, [video.video_id for video, _ in found])
    offered, by_crops = [], 0
    new: list[tuple[NewTask, int]] = []
    for video, gone in found:
        tasks = done[video.video_id]
        if not can_be(tasks, gone):
            continue
        source = layout.archive(video.video_id) if gone else video.source
        refs = again.inputs(video.video_id, [one for one in tasks if one.task_type == HEAVY], source)
        task = NewTask(task_type=HEAVY, video_id=video.video_id, inputs=refs)
        new.append((task, 1 + max(one.revision for one in tasks)))
        again.begin(video)
        offered.append(video.video_id)
        by_crops += gone
    table.publish_last(session, new)
    return OfferedAgain(offered, by_crops, found[-1][0].video_id if len(found) == AT_ONCE else None)


class TaskDone(NamedTuple):
    """What is known of a task without its result, which may be large."""

    task_type: str
    revision: int
    state: str
    outcome: str | None
    inputs: Sequence[dict[str, str]]


def tasks_of(session: Session, video_ids: Sequence[str]) -> dict[str, list[TaskDone]]:
    columns = [getattr(TaskRow, name) for name in TaskDone._fields]
    query = select(TaskRow.video_id, *columns).where(TaskRow.video_id.in_(video_ids))
    tasks = defaultdict[str, list[TaskDone]](list)
    for video_id, *rest in session.execute(query.order_by(TaskRow.revision, TaskRow.task_id)):
        tasks[video_id].append(TaskDone(*rest))
    return tasks


def can_be(tasks: Sequence[TaskDone], gone: bool) -> bool:
    """Nothing is pending for the clip; of one that is gone the archive has what was found last."""
    newest = {
        kind: max((one.revision for one in tasks if (one.task_type, one.outcome) == (kind, "processed")), default=0)
        for kind in (HEAVY, TaskType.ARCHIVE_VIDEO)
    }
    is_through = all(one.state != "pending" for one in tasks) and newest[HEAVY] > 0
    return is_through and not (gone and newest[TaskType.ARCHIVE_VIDEO] < newest[HEAVY])
