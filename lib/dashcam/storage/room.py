"""Free space, looked at before it is used: what would not fit waits, and says so.

Of every disk a reserve stays free: for what was begun, for the database's own log, for whoever else uses the disk.
"""

import shutil
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

RESERVE, SHARE = 1 << 30, 0.05


@dataclass(frozen=True)
class Need:
    """So many ``bytes`` are to be written below ``folder``, which is there and is called ``what`` before a person."""

    what: str
    folder: Path
    bytes: int = 0


def reserve(total: int) -> int:
    """Bytes of a disk of ``total`` bytes that stay free."""
    return min(RESERVE, int(total * SHARE))


def shortage(needs: Iterable[Need]) -> str | None:
    """Why there is no room for all of these at once, in a plain sentence; None where there is.

    What lies on one disk counts together. A disk that does not tell its size is taken to have room. Raises ``OSError``
    where a folder cannot be looked at.
    """
    disks: dict[int, list[Need]] = defaultdict(list)
    for need in needs:
        disks[need.folder.stat().st_dev].append(need)
    for together in disks.values():
        disk, wanted = shutil.disk_usage(together[0].folder), sum(need.bytes for need in together)
        if disk.total and disk.free - wanted < reserve(disk.total):
            where = " and ".join(f"{need.what} ({need.folder})" for need in together)
            more = f", about {_size(wanted)} more are needed," if wanted else ""
            return (
                f"No room in {where}: {_size(disk.free)} are free{more} and {_size(reserve(disk.total))} have to stay "
                "free. Make room there, and it goes on by itself."
            )
    return None


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
