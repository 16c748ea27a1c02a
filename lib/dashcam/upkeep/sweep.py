"""The sweep: what crashes and late runs have left in our folders goes, after a time of grace.

Removed are half-written files and folders of our own naming, intermediates of clips that have ended, and scratch of
dead runs. Only reported are clips whose archive is missing, and folders whose clip nobody knows: they may be all that
is left of a lost database. Nothing else is looked at.
"""

import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from dashcam import Say
from dashcam.config import POOLS
from dashcam.records import Record
from dashcam.storage import bundle, layout
from dashcam.storage.bundle import StorageError
from dashcam.storage.roots import StoreError, Stores
from dashcam.tasks.client import MainServerClient

GRACE_S = 24 * 3600.0
ASKED = 500
"""Folders about which the server is asked at once."""
VIDEO_ID = re.compile(r"[0-9a-f]{16}")
SCRATCH = "clip-"


class Folder(Record):
    """``indoor_nas:<kind>/<video_id>``."""

    kind: Literal["preproc", "heavy_output"]
    video_id: str


class Word(Folder):
    """What the main server says of a folder."""

    orphan: bool
    why: str
    unknown: bool = False
    deleted: bool = False
    """A person has deleted its clip, so its archive goes too."""
    archived: bool = False
    """Its clip has an archive, which has to be whole before this goes."""
    sha256: str = ""
    """Of the clip that the archive must be made from."""


class Left(Record):
    """Something that was left behind."""

    place: str
    why: str
    bytes: int = 0
    removed: bool = False
    """Or put back. False where it is only reported, and in a dry run."""


class Swept(Record):
    left: list[Left] = Field([])
    trouble: list[str] = Field([])
    """What could not be looked at or removed, a sentence each."""

    @property
    def removed(self) -> list[Left]:
        return [one for one in self.left if one.removed]


def sweep(
    server: MainServerClient,
    stores: Stores,
    scratches: Sequence[Path],
    grace_s: float = GRACE_S,
    dry_run: bool = False,
    tell: Say = lambda line: None,
) -> Swept:
    """Look at everything, remove what may go. A store that is away keeps the others from nothing."""
    broom = Broom(server, stores, grace_s, dry_run, tell)
    for part in (broom.temporaries, broom.folders, broom.archives):
        try:
            part()
        except (StoreError, OSError) as error:
            broom.trouble.append(str(error))
    broom.scratch(scratches)
    return Swept(left=broom.left, trouble=list(dict.fromkeys(broom.trouble)))


