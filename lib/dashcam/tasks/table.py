"""The task table's rules. Every function works inside the caller's transaction (`database.writing`)."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dashcam.tasks.chain import STAGES
from dashcam.tasks.model import Completion, InputRef, NewTask, TaskType
from dashcam.tasks.row import TaskRow

Apply = Callable[[Session, TaskType, str, Completion], None]
"""Makes of a completed task's result what is known of the video (its id is the third)."""

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


def complete(session: Session, task_id: int, completion: Completion, apply: Apply) -> bool:
    """Complete, ``apply`` the result and publish what follows, or do nothing at all.

    False when the task was complete already: the late result is dropped and nothing is published (rule 3).
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
    apply(session, TaskType(row.task_type), row.video_id, completion)
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
