"""What a person has deleted and may have back for a day: the tables, made and changed by ``migrations/`` only."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON as Json
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from dashcam.database import Base, UtcDateTime

NEVER = datetime(9999, 1, 1, tzinfo=UTC)


class Going(Base):
    """A person's word that something goes for good when it is ``due``, and is nowhere to be seen until then. What is
    hidden without being deleted is due `NEVER`."""

    __tablename__ = "going"

    going_id: Mapped[int] = mapped_column(primary_key=True)
    clips: Mapped[list[str]] = mapped_column(Json)
    """By their ``video_id``."""
    texts: Mapped[list[str]] = mapped_column(Json)
    """A plate, and what is merged into it."""
    word_id: Mapped[str | None]
    """Of one sighting: the `plate_words.SightingWord` that keeps it from being shown."""
    said: Mapped[str]
    """What it is, for who may have it back."""
    who: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    due: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    back: Mapped[bool] = mapped_column(default=False)
    """It was taken back: what was set aside is being put where it was."""


class SetAside(Base):
    """Rows of the catalogue that are going: all of a clip, or a plate's sightings in it, or what was said of these."""

    __tablename__ = "set_aside"

    aside_id: Mapped[int] = mapped_column(primary_key=True)
    going_id: Mapped[int] = mapped_column(ForeignKey("going.going_id", ondelete="CASCADE"), index=True)
    video_id: Mapped[str] = mapped_column(index=True)
    """Empty: of no one clip."""
    whole: Mapped[bool]
    """All that is known of the clip."""
    looked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the clip's plates had been read last: its rows are worth nothing once they are read anew."""
    pictures: Mapped[list[str]] = mapped_column(Json)
    """Not to be shown, as paths in the clip's folder."""
    files: Mapped[list[list[Any]]] = mapped_column(Json)
    """Of a whole clip: address, size and time of each file, so that no scan reads it again."""
    words: Mapped[dict[str, list[dict[str, Any]]]] = mapped_column(Json)
    """What people have said of a whole clip, by table, as `upkeep.decisions` keeps it."""
    rows: Mapped[bytes]
    """`aside.packed`."""
