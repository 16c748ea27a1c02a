"""Which SQLite this machine has that keeps what it has committed.

SQLite 3.7.0 to 3.51.2 can lose committed rows in WAL mode when several connections write and one of them resets the
log (sqlite.org/wal.html#walresetbug). Debian's and most Python installers' are among them, so `pysqlite3`, which brings
an SQLite of its own, is installed wherever there is a wheel of it.
"""

import contextlib
import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

Version = tuple[int, ...]

FIRST_BAD: Version = (3, 7, 0)
MENDED: tuple[Version, ...] = ((3, 44, 6), (3, 50, 7), (3, 51, 3))
"""The first good one of each branch; whatever follows the last is good."""


def has_wal_reset_bug(version: Version) -> bool:
    """Whether this version of SQLite, as in `sqlite3.sqlite_version_info`, may lose committed rows in WAL mode."""
    if not FIRST_BAD <= version < MENDED[-1]:
        return False
    return not any(version[:2] == mended[:2] and version >= mended for mended in MENDED)


def driver() -> ModuleType:
    """The DB-API module whose SQLite is sound; Python's own `sqlite3` where none is."""
    for name in ("pysqlite3.dbapi2", "sqlite3.dbapi2"):
        with contextlib.suppress(ImportError):
            found = importlib.import_module(name)
            if not has_wal_reset_bug(found.sqlite_version_info):
                break
    return found


def advice(module: ModuleType) -> str:
    """The sentence for a machine where no SQLite is sound."""
    return (
        f"SQLite {module.sqlite_version}, which can lose committed rows in WAL mode (sqlite.org/wal.html#walresetbug), "
        "so it runs without: slower while something is written. Install the package pysqlite3 or a Python with SQLite "
        "3.51.3 or newer, or use PostgreSQL."
    )


def replace() -> ModuleType:
    """Let ``import sqlite3`` mean `driver` from now on in this process, for libraries that cannot be given a module.

    ``RuntimeError`` when `sqlite3` was imported before: whoever has it keeps the other one.
    """
    if "sqlite3" in sys.modules:
        raise RuntimeError("sqlite3 is imported already: replace it before anything else is imported.")
    chosen = driver()
    package = chosen.__name__.partition(".")[0]
    sys.modules["sqlite3"], sys.modules["sqlite3.dbapi2"] = sys.modules[package], chosen
    return chosen


def keep_private(database: Path) -> None:
    """Make the file for its owner alone, or take it from everybody else; SQLite gives its log the same rights.

    Raises ``OSError`` where it cannot be made.
    """
    # never opened when it is there: closing it would let go of the locks that this process has on it
    with contextlib.suppress(FileExistsError):
        os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    for path in (database, *(database.with_name(database.name + end) for end in ("-wal", "-shm", "-journal"))):
        with contextlib.suppress(FileNotFoundError, PermissionError):
            if path.stat().st_mode & 0o007:
                path.chmod(0o600)
