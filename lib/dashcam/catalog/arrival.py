"""Clips arrive: a path becomes a video by its content, and a new video becomes an INGEST_VIDEO task.

A file is taken once it is whole. Its name must be a clip's, not hidden, not a partial download's; and it must have
settled: unchanged for a while by its own date, or since an earlier look (a NAS whose clock is ahead, a copy that
brings an old date along).
"""

import stat
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Literal

from pydantic import BaseModel
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from dashcam.catalog.models import SourceFile, Video
from dashcam.database import reading
from dashcam.media import identity, names
from dashcam.storage.roots import StoreError, StoreMissing, Stores, split
from dashcam.tasks import table
from dashcam.tasks.model import InputRef, Listed, NewTask, TaskType


class Arrival(BaseModel):
    """What became of one file: a ``new`` video, a ``known`` one, one ``waiting`` until it is whole, or ``unreadable``;
    the last two with the reason."""

    uri: str
    status: Literal["new", "known", "waiting", "unreadable"]
    video_id: str | None = None
    reason: str | None = None


class Look(BaseModel):
    """One file as found on disk, before anything is written down."""

    ref: InputRef
    size: int = 0
    mtime_ns: int = 0
    video_id: str | None = None
    waiting: bool = False
    reason: str | None = None
    left: str | None = None
    """Where the same video was before, when it lies there no more."""


