"""Clips arrive: a path becomes a video by its content, and a new video becomes an INGEST_VIDEO task.

A file is taken once it is whole. Its name must be a clip's, not hidden, not a partial download's; and it must have
settled: unchanged for a while by its own date, or since an earlier look (a NAS whose clock is ahead, a copy that
brings an old date along).
"""

import stat
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from pydantic import BaseModel
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from dashcam.catalog import deletions, held_back, holdings
from dashcam.catalog.models import SourceFile, Video
from dashcam.database import insert, reading
from dashcam.media import identity, names
from dashcam.storage.roots import StoreError, StoreMissing, Stores, split
from dashcam.tasks import table
from dashcam.tasks.model import InputRef, Listed, NewTask, TaskType

Status = Literal["new", "known", "waiting", "unreadable", "deleted"]


class Arrival(BaseModel):
    """What became of one file: a ``new`` video, a ``known`` one, one ``waiting`` until it is whole, ``unreadable``, or
    ``deleted`` by a person and not taken again; the last three with the reason."""

    uri: str
    status: Status
    video_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class FoundFile:
    """One file as found on disk, before anything is written down."""

    ref: InputRef
    size: int = 0
    mtime_ns: int = 0
    path: Path | None = None
    """Where it is on this machine; None where it cannot be read."""
    video_id: str | None = None
    read: bool = False
    """Its content was read now; False where the path is known at this size and time."""
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
    known = seen_before(session, uris)
    return [
        file
        for uri, file in zip(uris, files, strict=True)
        if uri not in known or known[uri][:2] != (file.size, file.mtime_ns)
    ]


def look(
    engine: Engine, stores: Stores, refs: Sequence[InputRef], settling: Settling | None = None, settle_s: float = 0
) -> list[FoundFile]:
    """Identify files by content; a path known with the same size and time is not read again.

    Without ``settling`` whoever names the files vouches for them: they are taken as they are.
    """
    there = [told(on_disk, ref, stores, settling) for ref in refs]
    with reading(engine) as session:
        known = seen_before(session, [one.ref.uri for one in there if one.path])
    identified = [
        told(identify, one.ref, one, one.path, known, settling, settle_s) if one.path else one for one in there
    ]
    with reading(engine) as session:
        return left_behind(session, stores, identified)


def told(find_out: Callable[..., FoundFile], ref: InputRef, *arguments: Any) -> FoundFile:
    """What is found out about the file, or the sentence that says why it cannot be."""
    try:
        return find_out(ref, *arguments)
    except FileNotFoundError:
        name = names.printable(ref.path)
        return FoundFile(ref, reason=f"{name} is not there (any more): check the path, or wait for the copy to end.")
    except StoreError as error:
        return FoundFile(ref, reason=str(error))
    except OSError as error:
        name, why = names.printable(ref.path), error.strerror or str(error)
        return FoundFile(ref, reason=f"{name} cannot be read ({why}): check the file's rights and the disk.")


def on_disk(ref: InputRef, stores: Stores, settling: Settling | None) -> FoundFile:
    path = stores.path(ref.uri)
    if settling is not None and (hidden := not_final(ref)):
        return FoundFile(ref, waiting=True, reason=hidden)
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):  # to open a pipe would wait for ever
        name = names.printable(ref.path)
        return FoundFile(ref, reason=f"{name} is no file: name the clips themselves, or hand in the folder.")
    return FoundFile(ref, status.st_size, status.st_mtime_ns, path)


def seen_before(session: Session, uris: Iterable[str]) -> dict[str, tuple[int, int, str]]:
    """Size, time and video of those paths that have been looked at."""
    columns = SourceFile.uri, SourceFile.size, SourceFile.mtime_ns, SourceFile.video_id
    found = session.execute(select(*columns).where(SourceFile.uri.in_(set(uris))))
    return held_back.files(session) | {uri: (size, mtime_ns, video_id) for uri, size, mtime_ns, video_id in found}


def identify(
    ref: InputRef,
    found: FoundFile,
    path: Path,
    known: Mapping[str, tuple[int, int, str]],
    settling: Settling | None,
    settle_s: float,
) -> FoundFile:
    if (before := known.get(ref.uri)) and before[:2] == (found.size, found.mtime_ns):
        return replace(found, video_id=before[2])
    if settling is not None and not settling.settled(ref.uri, found.size, found.mtime_ns, settle_s):
        why = f"{names.printable(ref.path)} was changed less than {settle_s:g} s ago: it is taken when it has settled."
        return FoundFile(ref, waiting=True, reason=why)
    video_id = identity.video_id(path)
    if settling is not None:
        settling.forget(ref.uri)
    return replace(found, video_id=video_id, read=True)


def not_final(ref: InputRef) -> str | None:
    """Why the name says that this is no finished clip; None when it is one."""
    path = PurePosixPath(ref.path)
    if names.is_clip(path) and not any(part.startswith(".") for part in path.parts):
        return None
    return (
        f"{names.printable(ref.path)} is hidden, a partial download or no clip: it is taken when it has a clip's name."
    )


