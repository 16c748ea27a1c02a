"""What the web pages ask about work: what is pending where, what went wrong, and which devices are there."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from dashcam.catalog.devices import Pause, wanted
from dashcam.catalog.models import Device, TaskRow, Video
from dashcam.tasks.chain import STAGES
from dashcam.tasks.model import TaskType


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


@dataclass(frozen=True)
class DeviceLine:
    hostname: str
    device_type: str
    last_seen: datetime
    info: dict[str, Any]
    pause: Pause
    resting: str | None


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


def devices(session: Session, now: datetime) -> list[DeviceLine]:
    rows = session.scalars(select(Device).order_by(Device.device_type, Device.hostname))
    return [
        DeviceLine(row.hostname, row.device_type, row.last_seen, dict(row.info), wanted(row, now), row.resting)
        for row in rows
    ]