class Settling:
    """Files that were still changing when last seen. What a restart forgets is seen again by the next scan."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, int, float]] = {}

    def settled(self, uri: str, size: int, mtime_ns: int, settle_s: float, now: float | None = None) -> bool:
        """Whether the file has kept its size and time for ``settle_s``; ``now`` is in seconds since 1970."""
        now = time.time() if now is None else now
        before = self._seen.get(uri)
        since = before[2] if before is not None and before[:2] == (size, mtime_ns) else now
        if now - mtime_ns / 1e9 >= settle_s:
            self.forget(uri)
            return True
        self._seen[uri] = (size, mtime_ns, since)
        return now - since >= settle_s

    def forget(self, uri: str) -> None:
        """The file has been taken."""
        self._seen.pop(uri, None)


def unknown(session: Session, store: str, files: Sequence[Listed]) -> list[Listed]:
    """The files that have not been seen at this size and time: one query for all, no look at any of them."""
    uris = [f"{store}:{file.path}" for file in files]
    query = select(SourceFile.uri, SourceFile.size, SourceFile.mtime_ns).where(SourceFile.uri.in_(uris))
    known = {uri: (size, mtime_ns) for uri, size, mtime_ns in session.execute(query)}
    return [file for uri, file in zip(uris, files, strict=True) if known.get(uri) != (file.size, file.mtime_ns)]


def look(engine: Engine, stores: Stores, ref: InputRef, settling: Settling | None = None, settle_s: float = 0) -> Look:
    """Identify the file by content; a path known with the same size and time is not read again.

    Without ``settling`` whoever names the file vouches for it: it is taken as it is.
    """
    name = names.printable(ref.path)
    try:
        path = stores.path(ref.uri)
        if settling is not None and (hidden := not_final(ref)):
            return Look(ref=ref, waiting=True, reason=hidden)
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # to open a pipe would wait for ever
            return Look(ref=ref, reason=f"{name} is no file: name the clips themselves, or hand in the folder.")
        found = Look(ref=ref, size=status.st_size, mtime_ns=status.st_mtime_ns)
        with reading(engine) as session:
            known = session.get(SourceFile, ref.uri)
            if known is not None and (known.size, known.mtime_ns) == (found.size, found.mtime_ns):
                return found.model_copy(update={"video_id": known.video_id})
            if settling is not None and not settling.settled(ref.uri, found.size, found.mtime_ns, settle_s):
                why = f"{name} was changed less than {settle_s:g} s ago: it is taken when it has settled."
                return Look(ref=ref, waiting=True, reason=why)
            video_id = identity.video_id(path)
            if settling is not None:
                settling.forget(ref.uri)
            return found.model_copy(update={"video_id": video_id, "left": left_behind(session, stores, video_id, ref)})
    except FileNotFoundError:
        return Look(ref=ref, reason=f"{name} is not there (any more): check the path, or wait for the copy to end.")
    except StoreError as error:
        return Look(ref=ref, reason=str(error))
    except OSError as error:
        why = error.strerror or str(error)
        return Look(ref=ref, reason=f"{name} cannot be read ({why}): check the file's rights and the disk.")


def not_final(ref: InputRef) -> str | None:
    """Why the name says that this is no finished clip; None when it is one."""
    path = PurePosixPath(ref.path)
    if names.is_clip(path) and not any(part.startswith(".") for part in path.parts):
        return None
    return (
        f"{names.printable(ref.path)} is hidden, a partial download or no clip: it is taken when it has a clip's name."
    )


def left_behind(session: Session, stores: Stores, video_id: str, ref: InputRef) -> str | None:
    """Where the video was, if that place is there and empty now, or has another video since; None for a copy, and for a
    store that is away."""
    video = session.get(Video, video_id)
    if video is None or video.source == ref.uri:
        return None
    try:
        there = session.get(SourceFile, video.source)
        return (
            None if stores.path(video.source).exists() and (not there or there.video_id == video_id) else video.source
        )
    except (StoreError, OSError):
        return None


def still_there(session: Session, stores: Stores, video_id: str) -> str | None:
    """Where the content lies all the same: where the video was last seen, else a copy at the size and time it had.

    ``StoreError`` or ``OSError`` when a place cannot be looked at now: a mount that is missing is not empty.
    """
    known = {one.uri: one for one in session.scalars(select(SourceFile).where(SourceFile.video_id == video_id))}
    source = session.get_one(Video, video_id).source
    for uri in sorted(known, key=lambda uri: (uri != source, uri)):
        try:
            status = stores.path(uri).stat()
        except FileNotFoundError:
            root = stores.root(split(uri)[0])
            if not any(root.iterdir()):
                raise StoreMissing(f"{root} is empty, which is what a missing mount looks like.") from None
            continue
        if (status.st_size, status.st_mtime_ns) == (known[uri].size, known[uri].mtime_ns):
            return uri
    return None


def admit(session: Session, found: Look) -> Arrival:
    """Write the file down; a content not seen before is published as INGEST_VIDEO.

    A video whose file was moved, or that had vanished and is back, goes on from where it was.
    """
    uri = found.ref.uri
    if found.video_id is None:
        return Arrival(uri=uri, status="waiting" if found.waiting else "unreadable", reason=found.reason)
    clip = found.ref.model_copy(update={"type": "video"})
    video = session.get(Video, found.video_id)
    is_new = video is None
    if video is None:
        name = found.ref.path.rsplit("/", 1)[-1]
        session.add(Video(video_id=found.video_id, name=name, source=uri, created_at=datetime.now(UTC)))
        session.flush()
        table.publish(session, NewTask(task_type=TaskType.INGEST_VIDEO, video_id=found.video_id, inputs=[clip]))
    elif found.left == video.source or video.outcome == "vanished":
        move(session, video, clip)
    session.merge(SourceFile(uri=uri, size=found.size, mtime_ns=found.mtime_ns, video_id=found.video_id))
    session.flush()
    return Arrival(uri=uri, status="new" if is_new else "known", video_id=found.video_id)


def move(session: Session, video: Video, clip: InputRef) -> None:
    """The video's file lies elsewhere now, which may say something new about it: in ``RO`` are the locked clips."""
    left = SourceFile.uri == video.source, SourceFile.video_id == video.video_id
    session.execute(delete(SourceFile).where(*left))
    table.move_clip(session, video.video_id, clip)
    video.source = clip.uri
    if video.outcome == "vanished":
        video.outcome = video.reason = None
    if video.facts:
        name = names.parse(PurePosixPath(clip.path))
        video.facts = video.facts | {"kind": name.kind, "locked": name.locked}
