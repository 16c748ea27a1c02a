"""The task table itself. Made and changed by the Alembic scripts in ``migrations/`` only."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON as Json
from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from dashcam.database import Base, UtcDateTime

SUSPECT = 2
"""So many runs with a task have ended without a word: it may be what kills them."""

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
"""As ``not_before``: a person has put the clip first in line. The indices have such tasks at their head."""

LAST = datetime(1970, 1, 2, tzinfo=UTC)
"""As ``not_before``: nobody waits for it. It is offered when nothing else of its stage is."""

PENDING = "state = 'pending'"
FREE = f"{PENDING} AND hold IS NULL AND flow_run_id IS NULL"
OFFERABLE = f"{FREE} AND crashes < {SUSPECT}"
"""No run has it and nobody holds it; ``not_before`` says from when on."""
SUSPECTED = f"{FREE} AND crashes >= {SUSPECT}"
IN_RUN = f"{PENDING} AND flow_run_id IS NOT NULL"
HELD = f"{PENDING} AND hold IS NOT NULL"
PUT_OFF = f"{PENDING} AND place IS NOT NULL"
"""It has a place in line, to which it comes back when ``not_before`` has passed."""
TROUBLED = f"{PENDING} AND (failures > 0 OR hold IS NOT NULL)"
COMPLETE = "state = 'complete'"


def only(name: str, condition: str, *columns: str) -> Index:
    """An index of the rows for which the condition holds: asked with these very words, whatever else is in the table
    costs nothing."""
    return Index(name, *columns, sqlite_where=text(condition), postgresql_where=text(condition))


class TaskRow(Base):
    """The truth about what must still be done: ``state`` is pending or complete, everything else stands beside it."""

    __tablename__ = "task"
    __table_args__ = (
        UniqueConstraint("task_type", "video_id", "revision"),
        only("task_pending", PENDING, "device_type", "created_at", "task_id"),
        only("task_oldest", PENDING, "created_at", "task_id"),
        only("task_backlog", PENDING, "task_type", "footage_s"),
        only("task_offerable", OFFERABLE, "task_type", "not_before", "created_at", "task_id"),
        only("task_suspected", SUSPECTED, "task_type", "not_before", "created_at", "task_id"),
        only("task_in_run", IN_RUN, "flow_run_id"),
        only("task_held", HELD, "task_type"),
        only("task_put_off", PUT_OFF, "not_before"),
        only("task_troubled", TROUBLED, "created_at", "task_id"),
        only("task_completed", COMPLETE, "completed_at", "task_id"),
    )

    task_id: Mapped[int] = mapped_column(primary_key=True)
    task_type: Mapped[str]
    video_id: Mapped[str] = mapped_column(ForeignKey("video.video_id"), index=True)
    revision: Mapped[int]
    device_type: Mapped[str]
    state: Mapped[str] = mapped_column(default="pending")
    inputs: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    completed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    """Offers ever made; never fewer again, because a run's idempotency key is made of it."""
    failures: Mapped[int] = mapped_column(default=0)
    crashes: Mapped[int] = mapped_column(default=0)
    """Runs that have ended without a word about it."""
    last_error: Mapped[str | None]
    not_before: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """`FIRST` puts it before all others of its stage, `LAST` behind them."""
    place: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """While ``not_before`` puts it off: `FIRST` or `LAST`, where it was that."""
    hold: Mapped[str | None]
    flow_run_id: Mapped[str | None]
    """Of a pending task: the run that has it, until that run's end is settled; of a complete one the last run."""
    told: Mapped[bool] = mapped_column(default=False)
    """The run that has it has reported its failure."""
    footage_s: Mapped[float | None]
    """Seconds of the clip, where they were known when the task was published."""
    outcome: Mapped[str | None]
    reason: Mapped[str | None]
    result: Mapped[dict[str, Any] | None] = mapped_column(Json)
