"""What a person has deleted goes from the stores, on a machine that has them mounted.

The database has forgotten it by then, and says what is left over. A clip's file goes only where it is that clip still;
an archive of which only plates are deleted keeps what its record says now, and nothing else. Safe to be cut off
anywhere: what is not settled is told again.
"""

import contextlib
import hashlib
import math
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from dashcam import Say
from dashcam.records import HIDDEN, ClipRecord, ManifestEntry, Record
from dashcam.storage import bundle, layout
from dashcam.storage.bundle import StorageError
from dashcam.storage.roots import StoreError, StoreMissing, Stores, split
from dashcam.tasks.client import MainServerClient, ServerRefused
from dashcam.tasks.model import TaskType
from dashcam.upkeep import removing
from dashcam.upkeep.removing import Another, Kept
from dashcam.upkeep.sweep import size_of

AT_ONCE = 200


class LeftBehind(Record):
    """What the main server says is left over of one clip."""

    video_id: str
    whole: bool
    uris: list[str]
    since: datetime
    in_work: bool = False
    """Something of the clip is still to be done: what it writes comes first."""
    cold_store: str | None = None


@dataclass
class Erased:
    clips: int = 0
    """Of which nothing is left."""
    plates: int = 0
    """Clips whose archive has forgotten plates."""
    bytes: int = 0
    kept: list[str] = field(default_factory=list)
    """Why something lies there still, a sentence each."""


def carry_out(
    server: MainServerClient, stores: Stores, tell: Say = lambda line: None, seconds: float = math.inf
) -> Erased:
    """See to all that is left over, or to what there is time for. What cannot go now is said, and told again the next
    time."""
    done, seen, began = Erased(), set[str](), time.monotonic()
    while True:
        told = server.call("GET", "/deletions/leftovers", params={"limit": AT_ONCE, "skip": len(done.kept)})
        new = [left for one in told if (left := LeftBehind.model_validate(one)).video_id not in seen]
        if not new:
            return done
        for left in new:
            if time.monotonic() - began > seconds:
                return done
            seen.add(left.video_id)
            see_to(server, stores, left, done, tell)


def see_to(server: MainServerClient, stores: Stores, left: LeftBehind, done: Erased, tell: Say) -> None:
    trouble: str | None = None
    try:
        if left.whole:
            size = erase(stores, left)
            done.clips += 1
        else:
            size = redact(server, stores, left)
            done.plates += 1
        done.bytes += size
        tell(f"gone: {left.video_id}, {size:,} bytes")
    except (Kept, StoreError, StorageError, ServerRefused, OSError) as error:
        trouble = str(error)
        done.kept.append(f"{left.video_id}: {trouble}")
        tell(f"still there: {done.kept[-1]}")
    settled = {"since": left.since.isoformat(), "trouble": trouble}
    server.call("POST", f"/deletions/leftovers/{left.video_id}", json=settled)


def erase(stores: Stores, left: LeftBehind) -> int:
    """Everything of a clip; bytes. Raises before anything goes where a store is away, and `Kept` in the end where a
    file of its has to stay."""
    video_id = left.video_id
    places = [layout.preproc(video_id), layout.bundle(video_id), layout.archive(video_id)]
    folders = [stores.path(uri) for uri in places if split(uri)[0] in stores.roots]
    for store in {split(uri)[0] for uri in places} & stores.roots.keys():
        ensure_mounted(stores, store)
    size, stays = 0, []
    for uri in left.uris:
        try:
            size += removing.unlink_clip(stores, uri, video_id) or 0
        except Another:
            continue  # its place was taken by another clip, which nobody has deleted
        except Kept as kept:
            stays.append(str(kept))
    for folder in folders:
        bundle.sweep_temporaries(folder.parent, video_id)
        size += let_go(folder)
    if left.cold_store is not None:
        size += unlink(stores.path(f"{left.cold_store}:{video_id}.json"))
    if stays:
        raise Kept(" ".join(stays))
    return size


def ensure_mounted(stores: Stores, store: str) -> None:
    if not any(stores.root(store).iterdir()):
        raise StoreMissing(f"{stores.root(store)} is empty, which is what a missing mount looks like.")


def let_go(folder: Path) -> int:
    if folder.is_symlink() or not folder.is_dir():
        return 0
    size = size_of(folder)
    bundle.let_go(folder)
    return size


def unlink(file: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        size = file.lstat().st_size
        file.unlink()
        bundle.sync_folder(file.parent)
        return size
    return 0


def redact(server: MainServerClient, stores: Stores, left: LeftBehind) -> int:
    """The archive keeps what its record says now; bytes that went. What the archive was made from goes."""
    if left.in_work:
        raise Kept("its clip is in work: its archive is seen to when that is done.")
    ensure_mounted(stores, layout.SHED)
    folder, made_from = (stores.path(place(left.video_id)) for place in (layout.archive, layout.bundle))
    told = server.call("GET", f"/videos/{left.video_id}/record", missing_ok=True)
    if told is None:
        return let_go(made_from)  # the clip has shown nothing that would be kept
    if not folder.is_dir():
        raise Kept(f"its archive {folder} is not there: archive it again.")
    record = ClipRecord.model_validate(told)
    size = rewrite(folder, record)
    if left.cold_store is not None and (copy := stores.path(f"{left.cold_store}:{left.video_id}.json")).exists():
        bundle.write_file(copy, bundle.record_bytes(record))
    if made_from.is_dir():  # it has the plates too, and all of it that is to stay must lie in the archive
        if differences := bundle.verify(folder, bundle.read_manifest(folder)):
            raise StorageError(f"{folder} is not what its manifest says ({differences[0]}): archive it again.")
        size += let_go(made_from)
    return size


def rewrite(folder: Path, record: ClipRecord) -> int:
    """First the record, then the manifest, then the pictures: cut off anywhere, the next time ends it."""
    manifest = bundle.read_manifest(folder)
    if manifest.video_id != record.video_id:
        raise StorageError(f"The manifest in {folder} belongs to another clip ({manifest.source}).")
    shown = pictures_of(record)
    pictures = (f"{layout.PLATES}/", f"{layout.FRAMES}/")
    goes = {
        entry.path for entry in manifest.files
        if entry.path.startswith(pictures) and entry.path not in {*shown, layout.TIMES, layout.POSTER}
    }  # fmt: skip
    data = bundle.record_bytes(record)
    entry = ManifestEntry(path=layout.RECORD, size=len(data), sha256=hashlib.sha256(data).hexdigest())
    files = [one for one in manifest.files if one.path not in {*goes, layout.RECORD}]
    bundle.write_file(folder / layout.RECORD, data)
    now = manifest.model_copy(update={"files": sorted([*files, entry], key=lambda one: one.path)})
    bundle.write_file(folder / layout.MANIFEST, bundle.manifest_bytes(now))
    stays = {one.path for one in now.files}
    # also those that a run which was cut off has taken out of the manifest already
    left = [path for name, path in bundle.tree(folder).items() if name.startswith(pictures) and name not in stays]
    return sum(unlink(path) for path in left)


def pictures_of(record: ClipRecord) -> set[str]:
    """The crops and frames that the record shows; of a hashed plate it shows none."""
    found: set[str] = set()
    for stage in record.stages:
        if stage.task_type == TaskType.HEAVY_PROCESS_VIDEO:
            for one in stage.result.get("sightings", []):
                found |= set() if str(one["text"]).startswith(HIDDEN) else {str(one["crop"]), str(one["frame"])}
    return found
