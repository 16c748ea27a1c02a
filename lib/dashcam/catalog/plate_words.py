"""What people have said about plates: the tables, made and changed by ``migrations/`` only.

Whatever they say is held by text and time, never by the number of a row, so that it holds for what is seen from now on,
for a clip that is done again, and for a catalogue made anew.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON as Json
from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from dashcam.database import Base, UtcDateTime

PLATE, NOTHING, DELETED = "plate", "nothing", "deleted"
"""What a word says of a sighting: it is this plate; it is no plate; a person has deleted what was seen there."""
RIGHT, WRONG, UNCLEAR = "right", "wrong", "unclear"
"""What it says where a spot check has asked: whether it was read right, and that nobody can tell."""


class SightingWord(Base):
    """A person's word about one sighting: that stretch of the clip, and where the plate was in the picture."""

    __tablename__ = "sighting_word"
    __table_args__ = (Index("sighting_word_at", "at", "word_id"),)

    word_id: Mapped[str] = mapped_column(primary_key=True)
    video_id: Mapped[str] = mapped_column(ForeignKey("video.video_id"), index=True)
    kind: Mapped[str]
    text: Mapped[str | None]
    """The plate, of `PLATE`, `RIGHT` and as far as it was said of `WRONG`."""
    first_s: Mapped[float]
    last_s: Mapped[float]
    boxes: Mapped[list[list[float]]] = mapped_column(Json)
    """``[t_s, x0, y0, x1, y1]`` at a few moments, in order of time."""
    read: Mapped[str]
    """What the machine had read, as sure as ``confidence``."""
    confidence: Mapped[float]
    crop: Mapped[str]
    """Path below the archive."""
    who: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class PlateMerge(Base):
    """A person's word: two texts are one car. What is read as ``text`` is shown as ``into``."""

    __tablename__ = "plate_merge"

    text: Mapped[str] = mapped_column(primary_key=True)
    into: Mapped[str] = mapped_column(index=True)
    who: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class PlateApart(Base):
    """A person's word: two plates that look alike are two cars. Nobody asks again. ``one`` is before ``other``."""

    __tablename__ = "plate_apart"

    one: Mapped[str] = mapped_column(primary_key=True)
    other: Mapped[str] = mapped_column(primary_key=True)
    who: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class PlateNote(Base):
    """What a person knows of a plate."""

    __tablename__ = "plate_note"

    text: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    note: Mapped[str]
    tags: Mapped[list[Any]] = mapped_column(Json)
    own: Mapped[bool]
    """One's own car."""
    ignored: Mapped[bool]
    """Not among what was seen last; it can be searched for."""
    watched: Mapped[bool]
    who: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
