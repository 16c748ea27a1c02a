"""How fast clips come through, and when what waits will be done: by what was completed a moment ago."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from dashcam.catalog.models import Video
from dashcam.catalog.work import StageBacklog
from dashcam.tasks.chain import STAGES
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import COMPLETE, TaskRow

LOOKED_BACK = timedelta(hours=1)
MOST = 1000
"""Completions that are looked at."""
ENOUGH, ENOUGH_S = 4, 30.0
"""With fewer, or in less time, nobody knows a speed yet."""


@dataclass(frozen=True)
class Outlook:
    speeds: dict[TaskType, float]
    """Seconds of footage in a second, of the stages that have been at work."""
    waiting_s: float
    """Footage that is not through yet."""
    left_s: float | None
    """So long it takes; None where that is not known, 0 where nothing waits."""


def pace(session: Session, now: datetime, backlog: list[StageBacklog]) -> Outlook:
    known = speeds(session, now)
    usual = session.scalar(select(func.avg(select(Video.duration_s).where(Video.duration_s > 0).limit(200)
                                           .subquery().c.duration_s))) or 60.0  # fmt: skip
    gathered, waiting_s, left = 0.0, 0.0, 0.0
    unknown = False
    for stage in backlog:
        free = stage.pending - stage.held
        if stage.pending:
            # before ingest nobody knows how long a clip is
            footage = stage.footage_s or stage.pending * usual
            gathered += footage * free / stage.pending
        waiting_s = gathered
        if gathered:
            speed = known.get(stage.task_type)
            left = max(left, gathered / speed) if speed else left
            unknown = unknown or speed is None
    if not gathered:
        return Outlook(known, 0.0, 0.0)
    return Outlook(known, waiting_s, None if unknown else left)


def speeds(session: Session, now: datetime) -> dict[TaskType, float]:
    """Of each stage, by its completions of the last hour: the footage after the first of them, by the time since."""
    recent = (
        select(TaskRow.task_type, TaskRow.completed_at, TaskRow.footage_s, Video.duration_s)
        .join(Video, Video.video_id == TaskRow.video_id)
        .where(text(COMPLETE), TaskRow.completed_at > now - LOOKED_BACK, TaskRow.outcome == "processed")
        .order_by(TaskRow.completed_at.desc())
        .limit(MOST)
    )
    seen: dict[str, list[tuple[datetime, float]]] = {}
    for task_type, at, footage_s, duration_s in session.execute(recent):
        seen.setdefault(task_type, []).append((at, footage_s or duration_s or 0.0))
    found = {}
    for stage in STAGES:
        done = seen.get(stage.value, [])
        if len(done) < ENOUGH:
            continue
        took_s = (done[0][0] - done[-1][0]).total_seconds()
        footage_s = sum(footage for _, footage in done[:-1])
        if took_s >= ENOUGH_S and footage_s > 0:
            found[stage] = footage_s / took_s
    return found
