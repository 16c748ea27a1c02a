"""Something happens in the midst of a stage: just before its k-th change of a file.

Python tells an audit hook of each file that is opened, renamed, removed, made; flushing (`os.fsync`) is told too. What
happens there may be anything: the process dies, a store goes away, another worker does the same task meanwhile.
"""

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dashcam import Explained

EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.rmtree", "os.scandir",
          "os.listdir"}  # fmt: skip
READS = {"os.scandir", "os.listdir"}


class Killed(BaseException):
    """The process is no more: nothing of it is cleaned up, no ``finally`` of it changes a file."""


class NoSuchMoment(Explained):
    """The stage was over before the k-th change."""


@dataclass
class Watch:
    """Counts what a thread does to files below some folders, and lets something happen at one moment."""

    below: Sequence[Path]
    at: int | None = None
    """The number of the change before which ``happens``; None: it is counted only."""
    happens: Callable[[str, Path], None] = lambda event, path: None
    reads: bool = False
    """Opening to read, and listing, count too."""
    count: int = 0
    done: list[str] = field(default_factory=list)
    """The changes, in words."""
    dead: bool = False
    trouble: Callable[[str, Path], None] | None = None
    """Is asked before each change from then on; what it raises, the change raises."""

    def see(self, event: str, path: Path) -> None:
        if not any(path.is_relative_to(folder) for folder in self.below):
            return
        if self.dead:
            raise Killed
        if self.trouble is not None:
            self.trouble(event, path)
        self.count += 1
        self.done.append(f"{event} {path.name}")
        if self.count == self.at:
            try:
                self.happens(event, path)
            except Killed:
                self.dead = True
                raise


_watches = threading.local()
_hooked = False


@contextmanager
def watching(watch: Watch) -> Iterator[Watch]:
    """What this thread does in the block is told to ``watch``."""
    _hook()
    stack: list[Watch] = _watches.__dict__.setdefault("stack", [])
    stack.append(watch)
    try:
        yield watch
    finally:
        stack.remove(watch)


@contextmanager
def unwatched() -> Iterator[None]:
    """What is done in the block is somebody else's doing."""
    stack: list[Watch] = _watches.__dict__.setdefault("stack", [])
    aside, stack[:] = list(stack), []
    try:
        yield
    finally:
        stack[:] = aside


def _hook() -> None:
    global _hooked
    if _hooked:
        return
    _hooked = True
    sys.addaudithook(_told)
    flush = os.fsync

    def fsync(handle: Any) -> None:
        _tell("fsync", f"/proc/self/fd/{handle if isinstance(handle, int) else handle.fileno()}", follow=True)
        flush(handle)

    setattr(os, "fsync", fsync)  # noqa: B010


def _told(event: str, arguments: tuple[Any, ...]) -> None:
    if event in EVENTS and getattr(_watches, "stack", None):
        path = arguments[0]
        if not isinstance(path, str | bytes | os.PathLike):
            return  # by a number, or relative to a folder's: what removes a tree was told by its name
        changes = event not in READS and (event != "open" or _writes(arguments))
        if changes or any(watch.reads for watch in _watches.stack):
            _tell(event if changes else f"read {event}", os.fsdecode(path))


def _writes(arguments: tuple[Any, ...]) -> bool:
    flags = arguments[2] if len(arguments) > 2 and isinstance(arguments[2], int) else 0
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))


def _tell(event: str, path: str, follow: bool = False) -> None:
    stack = getattr(_watches, "stack", None)
    if not stack:
        return
    watch = stack[-1]
    with unwatched():
        where = Path(path).readlink() if follow else Path(path)
        if event.startswith("read ") and not watch.reads:
            return
        watch.see(event, where)
