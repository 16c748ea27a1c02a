"""Archives are read against their manifests, slowly and in turn, so that a disk that forgets is noticed while there is
something to mend it from. Archives from before they kept the clip's record are given it on the way."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dashcam.records import ClipRecord, Manifest, ManifestEntry
from dashcam.storage import bundle, layout
from dashcam.storage.bundle import StorageError
from dashcam.storage.roots import StoreMissing, Stores
from dashcam.tasks.client import MainServerClient

AT_ONCE = 50
MOST_DAMAGED = 20
"""So many in one run are a bad disk or a wrong mount, and nothing that is done again would help."""


@dataclass
class Scrubbed:
    archives: int = 0
    bytes: int = 0
    completed: int = 0
    """Archives that were given the clip's record."""
    damaged: dict[str, list[str]] = field(default_factory=dict)
    """What is wrong, by clip."""
    mended_by: dict[str, str] = field(default_factory=dict)
    """Of these the stage from which on the clip is done again."""


class Pace:
    """So many bytes a second on the average, and no more."""

    def __init__(self, per_s: float) -> None:
        self.per_s, self.began, self.bytes = per_s, time.monotonic(), 0

    def read(self, count: int) -> None:
        self.bytes += count
        ahead = self.bytes / self.per_s - (time.monotonic() - self.began)
        if ahead > 0:
            time.sleep(ahead)


def scrub(
    server: MainServerClient,
    stores: Stores,
    *,
    mb_per_s: float,
    hours: float,
    tell: Callable[[str], None] = lambda line: None,
) -> Scrubbed:
    """Read archives, those first whose last time is longest ago, until all were read once or the time is over.

    Raises `StoreError` where the archive's store is away: then nothing is said of any.
    """
    done, pace = Scrubbed(), Pace(mb_per_s * 1e6)
    seen: set[str] = set()
    while time.monotonic() - pace.began < hours * 3600 and len(done.damaged) < MOST_DAMAGED:
        wanted = server.call("GET", "/archives/unchecked", params={"limit": AT_ONCE})
        new = [one for one in wanted if one["video_id"] not in seen]
        if not new:
            break
        for one in new:
            seen.add(one["video_id"])
            _check(server, stores, one["video_id"], one["archive"], pace, done, tell)
            if time.monotonic() - pace.began >= hours * 3600 or len(done.damaged) >= MOST_DAMAGED:
                break
    done.bytes = pace.bytes
    return done


def _check(
    server: MainServerClient,
    stores: Stores,
    video_id: str,
    archive: str,
    pace: Pace,
    done: Scrubbed,
    tell: Callable[[str], None],
) -> None:
    folder = stores.path(archive)
    if not any(stores.root(layout.SHED).iterdir()):
        raise StoreMissing(f"{folder.parent} is empty, which is what a missing mount looks like.")
    wrong = _differences(folder, video_id, pace)
    if wrong:  # it may have been archived anew just now, or let go of a small copy
        wrong = [one for one in _differences(folder, video_id, pace) if one in wrong]
    if not wrong and _complete(server, folder, video_id):
        done.completed += 1
    said: dict[str, Any] = server.call("POST", f"/archives/{video_id}/checked", json={"wrong": wrong[:20]})
    done.archives += 1
    if wrong:
        done.damaged[video_id] = wrong
        if said["mended_by"]:
            done.mended_by[video_id] = said["mended_by"]
        tell(f"{video_id}: {'; '.join(wrong[:3])}; {_how(said['mended_by'])}")


def _how(stage: str | None) -> str:
    return f"done again from {stage} on" if stage else "nothing is left to mend it from"


def _differences(folder: Path, video_id: str, pace: Pace) -> list[str]:
    try:
        if not folder.is_dir():
            return [f"{folder} is missing"]
        manifest = bundle.read_manifest(folder)
        if manifest.video_id != video_id:
            return [f"the manifest is of {manifest.video_id}"]
        late = {f"{layout.RECORD} is not in the manifest"}  # `_complete` was cut short; it goes on there
        return [one for one in bundle.verify(folder, manifest, pace.read) if one not in late]
    except (StorageError, OSError) as error:
        return [str(error)]


def _complete(server: MainServerClient, folder: Path, video_id: str) -> bool:
    """Give the archive the clip's record, while the database can tell; whether it has got one now.

    First the file, then the manifest that has it: what is cut off between the two is done again by the next scrub.
    """
    manifest = bundle.read_manifest(folder)
    if any(entry.path == layout.RECORD for entry in manifest.files):
        return False
    told = server.call("GET", f"/videos/{video_id}/record", missing_ok=True)
    if told is None:
        return False
    data = bundle.record_bytes(ClipRecord.model_validate(told))
    bundle.write_file(folder / layout.RECORD, data)
    manifest = bundle.read_manifest(folder)  # retention may have taken the small copy out of it meanwhile
    entry = ManifestEntry(path=layout.RECORD, size=len(data), sha256=hashlib.sha256(data).hexdigest())
    files = sorted([*manifest.files, entry], key=lambda one: one.path)
    bundle.write_file(folder / layout.MANIFEST, bundle.manifest_bytes(_with(manifest, files)))
    return True


def _with(manifest: Manifest, files: list[ManifestEntry]) -> Manifest:
    return manifest.model_copy(update={"files": files})
