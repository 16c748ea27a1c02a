"""What each person has looked at: the tables, made and changed by ``migrations/`` only."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from dashcam.database import Base, UtcDateTime


class Review(Base):
    """A person has looked at it: at all of a clip, or at what is at one moment of it. Found again by the clip and the
    time, so the mark outlasts the clip's being processed again."""

    __tablename__ = "review"
    __table_args__ = (Index("review_undone", "account_id", "at"),)

    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """0 where nobody logs in: the owner."""
    video_id: Mapped[str] = mapped_column(ForeignKey("video.video_id"), primary_key=True, index=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    """``clip``, ``plate`` or ``moment``."""
    at_ms: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """In the clip; 0 of a whole one."""
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When; the marks of one act have the same, by which it is taken back."""


class Visit(Base):
    """When a person was at the first page, so that it can say what is new."""

    __tablename__ = "visit"

    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """Last."""
    since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """The end of the visit before that one; None at the first."""