class Broom:
    def __init__(self, server: MainServerClient, stores: Stores, grace_s: float, dry_run: bool, tell: Say) -> None:
        self.server, self.stores = server, stores
        self.grace_s, self.dry_run, self.tell = grace_s, dry_run, tell
        self.left: list[Left] = []
        self.trouble: list[str] = []

    def note(self, place: str, why: str, size: int = 0, removed: bool = False) -> None:
        self.left.append(Left(place=place, why=why, bytes=size, removed=removed))
        self.tell(f"{'removed' if removed else 'left'}: {place}: {why}")

    def temporaries(self) -> None:
        """Half-written files and folders, as `bundle` names them, in the folders that are ours alone."""
        for store, folder in ((layout.INDOOR, layout.PREPROC), (layout.INDOOR, layout.HEAVY_OUTPUT), (layout.SHED, "")):
            parent = self.stores.root(store) / folder
            for path in bundle.temporaries(parent, older_than_s=self.grace_s):
                if now_old(path) < self.grace_s:
                    continue
                why = "moved aside by a run that was cut off; put back" if bundle.put_back_as(path) else "half written"
                size = size_of(path)
                if not self.dry_run:
                    bundle.sweep_one(path)
                self.note(f"{store}:{folder}/{path.name}".replace(":/", ":"), why, size, removed=not self.dry_run)

    def folders(self) -> None:
        """Intermediates of clips that have ended."""
        for kind in (layout.PREPROC, layout.HEAVY_OUTPUT):
            parent = self.stores.root(layout.INDOOR) / kind
            old = [{"kind": kind, "video_id": path.name} for path in ids_in(parent) if now_old(path) >= self.grace_s]
            for some in (old[start : start + ASKED] for start in range(0, len(old), ASKED)):
                for word in self.ask(some):
                    self.folder(word, parent / word.video_id)

    def ask(self, folders: list[dict[str, Any]]) -> list[Word]:
        answer = self.server.call("POST", "/sweep/judge", json={"folders": folders})
        return [Word.model_validate(word) for word in answer]

    def folder(self, word: Word, path: Path) -> None:
        place = f"{layout.INDOOR}:{word.kind}/{word.video_id}"
        if word.unknown:
            self.note(place, word.why)
        if not word.orphan:
            return
        size = size_of(path)
        if self.dry_run:
            self.note(place, word.why, size)
            return
        try:
            if word.archived:
                self.prove(word)
            (again,) = self.ask([{"kind": word.kind, "video_id": word.video_id}])
            if again.orphan and now_old(path) >= self.grace_s and not path.is_symlink():
                bundle.let_go(path)
                self.note(place, word.why, size, removed=True)
        except (StorageError, StoreError, OSError) as error:
            self.trouble.append(f"{place} stays: {error}")

    def prove(self, word: Word) -> None:
        """The archive of its clip is whole. Raises `StorageError`."""
        folder = self.stores.path(layout.archive(word.video_id))
        manifest = bundle.read_manifest(folder)
        if (manifest.video_id, manifest.source_sha256) != (word.video_id, word.sha256):
            raise StorageError(f"the archive {folder} is of another clip.")
        if differences := bundle.verify(folder, manifest):
            raise StorageError(f"the archive {folder} is not what its manifest says ({differences[0]}).")

    def archives(self) -> None:
        """Clips whose archive is missing, and archives whose clip nobody knows, are reported and nothing else. Those of
        a deleted clip go."""
        root = self.stores.root(layout.SHED)
        there = {path.name for path in ids_in(root)}
        after = ""
        expected: set[str] = set()
        while some := self.server.call("GET", "/sweep/archives", params={"after": after}):
            expected.update(some)
            after = some[-1]
        for video_id in sorted(expected - there):
            why = f"its clip is processed, but {root} has no such folder: archive it again while its clip is there"
            self.note(layout.archive(video_id), why)
        others = sorted(there - expected)
        for batch in (others[start : start + ASKED] for start in range(0, len(others), ASKED)):
            for word in self.ask([{"kind": layout.HEAVY_OUTPUT, "video_id": video_id} for video_id in batch]):
                if word.deleted:
                    self.written_too_late(word, root / word.video_id)
                elif word.unknown:
                    self.note(layout.archive(word.video_id), word.why)

    def written_too_late(self, word: Word, archive: Path) -> None:
        """By a run that had a clip in hand when it was deleted."""
        size = size_of(archive)
        if not self.dry_run:
            bundle.let_go(archive)
        self.note(layout.archive(word.video_id), word.why, size, removed=not self.dry_run)

    def scratch(self, folders: Sequence[Path]) -> None:
        """What dead runs have left on this machine; a worker empties its own at its start."""
        for folder in folders:
            for path in sorted(folder.glob(f"{SCRATCH}*")) if folder.is_dir() else []:
                try:
                    if path.is_symlink() or not path.is_dir() or now_old(path) < self.grace_s:
                        continue
                    size = size_of(path)
                    if not self.dry_run:
                        shutil.rmtree(path)
                    self.note(str(path), "scratch of a run that has died", size, removed=not self.dry_run)
                except OSError as error:
                    self.trouble.append(f"{path} stays: {error}")


def scratches_of(scratch: Path) -> list[Path]:
    """Of all workers of this machine, by the scratch of one of them or of the device."""
    pools = sorted(set(POOLS.values()))
    parent = scratch.parent if scratch.name in pools else scratch
    return [parent, *(parent / pool for pool in pools)]


def ids_in(folder: Path) -> list[Path]:
    """Folders that are named as clips are; no links."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        named = [entry for entry in entries if VIDEO_ID.fullmatch(entry.name)]
        return sorted(Path(entry.path) for entry in named if entry.is_dir(follow_symlinks=False))


def now_old(path: Path) -> float:
    """Seconds since the last change of it, or of anything in it."""
    return time.time() - max(one.lstat().st_mtime for one in everything(path))


def size_of(path: Path) -> int:
    return sum(one.lstat().st_size for one in everything(path) if one.is_symlink() or one.is_file())


def everything(path: Path) -> Iterator[Path]:
    """The path and, if it is a folder, all in it; links are not followed."""
    yield path
    if path.is_dir() and not path.is_symlink():
        for parent, folders, names in os.walk(path):
            for name in (*folders, *names):
                yield Path(parent) / name
