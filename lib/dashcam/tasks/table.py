"""The task table's rules. Every function works inside the caller's transaction (`database.writing`)."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

from sqlalchemy import func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dashcam.catalog import apply
from dashcam.catalog.models import TaskRow, Video
from dashcam.catalog.places import fixes_of
from dashcam.config import Site
from dashcam.records import VideoFacts
from dashcam.tasks.chain import STAGES
from dashcam.tasks.model import Completion, InputRef, NewTask, Outcome, Task, TaskType

MAX_BACKOFF = timedelta(hours=6)


def publish(session: Session, new: NewTask) -> bool:
    """Insert the task unless this (type, video, revision) was published before; tells whether it is new."""
    stage = STAGES[new.task_type]
    row = TaskRow(
        task_type=new.task_type,
        video_id=new.video_id,
        revision=stage.revision,
        device_type=stage.pool,
        inputs=[ref.model_dump() for ref in new.inputs],
        created_at=datetime.now(UTC),
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return False
    return True


def knows(session: Session, video_id: str) -> bool:
    return session.get(Video, video_id) is not None


def complete(session: Session, task_id: int, completion: Completion, site: Site = Site()) -> bool:
    """Complete, apply the result and publish what follows, or do nothing at all.

    ``site`` says how trips and places are derived from the result. False when the task was complete already: the late
    result is dropped and nothing is published (rule 3).
    """
    done = session.execute(
        update(TaskRow)
        .where(TaskRow.task_id == task_id, TaskRow.state == "pending")
        .values(
            state="complete",
            completed_at=datetime.now(UTC),
            outcome=completion.outcome,
            reason=completion.reason,
            result=completion.result,
            hold=None,
            not_before=None,
        )
    )
    if done.rowcount == 0:  # type: ignore[attr-defined]
        return False
    row = session.get_one(TaskRow, task_id, populate_existing=True)
    apply.apply(session, TaskType(row.task_type), row.video_id, completion, site)
    for new in completion.publish:
        publish(session, new)
    return True


def fail(session: Session, task_id: int, error: str, retry_delay: timedelta) -> bool:
    """Note a failure; the task stays pending and is not offered before a delay that doubles with each failure."""
    row = session.get(TaskRow, task_id)
    if row is None or row.state != "pending":
        return False
    row.failures += 1
    row.last_error = error
    row.not_before = datetime.now(UTC) + min(retry_delay * 2 ** min(row.failures - 1, 16), MAX_BACKOFF)
    return True


def offered(session: Session, task_ids: Iterable[int], flow_run_id: str) -> None:
    session.execute(
        update(TaskRow)
        .where(TaskRow.task_id.in_(list(task_ids)))
        .values(attempts=TaskRow.attempts + 1, flow_run_id=flow_run_id)
    )


def hold(session: Session, task_ids: Iterable[int], reason: str) -> None:
    session.execute(
        update(TaskRow)
        .where(TaskRow.task_id.in_(list(task_ids)), TaskRow.state == "pending")
        .values(hold=reason, flow_run_id=None)
    )


def release(session: Session, task_id: int) -> bool:
    """Offer a pending task again at once, whatever held it back."""
    done = session.execute(
        update(TaskRow)
        .where(TaskRow.task_id == task_id, TaskRow.state == "pending")
        .values(hold=None, not_before=None, failures=0)
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]


def move_clip(session: Session, video_id: str, clip: InputRef) -> None:
    """The clip lies elsewhere now: what is pending for it, or ended because it had vanished, goes on from there."""
    rows = session.scalars(
        select(TaskRow).where(
            TaskRow.video_id == video_id, or_(TaskRow.state == "pending", TaskRow.outcome == "vanished")
        )
    )
    for row in rows:
        row.inputs = [clip.model_dump() if one["type"] == clip.type else one for one in row.inputs]
        if row.outcome == "vanished":
            row.state, row.outcome, row.reason, row.completed_at = "pending", None, None, None
            row.failures, row.last_error, row.flow_run_id = 0, None, None


def to_task(row: TaskRow, video: Video | None) -> Task:
    facts = VideoFacts.model_validate(video.facts) if video is not None and video.facts else None
    return Task(
        task_id=row.task_id,
        task_type=TaskType(row.task_type),
        video_id=row.video_id,
        video=facts,
        revision=row.revision,
        device_type=row.device_type,
        state="complete" if row.state == "complete" else "pending",
        inputs=[InputRef.model_validate(ref) for ref in row.inputs],
        created_at=row.created_at,
        completed_at=row.completed_at,
        attempts=row.attempts,
        failures=row.failures,
        last_error=row.last_error,
        not_before=row.not_before,
        hold=row.hold,
        flow_run_id=row.flow_run_id,
        outcome=cast(Outcome | None, row.outcome),
        reason=row.reason,
        result=row.result,
    )


def find(
    session: Session,
    *,
    task_type: TaskType | None = None,
    state: str | None = None,
    video_id: str | None = None,
    device_type: str | None = None,
    limit: int = 100,
    offset: int = 0,
) -> tuple[list[Task], int]:
    """One page of tasks, oldest first, and how many there are in all."""
    query = select(TaskRow, Video).join(Video, Video.video_id == TaskRow.video_id)
    for column, value in (
        (TaskRow.task_type, task_type),
        (TaskRow.state, state),
        (TaskRow.video_id, video_id),
        (TaskRow.device_type, device_type),
    ):
        if value is not None:
            query = query.where(column == value)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    page = query.order_by(TaskRow.created_at, TaskRow.task_id).limit(limit).offset(offset)
    return [to_task(row, video) for row, video in session.execute(page)], total


def get(session: Session, task_id: int) -> Task | None:
    """One task; with the clip's positions where the stage goes by them, which lists of tasks leave out."""
    row = session.get(TaskRow, task_id)
    if row is None:
        return None
    task = to_task(row, session.get(Video, row.video_id))
    if task.task_type is not TaskType.PREPROCESS_VIDEO or task.video is None:
        return task
    video = task.video.model_copy(update={"fixes": list(fixes_of(session, row.video_id))})
    return task.model_copy(update={"video": video})


def pending_rows(session: Session) -> Sequence[tuple[TaskRow, float | None]]:
    """Every pending task with its clip's duration in seconds, oldest first."""
    query = (
        select(TaskRow, Video.duration_s)
        .join(Video, Video.video_id == TaskRow.video_id)
        .where(TaskRow.state == "pending")
        .order_by(TaskRow.created_at, TaskRow.task_id)
    )
    return [(row, duration) for row, duration in session.execute(query)]
