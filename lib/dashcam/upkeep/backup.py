"""Copies of the database, taken while it is used. Each is restored to a scratch place and looked at before it gets its
name: what has a backup's name is one."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel
from sqlalchemy import URL, Engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from dashcam import Explained
from dashcam.database import DatabaseUnusable, cause, open_engine
from dashcam.storage import bundle
from dashcam.upkeep import postgres

NAMED = re.compile(r"dashcam-(?P<at>\d{8}T\d{6}Z)\.(db|dump)")
LOCK = ".lock"
HEADER = {b"SQLite format 3\0": "sqlite", b"PGDMP": "postgresql"}


class BackupFailed(Explained):
    """There is no new backup; the message says why. Those from before are as they were."""


class Busy(Explained):
    """Another backup or restore is under way there."""


class Backup(BaseModel):
    """One file in the folder of backups."""

    file: str
    taken_at: datetime
    bytes: int


class Contents(BaseModel):
    """What is in a database: its revision, and how many rows each table has."""

    revision: str
    rows: dict[str, int]


def take(engine: Engine, folder: Path, keep: int) -> Backup:
    """Write one more backup, prove it, and let those go that are older than the ``keep`` newest.

    Raises `Busy`, `BackupFailed`, `StorageError` or ``OSError``; then the folder is as it was.
    """
    now = datetime.now(UTC)
    ending = "db" if engine.dialect.name == "sqlite" else "dump"
    final = folder / f"dashcam-{now:%Y%m%dT%H%M%SZ}.{ending}"
    with alone(folder), bundle.explained(folder):
        before = contents(engine)
        scratch = bundle.temporary_beside(final)
        try:
            made = scratch / final.name
            copy(engine, made)
            with restored(engine.url, made, scratch) as url:
                ensure_same(before, proven(url), contents(engine))
            bundle.sync_tree(scratch)
            made.rename(final)
            bundle.sync_folder(folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        for old in backups(folder)[keep:]:
            (folder / old.file).unlink()
    return Backup(file=final.name, taken_at=now.replace(microsecond=0), bytes=final.stat().st_size)


def second_copy(folder: Path, newest: Backup, other: Path, keep: int) -> None:
    """The same file in another folder, hashed on its way and read back. Raises as `take`."""
    final = other / newest.file
    with alone(other), bundle.explained(other):
        scratch = bundle.temporary_beside(final)
        try:
            entry = bundle.copy_file(folder / newest.file, scratch, newest.file)
            if bundle.hash_file(scratch / newest.file) != entry.sha256:
                raise BackupFailed(f"The copy in {other} does not read back as it was written: check that disk.")
            (scratch / newest.file).chmod(0o600)
            (scratch / newest.file).rename(final)
            bundle.sync_folder(other)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        for old in backups(other)[keep:]:
            (other / old.file).unlink()


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """No two at once, whichever process they are in; what a killed one has left goes first. Raises `Busy`."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / LOCK).acquire(timeout=0):
            bundle.sweep_temporaries(folder)
            yield
    except Timeout:
        raise Busy(f"A backup or restore is under way already in {folder}: wait until it has ended.") from None


def backups(folder: Path) -> list[Backup]:
    """Newest first; empty where there is no such folder."""
    if not folder.is_dir():
        return []
    found = [(match["at"], path) for path in folder.iterdir() if (match := NAMED.fullmatch(path.name))]
    return [
        Backup(
            file=path.name,
            taken_at=datetime.strptime(at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC),
            bytes=path.stat().st_size,
        )
        for at, path in sorted(found, reverse=True)
    ]


def copy(engine: Engine, file: Path) -> None:
    """All of the database as it is at one moment, into a file that does not exist; others go on writing."""
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    if engine.dialect.name == "postgresql":
        postgres.dump(engine, file)
        return
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("VACUUM INTO ?", (str(file),))
    except Exception as error:
        raise BackupFailed(
            f"The database could not be copied to {file.parent.parent} ({error}): check both disks."
        ) from error
    finally:
        connection.close()


@contextmanager
def restored(url: URL, file: Path, scratch: Path) -> Iterator[str]:
    """The backup as a database in a scratch place: its URL, as long as it is there."""
    if url.get_backend_name() == "postgresql":
        with postgres.scratch_database(url) as there:
            postgres.load(there, file)
            yield there.render_as_string(hide_password=False)
        return
    place = scratch / "restored.db"
    shutil.copyfile(file, place)
    try:
        yield f"sqlite:///{place}"
    finally:
        for path in scratch.glob(f"{place.name}*"):
            path.unlink()


def proven(url: str) -> Contents:
    """What is in the database, every page and reference of which is looked at. Raises `BackupFailed`."""
    try:
        engine = open_engine(url)
    except DatabaseUnusable as error:
        raise BackupFailed(f"The copy cannot be opened ({error.__cause__ or error}).") from error
    try:
        if engine.dialect.name == "sqlite":
            with engine.connect() as connection:
                said = [str(row[0]) for row in connection.execute(text("PRAGMA integrity_check(3)"))]
                astray = connection.execute(text("PRAGMA foreign_key_check")).first()
            if said != ["ok"] or astray is not None:
                raise BackupFailed(
                    f"The copy is damaged ({'; '.join(said) if said != ['ok'] else 'a lost reference'})."
                )
        return contents(engine)
    except DBAPIError as error:
        raise BackupFailed(f"The copy is damaged ({cause(error)}).") from error
    finally:
        engine.dispose()


def contents(engine: Engine) -> Contents:
    """Raises `BackupFailed` for a database that is not this program's."""
    with engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        if not {"alembic_version", "video", "task"} <= set(tables):
            raise BackupFailed("It is no database of dashcam: it lacks the tables that each of them has.")
        rows = {name: connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one() for name in tables}
        revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    return Contents(revision=str(revision), rows=rows)


def ensure_same(before: Contents, copied: Contents, after: Contents) -> None:
    """The copy is of a moment between the two looks; clips are only ever added, so it has those from before."""
    if copied.revision != before.revision or copied.rows.keys() != before.rows.keys():
        raise BackupFailed(f"The copy is of revision {copied.revision} instead of {before.revision}; try again.")
    for name, count in copied.rows.items():
        first, last = before.rows[name], after.rows[name]
        fewer = name == "video" and not first <= count <= last
        if fewer or (count == 0 and min(first, last) > 0):
            raise BackupFailed(f"The copy has {count} rows of {name}, of which there were {first}: it is not whole.")


def kind_of(file: Path) -> str | None:
    """``sqlite`` or ``postgresql`` by its first bytes; None for what is no backup."""
    with file.open("rb") as opened:
        begin = opened.read(16)
    return next((kind for head, kind in HEADER.items() if begin.startswith(head)), None)


def folder_of(database_url: str, named: str | None) -> Path:
    """Where backups go: as the settings say, else beside an SQLite database, else in the home of the program."""
    url = make_url(database_url)
    if named:
        return Path(named)
    if url.get_backend_name() == "sqlite" and url.database:
        return Path(url.database).parent / "backups"
    return Path("/var/lib/dashcam-processor/backups")
