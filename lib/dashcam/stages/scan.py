"""The scan: the clips below a folder are shown to the main server, which knows most of them by path, size and time.

A known file costs one line of a listing: no query, no hash, no flow run of its own.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from dashcam.media.names import is_clip, printable
from dashcam.storage.roots import Stores, split
from dashcam.tasks.client import MainServerClient
from dashcam.tasks.model import InputRef, Listed

Trouble = Callable[[str, str], None]
"""Takes a place and a sentence about it."""
LISTING = 5000
"""Files that are shown to the server at once."""
HANDED_IN = 500
"""Files that the server looks into at once: for one commit, and a second or two of reading them."""


@dataclass
class Scanned:
    """What one scan met. ``waiting`` files are seen again by the next; ``unreadable`` are sentences."""

    files: int = 0
    new: int = 0
    waiting: int = 0
    unreadable: list[str] = field(default_factory=list)


def scan(server: MainServerClient, stores: Stores, folder: str) -> Scanned:
    """Show every clip below ``store:folder`` to the server and hand in what it does not know.

    A folder that is not there holds nothing yet; a store that is not there raises ``StoreMissing``.
    """
    store, _ = split(folder)
    root, top = stores.root(store), stores.path(folder)
    done = Scanned()
    files = listed(top, root, lambda _, why: done.unreadable.append(why)) if top.is_dir() else iter(())
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


def clips_below(folder: Path | str, trouble: Trouble) -> Iterator[os.DirEntry[str]]:
    """Every clip below the folder. Hidden files and folders, partial downloads and linked folders do not exist here;
    nor does what is removed while it is read. What cannot be looked into is told to ``trouble``, and the rest goes on.
    """
    waiting = [os.fspath(folder)]
    while waiting:
        here = waiting.pop()
        below = []
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except FileNotFoundError:
            continue
        except OSError as error:
            trouble(here, f"{printable(here)} cannot be looked into ({error.strerror}): check its rights and the disk.")
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                below.append(entry.path)
            elif not is_clip(entry.name) or not _is_file(entry):
                continue
            elif why := unsayable(entry.path):
                trouble(entry.path, why)
            else:
                yield entry
        waiting += reversed(below)


def unsayable(path: Path | str) -> str | None:
    """Why a path cannot be handed in: JSON has no words for bytes that are not UTF-8. None for almost every path."""
    try:
        os.fspath(path).encode()
    except UnicodeEncodeError:
        return f"{printable(os.fspath(path))} has a name that is not UTF-8: rename it, then it is taken."
    return None


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link that leads to itself, or into a folder without rights
        return False


def listed(top: Path, root: Path, trouble: Trouble) -> Iterator[Listed]:
    """The clips below ``top`` as paths below ``root``."""
    for entry in clips_below(top, trouble):
        path = Path(entry.path).relative_to(root).as_posix()
        try:
            status = entry.stat()
        except FileNotFoundError:
            continue
        except OSError as error:
            trouble(path, f"{printable(path)} cannot be looked at ({error.strerror}): check its rights and the disk.")
        else:
            yield Listed(path, status.st_size, status.st_mtime_ns)
