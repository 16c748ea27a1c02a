"""Clips arrive: a path becomes a video by its content, and a new video becomes an INGEST_VIDEO task."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from dashcam.catalog.models import SourceFile, Video
from dashcam.database import reading
from dashcam.media import identity
from dashcam.storage.roots import StoreError, Stores
from dashcam.tasks import table
from dashcam.tasks.model import InputRef, NewTask, TaskType


class Arrival(BaseModel):
    """What became of one file: a ``new`` video, a ``known`` one, or ``unreadable`` with the reason."""

    uri: str
    status: Literal["new", "known", "unreadable"]
    video_id: str | None = None
    reason: str | None = None


class Look(BaseModel):
    """One file as found on disk, before anything is written down."""

    ref: InputRef
    size: int = 0
    mtime_ns: int = 0
    video_id: str | None = None
    reason: str | None = None


def look(engine: Engine, stores: Stores, ref: InputRef) -> Look:
    """Identify the file by content; a path known with the same size and time is not read again."""
    try:
        path = stores.path(ref.uri)
        status = path.stat()
        with reading(engine) as session:
            known = session.get(SourceFile, ref.uri)
        if known is not None and (known.size, known.mtime_ns) == (status.st_size, status.st_mtime_ns):
            video_id = known.video_id
        else:
            video_id = identity.video_id(path)
    except FileNotFoundError:
        return Look(ref=ref, reason=f"{ref.path} is not there (any more): check the path, or wait for the copy to end.")
    except StoreError as error:
        return Look(ref=ref, reason=str(error))
    except OSError as error:
        why = error.strerror or error
        return Look(ref=ref, reason=f"{ref.path} cannot be read ({why}): check the file's rights and the disk.")
    return Look(ref=ref, size=status.st_size, mtime_ns=status.st_mtime_ns, video_id=video_id)


def admit(session: Session, found: Look) -> Arrival:
    """Write the file down; a content not seen before is published as INGEST_VIDEO."""
    uri = found.ref.uri
    if found.video_id is None:
        return Arrival(uri=uri, status="unreadable", reason=found.reason)
    video = session.get(Video, found.video_id)
    is_new = video is None
    if video is None:
        name = found.ref.path.rsplit("/", 1)[-1]
        session.add(Video(video_id=found.video_id, name=name, source=uri, created_at=datetime.now(UTC)))
        session.flush()
        ref = found.ref.model_copy(update={"type": "video"})
        table.publish(session, NewTask(task_type=TaskType.INGEST_VIDEO, video_id=found.video_id, inputs=[ref]))
    session.merge(SourceFile(uri=uri, size=found.size, mtime_ns=found.mtime_ns, video_id=found.video_id))
    session.flush()
    return Arrival(uri=uri, status="new" if is_new else "known", video_id=found.video_id)
