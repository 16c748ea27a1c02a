"""What a person says of the line of pending tasks: who goes first, and that all that failed is tried again."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, case, or_, select, text, tuple_, update
from sqlalchemy.orm import Session

from dashcam.tasks import table
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import FIRST, LAST, TROUBLED, TaskRow

AT_ONCE = 1000
"""So many tasks one transaction tries again: who else writes waits as long."""

After = tuple[datetime, int]


class TriedAgain(NamedTuple):
    """One transaction's share."""

    video_ids: Sequence[str]
    """Of each task one; some clips may stand here twice."""
    after: After | None
    """Where the next transaction begins; None when that was all."""


def put_first(session: Session, video_ids: Collection[str]) -> int:
    """What is pending of these clips is offered before all else of its stage, at once, and so is what follows it; how
    many tasks. One that is held stays held; one that fails or finds no room is put off, and is first again then."""
    return table.changed(session.execute(update(TaskRow).where(*of(video_ids)).values(not_before=FIRST, place=None)))


def put_back(session: Session, video_ids: Collection[str]) -> int:
    """They are offered in turn again; how many tasks that changes."""
    mine = *of(video_ids), or_(TaskRow.not_before == FIRST, TaskRow.place == FIRST)
    waits = case((TaskRow.not_before > LAST, TaskRow.not_before), else_=None)
    return table.changed(session.execute(update(TaskRow).where(*mine).values(not_before=waits, place=None)))


def of(video_ids: Collection[str]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return TaskRow.video_id.in_(video_ids), TaskRow.state == "pending"


def retry_failed(session: Session, after: After | None = None, stage: TaskType | None = None) -> TriedAgain:
    """Have at most `AT_ONCE` of what failed or is held tried again at once, as `table.release` does with one, in order
    of age. What a run is at that very moment is left to it."""
    waits = or_(TaskRow.flow_run_id.is_(None), TaskRow.told)
    query = select(TaskRow.task_id, TaskRow.video_id, TaskRow.created_at).where(text(TROUBLED), waits)
    if after is not None:
        query = query.where(tuple_(TaskRow.created_at, TaskRow.task_id) > after)
    if stage is not None:
        query = query.where(TaskRow.task_type == stage)
    found = session.execute(query.order_by(TaskRow.created_at, TaskRow.task_id).limit(AT_ONCE)).all()
    session.execute(table.anew.where(TaskRow.task_id.in_([one.task_id for one in found])))
    last = found[-1] if len(found) == AT_ONCE else None
    return TriedAgain([one.video_id for one in found], (last.created_at, last.task_id) if last else None)
