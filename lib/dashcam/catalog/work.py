"""Tasks together with what is known of their clips: for REST, for the web pages, for the dispatcher."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, TextClause, and_, func, select, text
from sqlalchemy.orm import Session

from dashcam.catalog.models import Video
from dashcam.catalog.places import fixes_of
from dashcam.catalog.record import record_of
from dashcam.config.pools import DEVICE_TYPE_OF
from dashcam.records import VideoFacts
from dashcam.tasks.chain import STAGES
from dashcam.tasks.model import InputRef, Outcome, Task, TaskType
from dashcam.tasks.row import COMPLETE, FIRST, HELD, LAST, OFFERABLE, PENDING, TROUBLED, TaskRow


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
    footage_s: float | None
    attempts: int
    failures: int
    last_error: str | None
    not_before: datetime | None
    hold: str | None
    outcome: str | None
    reason: str | None

    @property
    def first(self) -> bool:
        """A person has put it first in line."""
        return self.state == "pending" and self.not_before == FIRST


def backlog(session: Session) -> list[StageBacklog]:
    """What is pending at each stage, in the order in which a clip travels; stages without backlog included.

    Two indices answer it, but every pending task is counted: to be asked through `app.kept`.
    """
    counted = select(TaskRow.task_type, func.count(), func.sum(TaskRow.footage_s)).where(text(PENDING))
    there = {stage: rest for stage, *rest in session.execute(counted.group_by(TaskRow.task_type))}
    held = select(TaskRow.task_type, func.count()).where(text(HELD)).group_by(TaskRow.task_type)
    kept_back = dict(session.execute(held).tuples().all())
    lines = [(stage, *there.get(stage.value, (0, None))) for stage in STAGES]
    return [StageBacklog(stage, count, kept_back.get(stage, 0), footage or 0.0) for stage, count, footage in lines]


def pending_of(video_ids: Iterable[str]) -> ColumnElement[bool]:
    return and_(TaskRow.video_id.in_(list(video_ids)), text(PENDING))


VIEWS = {"pending": PENDING, "stuck": TROUBLED, "complete": COMPLETE}
"""What can be listed; ``stuck`` is pending and failed before, or held back."""


def task_counts(session: Session) -> dict[str, int]:
    """How many tasks each view has. To be asked through `app.kept`."""
    rows = select(func.count()).select_from(TaskRow)
    counted = {view: session.scalar(rows.where(text(VIEWS[view]))) or 0 for view in ("pending", "stuck")}
    return counted | {"complete": (session.scalar(rows) or 0) - counted["pending"]}


def tasks(session: Session, view: str = "pending", limit: int = 50, offset: int = 0) -> list[TaskLine]:
    """Pending tasks in the order in which they will be offered, complete ones newest first.

    What a person has put first in line stands at the head of the first page, beside that page's own.
    """
    order = (
        (TaskRow.completed_at.desc(), TaskRow.task_id.desc())
        if view == "complete"
        else (TaskRow.created_at, TaskRow.task_id)
    )
    page = task_lines(session, text(VIEWS[view]), *order, limit=limit, offset=offset)
    ahead = first_in_line(session, limit) if view == "pending" and offset == 0 else []
    return ahead + [one for one in page if one not in ahead]


def first_in_line(session: Session, limit: int) -> list[TaskLine]:
    """What waits and was put first, in the order in which a clip travels; answered by an index."""
    ahead = text(OFFERABLE), TaskRow.not_before == FIRST
    lines: list[TaskLine] = []
    for stage in STAGES:
        its = and_(*ahead, TaskRow.task_type == stage.value)
        lines += task_lines(session, its, TaskRow.created_at, TaskRow.task_id, limit=limit - len(lines))
    return lines


def task_of(session: Session, video_id: str) -> TaskLine | None:
    """What is to be done next for the video."""
    return next(iter(task_lines(session, pending_of([video_id]), TaskRow.task_id)), None)


def tasks_by_id(session: Session, task_ids: Iterable[int]) -> list[TaskLine]:
    return task_lines(session, TaskRow.task_id.in_(list(task_ids)), TaskRow.task_id)


def task_lines(
    session: Session,
    wanted: ColumnElement[bool] | TextClause,
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
        device_type=DEVICE_TYPE_OF[row.device_type],
        state="complete" if row.state == "complete" else "pending",
        inputs=[InputRef.model_validate(ref) for ref in row.inputs],
        created_at=row.created_at,
        completed_at=row.completed_at,
        attempts=row.attempts,
        failures=row.failures,
        last_error=row.last_error,
        not_before=None if row.not_before in (FIRST, LAST) else row.not_before,
        first=row.state == "pending" and row.not_before == FIRST,
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
    wanted = conditions(task_type=task_type, state=state, video_id=video_id, device_type=device_type)
    total = session.scalar(select(func.count()).select_from(TaskRow).where(*wanted)) or 0
    return page(session, wanted, limit, offset), total


def pending(session: Session, device_type: str | None, limit: int) -> list[Task]:
    """The oldest pending tasks, of one class of devices or of all; the same however many there are."""
    return page(session, conditions(state="pending", device_type=device_type), limit)


def conditions(state: str | None = None, **columns: str | None) -> list[Any]:
    equal = [getattr(TaskRow, name) == value for name, value in columns.items() if value is not None]
    return equal + ([text(VIEWS[state])] if state is not None else [])


def page(session: Session, wanted: list[Any], limit: int, offset: int = 0) -> list[Task]:
    oldest = TaskRow.created_at, TaskRow.task_id
    query = select(TaskRow, Video).join(Video, Video.video_id == TaskRow.video_id).where(*wanted).order_by(*oldest)
    return [to_task(row, video) for row, video in session.execute(query.limit(limit).offset(offset))]


def get(session: Session, task_id: int) -> Task | None:
    """One task; with what its stage goes by and lists of tasks leave out: the clip's positions, or all its record."""
    row = session.get(TaskRow, task_id)
    if row is None:
        return None
    task = to_task(row, session.get(Video, row.video_id))
    if task.task_type is TaskType.ARCHIVE_VIDEO:
        return task.model_copy(update={"record": record_of(session, row.video_id)})
    if task.task_type is not TaskType.PREPROCESS_VIDEO or task.video is None:
        return task
    video = task.video.model_copy(update={"fixes": list(fixes_of(session, row.video_id))})
    return task.model_copy(update={"video": video})