def left_behind(session: Session, stores: Stores, found: Sequence[FoundFile]) -> list[FoundFile]:
    """The same, each with the place that its video has left: it is there and empty now, or has another video since. Not
    for a copy, and not where that store is away."""
    videos = standing(session, [one.video_id for one in found if one.read and one.video_id])
    sources = {video_id: source for video_id, (source, _) in videos.items()}
    holds = {uri: video_id for uri, (_, _, video_id) in seen_before(session, sources.values()).items()}
    holds |= {one.ref.uri: one.video_id for one in found if one.video_id}

    def left(one: FoundFile) -> str | None:
        if not one.read or one.video_id not in sources or (source := sources[one.video_id]) == one.ref.uri:
            return None
        is_its = holds.get(source, one.video_id) == one.video_id
        try:
            return None if stores.path(source).exists() and is_its else source
        except (StoreError, OSError):
            return None

    return [replace(one, left=source) if (source := left(one)) else one for one in found]


def standing(session: Session, video_ids: Iterable[str]) -> dict[str, tuple[str, str | None]]:
    """Source and outcome of those videos that there are."""
    columns = Video.video_id, Video.source, Video.outcome
    found = session.execute(select(*columns).where(Video.video_id.in_(set(video_ids))))
    return {video_id: (source, outcome) for video_id, source, outcome in found}


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


class NewRows:
    """What a batch adds to the tables, written in few statements."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.videos: list[dict[str, Any]] = []
        self.tasks: list[NewTask] = []
        self.files: dict[str, dict[str, Any]] = {}

    def video(self, video_id: str, clip: InputRef) -> None:
        name = clip.path.rsplit("/", 1)[-1]
        row = {"video_id": video_id, "name": name, "source": clip.uri, "created_at": datetime.now(UTC)}
        self.videos.append(row)
        self.tasks.append(NewTask(task_type=TaskType.INGEST_VIDEO, video_id=video_id, inputs=[clip]))

    def file(self, found: FoundFile) -> None:
        uri = found.ref.uri
        row = {"uri": uri, "size": found.size, "mtime_ns": found.mtime_ns, "video_id": found.video_id}
        self.files[uri] = row

    def write(self) -> None:
        """In the order of the keys, so that two who write at once never wait for each other in a circle."""
        if self.videos:
            of_content = insert(self.session, Video).on_conflict_do_nothing(index_elements=["video_id"])
            self.session.execute(of_content, sorted(self.videos, key=lambda row: str(row["video_id"])))
            table.publish_all(self.session, self.tasks)
        if self.files:
            seen = insert(self.session, SourceFile)
            new = {name: seen.excluded[name] for name in ("size", "mtime_ns", "video_id")}
            at_its_path = seen.on_conflict_do_update(index_elements=["uri"], set_=new)
            self.session.execute(at_its_path, [self.files[uri] for uri in sorted(self.files)])
        self.videos, self.tasks, self.files = [], [], {}


def admit(session: Session, found: Sequence[FoundFile]) -> list[Arrival]:
    """Write files down; a content not seen before is published as INGEST_VIDEO, once for all files that have it.

    A video whose file was moved, or that had vanished and is back, goes on from where it was.
    """
    known = standing(session, (one.video_id for one in found if one.video_id))
    deleted = deletions.deleted_clips(session, (one.video_id for one in found if one.video_id))
    going = held_back.clips(session, (one.video_id for one in found if one.video_id))
    rows, arrivals = NewRows(session), []
    for one in found:
        uri = one.ref.uri
        if one.video_id is None:
            status: Status = "waiting" if one.waiting else "unreadable"
            arrivals.append(Arrival(uri=uri, status=status, reason=one.reason))
            continue
        if one.video_id in going:
            why = f"{names.printable(one.ref.path)} was deleted or hidden by a person, who may have it back."
            arrivals.append(Arrival(uri=uri, status="deleted", reason=why))
            continue
        if one.video_id in deleted:
            if uri.startswith(holdings.RAW):
                deletions.leave_over(session, {one.video_id: [uri]}, datetime.now(UTC))
            why = f"{names.printable(one.ref.path)} was deleted by a person, and is not taken in again."
            arrivals.append(Arrival(uri=uri, status="deleted", reason=why))
            continue
        clip = one.ref.model_copy(update={"type": "video"})
        is_new = one.video_id not in known
        if is_new:
            rows.video(one.video_id, clip)
            known[one.video_id] = uri, None
        elif one.left == known[one.video_id][0] or known[one.video_id][1] == "vanished":
            rows.write()  # what came before may be what is moved
            video = session.get_one(Video, one.video_id)
            move(session, video, clip)
            session.flush()
            known[one.video_id] = video.source, video.outcome
        rows.file(one)
        arrivals.append(Arrival(uri=uri, status="new" if is_new else "known", video_id=one.video_id))
    rows.write()
    read = [one for one in found if one.read and one.video_id in known and one.ref.uri.startswith(holdings.RAW)]
    holdings.come_back(session, (one.video_id for one in read if one.video_id))
    return arrivals


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
