"""Which clips were read again, and what their plates are read as since: the tables, made and changed by ``migrations/``
only."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from dashcam.database import Base, UtcDateTime


class Reread(Base):
    """A clip whose plates were read once more, whether that changed anything or not."""

    __tablename__ = "reread"

    video_id: Mapped[str] = mapped_column(ForeignKey("video.video_id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)


class ReadChange(Base):
    """A plate that was read otherwise than before when its clip was read again, or was there only before or only then.

    What was unsure and still is is not written down.
    """

    __tablename__ = "read_change"
    __table_args__ = (Index("read_change_at", "at", "change_id"),)

    change_id: Mapped[int] = mapped_column(primary_key=True)
    video_id: Mapped[str] = mapped_column(ForeignKey("video.video_id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    """Of the `Reread`."""
    best_s: Mapped[float]
    was: Mapped[str | None]
    """What the machine had read, as sure as ``was_confidence``; None of a plate that was not seen before."""
    was_confidence: Mapped[float | None]
    now: Mapped[str | None]
    """None of a plate that is not seen any more."""
    now_confidence: Mapped[float | None]
    said: Mapped[str | None]
    """What a person had said it is, which it stays."""
    crop: Mapped[str | None]
    """Path below the archive; of what is seen now."""
