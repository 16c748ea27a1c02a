"""What no archive can tell, kept in one file beside them: what a person has said, and clips that have no archive.

The file lies in the archive's store (``.dashcam/decisions.json``), so that it is there when the database is lost. With
the archives' records it makes the catalogue anew (`upkeep.rebuild`).
"""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from dashcam.catalog import aside, deletions
from dashcam.catalog.aside_rows import Going, SetAside
from dashcam.catalog.camera_rows import CameraClock, CameraLens
from dashcam.catalog.models import (
    DeviceRow,
    Holding,
    Protection,
    SightingRow,
    TripDecision,
    TripRow,
    Video,
)
from dashcam.catalog.plate_words import PlateApart, PlateMerge, PlateNote, SightingWord
from dashcam.catalog.record import stage_record
from dashcam.catalog.site_rows import HomeZone, RetentionWord
from dashcam.database import UtcDateTime
from dashcam.records import ClipRecord, Record
from dashcam.storage import bundle, layout
from dashcam.storage.bundle import StorageError
from dashcam.storage.roots import Stores
from dashcam.tasks.row import TaskRow

OF_A_CLIP: tuple[Any, ...] = (TripDecision, Protection, SightingWord)
"""Tables of which every row is a person's word about one clip."""
OF_THE_SITE: tuple[Any, ...] = (CameraClock, CameraLens, HomeZone, PlateMerge, PlateApart, PlateNote, RetentionWord)


class EndedClip(Record):
    """A clip that ended without an archive, rejected or vanished."""

    record: ClipRecord
    """Of its last stage: why it ended."""
    name: str
    created_at: datetime


class Decisions(Record):
    version: Literal[1] = 1
    said: dict[str, list[dict[str, Any]]]
    """Rows by table."""
    paused: list[dict[str, Any]] = Field([])
    """Devices that a person has paused."""
    trip_numbers: dict[str, int] = Field({})
    """The number of each trip, by one of its clips: they are in addresses that people have kept."""
    ended: list[EndedClip] = Field([])
    deletions: list[dict[str, str]] = Field([])
    """`catalog.deletions.said`: what must not come back."""
    going: list[dict[str, Any]] = Field([])
    """What goes for good within a day, and can be had back until then; with what was said of it."""
    gone: dict[str, list[dict[str, Any]]] = Field({})
    """By clip: what retention has removed of it, when and by which rule."""


def said(session: Session) -> Decisions:
    """What a person has said; cheap, for it is asked often. The rest is in `all_of`."""
    words = {one.__tablename__: _rows(session, select(one.__table__)) for one in (*OF_THE_SITE, *OF_A_CLIP)}
    for said in session.scalars(select(SetAside.words).where(SetAside.whole).order_by(SetAside.video_id)):
        words |= {name: [*words[name], *rows] for name, rows in said.items()}
    paused = _rows(session, select(DeviceRow.__table__).where(DeviceRow.paused))
    return Decisions(said=words, paused=paused, deletions=deletions.said(session), going=going_words(session))


def all_of(session: Session) -> Decisions:
    leads = {row.leads[0]: row.trip_id for row in session.scalars(select(TripRow)) if row.leads}
    lost = Video.outcome.in_(("rejected", "vanished")), Video.media.is_(None)
    ended = [_ended(session, video) for video in session.scalars(select(Video).where(*lost).order_by(Video.video_id))]
    gone: dict[str, list[dict[str, Any]]] = {}
    for row in _rows(session, select(Holding.__table__).where(Holding.removed_at.is_not(None))):
        gone.setdefault(row["video_id"], []).append(row)
    return said(session).model_copy(update={"trip_numbers": leads, "ended": ended, "gone": gone})


def going_words(session: Session) -> list[dict[str, Any]]:
    told = []
    for row in _rows(session, select(Going.__table__)):
        parts = select(SetAside.rows).where(SetAside.going_id == row["going_id"], ~SetAside.whole)
        rows = [one for part in session.scalars(parts.order_by(SetAside.aside_id)) for one in aside.unpacked(part)]
        told.append(row | {"words": [one for one in rows if one[0] != SightingRow.__tablename__]})
    return told


def write(stores: Stores, decisions: Decisions) -> None:
    """Replaces the file, or leaves the old one. Raises `StoreError`, `StorageError` or ``OSError``."""
    file = stores.path(layout.DECISIONS)
    file.parent.mkdir(exist_ok=True)
    bundle.write_file(file, to_bytes(decisions))


def to_bytes(decisions: Decisions) -> bytes:
    """Same content, same bytes."""
    return (json.dumps(decisions.model_dump(mode="json"), sort_keys=True, indent=1) + "\n").encode()


def read(stores: Stores) -> Decisions | None:
    """None where none were ever written. Raises `StorageError` for a file that cannot be understood."""
    file = stores.path(layout.DECISIONS)
    try:
        return Decisions.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise StorageError(f"{file} cannot be read by this version; what a person has decided is in it.") from error


def put_back(session: Session, decisions: Decisions, tables: Iterable[Any], video_id: str | None = None) -> None:
    """Insert the rows of these tables, of one clip where it is named; those that are there already stay."""
    for one in tables:
        for row in decisions.said.get(one.__tablename__, []):
            if video_id is None or row["video_id"] == video_id:
                _insert(session, one, row)


def put_back_pauses(session: Session, decisions: Decisions) -> None:
    for row in decisions.paused:
        _insert(session, DeviceRow, row)


def put_back_gone(session: Session, decisions: Decisions, video_id: str) -> None:
    """Instead of what the clip's last stage has just noted."""
    for row in decisions.gone.get(video_id, []):
        session.execute(delete(Holding).where(Holding.video_id == video_id, Holding.kind == row["kind"]))
        _insert(session, Holding, row)


def gone_since(session: Session, decisions: Decisions, video_id: str) -> bool:
    """Whether a rule has let the clip itself go, and the database holds it still."""
    row = session.get(Holding, (video_id, "raw"))
    said = any(one["kind"] == "raw" for one in decisions.gone.get(video_id, []))
    return said and row is not None and row.removed_at is None


def lacks(session: Session, decisions: Decisions, table: Any, video_id: str) -> bool:
    """Whether something was said of the clip in this table that the database has not."""
    said = any(row["video_id"] == video_id for row in decisions.said.get(table.__tablename__, []))
    return said and session.get(table, video_id) is None


def _ended(session: Session, video: Video) -> EndedClip:
    done = select(TaskRow).where(TaskRow.video_id == video.video_id, TaskRow.state == "complete")
    stages = [stage_record(row) for row in session.scalars(done.order_by(TaskRow.task_id))]
    record = ClipRecord(video_id=video.video_id, source=video.source, stages=stages)
    return EndedClip(record=record, name=video.name, created_at=video.created_at)


def _rows(session: Session, query: Any) -> list[dict[str, Any]]:
    found = [dict(row) for row in session.execute(query).mappings()]
    told = [{key: _plain(value) for key, value in row.items()} for row in found]
    return sorted(told, key=lambda row: json.dumps(row, sort_keys=True))


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _insert(session: Session, entity: Any, row: dict[str, Any]) -> None:
    columns = entity.__table__.columns
    known = {
        name: datetime.fromisoformat(value) if value and isinstance(columns[name].type, UtcDateTime) else value
        for name, value in row.items()
        if name in columns
    }
    keys = [column for column in columns if column.primary_key]
    if session.execute(select(*keys).where(*(column == known[column.name] for column in keys))).first() is None:
        session.execute(insert(entity), [known])
