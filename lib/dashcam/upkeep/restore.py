"""A backup takes the place of the database, while nobody uses it.

The backup is brought up beside the database: copied, looked at page by page, migrated where it is older. Only what has
stood all of that takes the database's name, in one rename; the old one stays beside it under another.
"""

import contextlib
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from dashcam import Explained, Say, sqlite
from dashcam.database import open_engine
from dashcam.storage import bundle
from dashcam.upkeep import postgres
from dashcam.upkeep.backup import BackupFailed, Contents, alone, contents, kind_of, proven

Migrate = Callable[[str], None]
"""Brings the database of a URL to the newest revision; raises `Explained` for one that is newer."""


class RestoreFailed(Explained):
    """The database is what it was before; the message says why."""


def restore(url: str, file: Path, folder: Path, migrate: Migrate, say: Say, *, keep_old: bool = True) -> Contents:
    """Put the backup in the database's place; what is in it now.

    ``folder`` is that of the backups, in which no backup may be under way meanwhile. Without ``keep_old`` the database
    from before is removed in the end. Raises `RestoreFailed`, `Busy`.
    """
    backend = make_url(url).get_backend_name()
    try:
        kind = kind_of(file)
    except OSError as error:
        raise RestoreFailed(
            f"{file} cannot be read ({error.strerror}): name a file of the folder of backups."
        ) from error
    if kind != backend:
        is_one = f"is a backup of {kind}, and the database is {backend}" if kind else "is no backup of a database"
        raise RestoreFailed(f"{file} {is_one}: nothing was changed.")
    try:
        with alone(folder):
            into = _into_sqlite if backend == "sqlite" else _into_postgresql
            return into(url, file, migrate, say, keep_old)
    except BackupFailed as error:
        raise RestoreFailed(f"{file} cannot be restored: {error} Nothing was changed.") from error
    except (OSError, DBAPIError) as error:
        raise RestoreFailed(f"{file} cannot be restored ({error}): nothing was changed.") from error


def _into_sqlite(url: str, file: Path, migrate: Migrate, say: Say, keep_old: bool) -> Contents:
    database = Path(str(make_url(url).database))
    bundle.sweep_temporaries(database.parent, database.name)
    scratch = bundle.temporary_beside(database)
    try:
        copied = scratch / database.name
        _copy(file, copied, say)
        say("Looking at every page of it")
        at = f"sqlite:///{copied}"
        proven(at)
        migrate(at)
        there = proven(at)
        ensure_unused(copied)
        say("Putting it in the database's place")
        return _swap(database, copied, there, keep_old, say)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _copy(file: Path, target: Path, say: Say) -> None:
    """With a word at every tenth part, however long that takes."""
    total = max(1, file.stat().st_size)
    done, said = 0, -1
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with file.open("rb") as source, target.open("wb") as sink:
        while block := source.read(bundle.CHUNK):
            sink.write(block)
            done += len(block)
            if done * 10 // total > said:
                said = done * 10 // total
                say(f"Copied {done:,} of {total:,} bytes")


def ensure_unused(database: Path) -> None:
    """Nothing of it lies in a log any more, and nobody else has it open. Raises `RestoreFailed` when somebody does."""
    connection = sqlite.driver().connect(str(database), timeout=1, isolation_level=None)
    try:
        (journal,) = connection.execute("PRAGMA journal_mode=DELETE").fetchone()
        if journal == "delete":
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("ROLLBACK")
    except sqlite.driver().OperationalError as error:
        if "locked" not in str(error) and "busy" not in str(error):
            raise
        journal = "locked"
    finally:
        connection.close()
    if journal != "delete":
        raise RestoreFailed(f"Another program uses {database}: stop the main server first. Nothing was changed.")


def _swap(database: Path, copied: Path, there: Contents, keep_old: bool, say: Say) -> Contents:
    kept = database.with_name(f"{database.name}.before-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}")
    with contextlib.suppress(sqlite.driver().DatabaseError):  # one that is damaged is replaced all the same
        if database.exists():
            ensure_unused(database)
    bundle.sync_tree(copied.parent)
    moved = _aside(database, kept)
    try:
        copied.replace(database)
        bundle.sync_folder(database.parent)
        if (now := proven(f"sqlite:///{database}")) != there:
            raise BackupFailed("It is not what was copied, once it is in its place.")
    except BaseException:
        for place, was in moved.items():
            was.replace(place)
        bundle.sync_folder(database.parent)
        raise
    if moved and keep_old:
        say(f"The database from before is kept as {kept}")
    elif moved:
        for was in moved.values():
            was.unlink(missing_ok=True)
    return now


def _aside(database: Path, kept: Path) -> dict[Path, Path]:
    """The old database under another name too, so that at no moment there is none; its log, if it has one, moves."""
    moved = {}
    for end in ("-wal", "-shm", "-journal"):
        log = database.with_name(database.name + end)
        if log.exists():
            moved[log] = kept.with_name(kept.name + end)
            log.replace(moved[log])
    if database.exists():
        try:
            os.link(database, kept)
        except OSError:
            shutil.copy2(database, kept)
        moved[database] = kept
    return moved


def _into_postgresql(url: str, file: Path, migrate: Migrate, say: Say, keep_old: bool) -> Contents:
    there = make_url(url)
    aside = f"{there.database}_before_{datetime.now(UTC):%Y%m%dt%H%M%S_%f}" if postgres.exists(there) else None
    with postgres.scratch_database(there) as scratch:
        say("Loading it into a scratch database")
        postgres.load(scratch, file)
        at = scratch.render_as_string(hide_password=False)
        proven(at)
        migrate(at)
        loaded = proven(at)
        say("Putting it in the database's place")
        postgres.put_in_place(there, str(scratch.database), aside)
    engine = open_engine(url)
    try:
        now = contents(engine)
    finally:
        engine.dispose()
    if now != loaded:
        raise BackupFailed("It is not what was loaded, once it is in its place.")
    if aside is not None and keep_old:
        say(f"The database from before is kept as {aside}")
    elif aside is not None:
        with postgres.maintenance(there) as connection:
            connection.execute(text(f'DROP DATABASE "{aside}"'))
    return now
