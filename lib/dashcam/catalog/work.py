"""Tasks together with what is known of their clips: for REST, for the web pages, for the dispatcher."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from dashcam.catalog.models import Video
from dashcam.catalog.places import fixes_of
from dashcam.records import VideoFacts
from dashcam.tasks.chain import STAGES
from dashcam.tasks.model import InputRef, Outcome, Task, TaskType
from dashcam.tasks.row import TaskRow


@dataclass(frozen=True)
class StageBacklog:
    task_type: TaskType
    pending: int
    held: int
    footage_s: float


@dataclass(frozen=True)
class TaskLine:
    task_id: int
    task_type: TaskType
    video_id: str
    video_name: str
    device_type: str
    state: str
    created_at: datetime
    completed_at: datetime | None
    attempts: int
    failures: int
    last_error: str | None
    not_before: datetime | None
    hold: str | None
    outcome: str | None
    reason: str | None


def backlog(session: Session) -> list[StageBacklog]:
    """What is pending at each stage, in the order in which a clip travels; stages without backlog included."""
    query = (
        select(TaskRow.task_type, func.count(), func.count(TaskRow.hold), func.sum(Video.duration_s))
        .join(Video, Video.video_id == TaskRow.video_id)
        .where(TaskRow.state == "pending")
        .group_by(TaskRow.task_type)
    )
    rows = {task_type: rest for task_type, *rest in session.execute(query)}
    counted = [(stage, *rows.get(stage.value, (0, 0, None))) for stage in STAGES]
    return [StageBacklog(stage, pending, held, footage or 0.0) for stage, pending, held, footage in counted]


def pending_of(video_ids: Iterable[str]) -> ColumnElement[bool]:
    return and_(TaskRow.video_id.in_(list(video_ids)), TaskRow.state == "pending")


def task_view(view: str) -> ColumnElement[bool]:
    """``pending``, ``stuck`` (pending and failed before, or held back) or ``complete``."""
    if view == "complete":
        return TaskRow.state == "complete"
    if view == "stuck":
        return and_(TaskRow.state == "pending", or_(TaskRow.failures > 0, TaskRow.hold.is_not(None)))
    return TaskRow.state == "pending"


def task_count(session: Session, view: str) -> int:
    return session.scalar(select(func.count()).select_from(TaskRow).where(task_view(view))) or 0


def tasks(session: Session, view: str = "pending", limit: int = 50, offset: int = 0) -> list[TaskLine]:
    """Pending tasks in the order in which they will be offered, complete ones newest first."""
    order = (
        (TaskRow.completed_at.desc(), TaskRow.task_id.desc())
        if view == "complete"
        else (TaskRow.created_at, TaskRow.task_id)
    )
    return task_lines(session, task_view(view), *order, limit=limit, offset=offset)


def task_of(session: Session, video_id: str) -> TaskLine | None:
    """What is to be done next for the video."""
    return next(iter(task_lines(session, pending_of([video_id]), TaskRow.task_id)), None)


def tasks_by_id(session: Session, task_ids: Iterable[int]) -> list[TaskLine]:
    return task_lines(session, TaskRow.task_id.in_(list(task_ids)), TaskRow.task_id)


def task_lines(
    session: Session,
    wanted: ColumnElement[bool],
    *order: ColumnElement[Any] | Any,
    limit: int = 1000,
    offset: int = 0,
) -> list[TaskLine]:
    fields = [getattr(TaskRow, name) for name in TaskLine.__dataclass_fields__ if name != "video_name"]
    query = (
        select(Video.name.label("video_name"), *fields)
        .join(Video, Video.video_id == TaskRow.video_id)
        .where(wanted)
        .order_by(*order)
        .limit(limit)
        .offset(offset)
    )
    return [TaskLine(**(row._asdict() | {"task_type": TaskType(row.task_type)})) for row in session.execute(query)]


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
