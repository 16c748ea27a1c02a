"""The marker of a store: a file in its root, without which its folder counts as not mounted (`dashcam.storage.roots`).

Written into a bare mount point it would be worse than none: what is archived then fills the system's disk. So it is
written once, and only where the store itself is seen, or where a person says so.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from dashcam.config import MARKER
from dashcam.storage import layout
from dashcam.storage.bundle import write_file
from dashcam.storage.roots import StoreError, StoreMissing

FSTAB = Path("/etc/fstab")
_OURS = {layout.RAW, layout.PREPROC, layout.HEAVY_OUTPUT, ".dashcam"}
_RECORD = re.compile(r"[0-9a-f]{16}\.json")
"""As cold storage has them."""
_OF_THE_DISK = re.compile(r"[.@#$].*|lost\+found|System Volume Information")
"""Names that file systems and NAS put into a volume by themselves."""


class NotSure(StoreError):
    """Whether this is the store's folder is for a person to say; the message is one plain sentence."""


def mark(store: str, folder: Path, marker: str = MARKER, *, sure: bool = False) -> bool:
    """Write the marker of ``store`` into its ``folder``; False when it has it already.

    Not ``sure``, it is written only where the store is seen: where something of ours lies in the folder, or where a
    disk with nothing on it is mounted there. Else `NotSure` is raised. ``sure`` is a person's word for it, or said by
    who has just made the folder.

    Raises `StoreMissing` in either case when the folder is not there, or when ``/etc/fstab`` has something mounted
    there that is not; `StorageError` or ``OSError`` when it cannot be written.
    """
    if not folder.is_dir():
        raise StoreMissing(f"Store {store} is not there: {folder} is no folder on this device; mount it first.")
    if (folder / marker).is_file():
        return False
    for place in unmounted(folder):
        raise StoreMissing(f"Store {store} is not there: {FSTAB} has a disk for {place}, which is not mounted.")
    if not sure and (doubt := _doubt(folder)):
        raise NotSure(
            f"Store {store} has no marker yet: {folder} {doubt}. Mount the store there; or, if this is its folder "
            f"already, run: dashcam setup --mark {store}"
        )
    words = f"The store {store} of dashcam-processor. Without this file it counts as not mounted.\n"
    write_file(folder / marker, words.encode())
    return True


def unmounted(folder: Path) -> Iterator[Path]:
    """Mount points of ``/etc/fstab`` at or above ``folder`` on which nothing is mounted now."""
    try:
        lines = FSTAB.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    real = Path(os.path.realpath(folder))
    for line in lines:
        fields = line.split()
        if len(fields) < 2 or line.lstrip().startswith("#") or not fields[1].startswith("/"):
            continue
        place = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[1]))
        if (place == real or place in real.parents) and not os.path.ismount(place):
            yield place


def _doubt(folder: Path) -> str | None:
    """What speaks against ``folder`` being the store's, in words."""
    others = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir() and (entry.name in _OURS or (Path(entry.path) / layout.MANIFEST).is_file()):
                return None
            if _RECORD.fullmatch(entry.name):
                return None
            if not _OF_THE_DISK.fullmatch(entry.name):
                others.append(entry.name)
    if others:
        return f"holds {others[0]!r} and nothing of ours"
    return None if os.path.ismount(folder) else "is empty, and no disk is mounted there"
