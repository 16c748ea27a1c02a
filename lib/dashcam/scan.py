"""The scan: the clips below a folder are shown to the main server, which knows most of them by path, size and time.

A known file costs one line of a listing: no query, no hash, no flow run of its own.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from dashcam.media.names import is_clip
from dashcam.storage.roots import Stores, split
from dashcam.tasks.client import MainServer
from dashcam.tasks.model import InputRef, Listed

LISTING = 5000
"""Files that are shown to the server at once."""
HANDED_IN = 50
"""Files that the server looks into at once."""


@dataclass
class Scanned:
    """What one scan met. ``waiting`` files are seen again by the next; ``unreadable`` are sentences."""

    files: int = 0
    new: int = 0
    waiting: int = 0
    unreadable: list[str] = field(default_factory=list)


def scan(server: MainServer, stores: Stores, folder: str) -> Scanned:
    """Show every clip below ``store:folder`` to the server and hand in what it does not know.

    A folder that is not there holds nothing yet; a store that is not there raises ``StoreMissing``.
    """
    store, _ = split(folder)
    root, top = stores.root(store), stores.path(folder)
    done = Scanned()
    files = (listed(entry, root) for entry in clips_below(top)) if top.is_dir() else iter(())
    while listing := list(islice(files, LISTING)):
        done.files += len(listing)
        unknown = server.scan(store, listing)
        done.waiting += unknown["waiting"]
        wanted: list[str] = unknown["wanted"]
        for start in range(0, len(wanted), HANDED_IN):
            batch = [InputRef(device=store, path=path) for path in wanted[start : start + HANDED_IN]]
            count(done, server.ingest(batch))
    return done


def count(done: Scanned, arrivals: list[dict[str, str]]) -> None:
    for arrival in arrivals:
        match arrival["status"]:
            case "new":
                done.new += 1
            case "waiting":
                done.waiting += 1
            case "unreadable":
                done.unreadable.append(arrival["reason"])


def clips_below(folder: Path | str) -> Iterator[os.DirEntry[str]]:
    """Every clip below the folder. Hidden files and folders, partial downloads and linked folders do not exist here;
    nor does a folder that is removed while it is read."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from clips_below(entry.path)
        elif is_clip(entry.name) and entry.is_file():
            yield entry


def listed(entry: os.DirEntry[str], root: Path) -> Listed:
    status = entry.stat()
    return Listed(Path(entry.path).relative_to(root).as_posix(), status.st_size, status.st_mtime_ns)
