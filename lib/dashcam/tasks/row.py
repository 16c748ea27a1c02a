"""The task table itself. Made and changed by the Alembic scripts in ``migrations/`` only."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON as Json
from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from dashcam.database import Base, UtcDateTime


class TaskRow(Base):
    """The truth about what must still be done: ``state`` is pending or complete, everything else stands beside it."""

    __tablename__ = "task"
    __table_args__ = (
        UniqueConstraint("task_type", "video_id", "revision"),
        Index("task_pending", "state", "device_type", "created_at"),
        Index("task_completed", "state", "completed_at", "task_id"),
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
    failures: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    not_before: Mapped[datetime | None] = mapped_column(UtcDateTime)
    hold: Mapped[str | None]
    flow_run_id: Mapped[str | None]
    outcome: Mapped[str | None]
    reason: Mapped[str | None]
    result: Mapped[dict[str, Any] | None] = mapped_column(Json)
