"""An SQLite that keeps what it has committed, and files that only their owner reads."""

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dashcam import sqlite
from tests.conftest import REPOSITORY

VERSIONS = {
    (3, 6, 23): False,
    (3, 7, 0): True,
    (3, 7, 0, 1): True,
    (3, 40, 1): True,
    (3, 44, 5): True,
    (3, 44, 6): False,
    (3, 44, 7): False,
    (3, 45, 0): True,
    (3, 50, 6): True,
    (3, 50, 7): False,
    (3, 51, 0): True,
    (3, 51, 2): True,
    (3, 51, 3): False,
    (3, 52, 0): False,
    (3, 53, 4): False,
    (4, 0, 0): False,
}


@pytest.mark.parametrize(("version", "bad"), VERSIONS.items(), ids=lambda one: str(one))
def test_which_versions_can_lose_committed_rows(version: tuple[int, ...], bad: bool) -> None:
    assert sqlite.has_wal_reset_bug(version) is bad


def test_the_sqlite_that_is_used_here_is_sound() -> None:
    module = sqlite.driver()
    assert not sqlite.has_wal_reset_bug(module.sqlite_version_info), sqlite.advice(module)
    (version,) = module.connect(":memory:").execute("SELECT sqlite_version()").fetchone()
    assert version == module.sqlite_version, "the library that is loaded is the one that is named"


def test_pythons_own_is_taken_where_there_is_nothing_better(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pysqlite3.dbapi2", None)  # an import of it fails
    assert sqlite.driver() is sqlite3.dbapi2


def test_sqlite3_is_not_replaced_behind_the_back_of_who_has_it() -> None:
    with pytest.raises(RuntimeError, match="imported already"):
        sqlite.replace()


def test_libraries_that_name_no_module_get_the_sound_one() -> None:
    script = """
from dashcam import sqlite
chosen = sqlite.replace()
import sqlite3, aiosqlite
from sqlite3 import dbapi2
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
assert dbapi2 is chosen and SQLiteDialect_pysqlite.import_dbapi() is chosen
assert sqlite3.sqlite_version == aiosqlite.sqlite_version == chosen.sqlite_version
assert not sqlite.has_wal_reset_bug(sqlite3.sqlite_version_info)
"""
    argv = [sys.executable, "-c", script]
    subprocess.run(argv, env={"PYTHONPATH": str(REPOSITORY / "lib")}, timeout=60, check=True)


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_everybody_could_read_is_taken_from_them_and_an_owners_choice_is_left(tmp_path: Path) -> None:
    for name, mode in (("open.db", 0o644), ("open.db-wal", 0o644), ("open.db-shm", 0o644), ("group.db", 0o640)):
        (tmp_path / name).write_bytes(b"content")
        (tmp_path / name).chmod(mode)
    for name in ("open.db", "group.db", "new.db"):
        sqlite.keep_private(tmp_path / name)
    assert {path.name: rights(path) for path in tmp_path.iterdir()} == {
        "open.db": 0o600, "open.db-wal": 0o600, "open.db-shm": 0o600, "group.db": 0o640, "new.db": 0o600,
    }  # fmt: skip
    assert (tmp_path / "open.db").read_bytes() == b"content"
