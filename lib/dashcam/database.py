"""The database that only ``app/`` opens: engine, session, and the column types every table shares."""

import json
import logging
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import psutil
from pydantic import ValidationError
from sqlalchemy import URL, DateTime, Double, Engine, create_engine, event
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, OperationalError, StatementError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from dashcam import Explained, sqlite, written

log = logging.getLogger(__name__)

NETWORK_FILE_SYSTEMS = {
    "nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "afpfs", "9p", "davfs", "webdav", "fuse.sshfs", "fuse.rclone",
    "fuse.smbnetfs", "fuse.davfs", "fuse.glusterfs",
}  # fmt: skip
INSERT: dict[str, Any] = {"sqlite": sqlite_dialect.insert, "postgresql": postgresql.insert}
PATIENCE_S = 30.0
"""How long one write transaction on SQLite waits for another: longer than any of ours takes."""
POOL = {"pool_size": 20, "max_overflow": 40}
"""Connections: to open one for each question costs more than the question. The web process asks from 40 threads."""


class Base(DeclarativeBase):
    # Float may be single precision, which is metres off in a longitude
    type_annotation_map: ClassVar[dict[Any, Any]] = {float: Double()}


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in Python, naive UTC in the database; a naive value is a programming error and refused."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)

    def result_processor(self, dialect: Any, coltype: Any) -> Any:
        """Of SQLite's text at once: a page reads thousands."""
        return utc_of_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def utc_of_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value + "+00:00")  # a seventh of what `replace` takes


class JsonText(str):
    """JSON that is text already, and goes into the database as it is."""


def json_text(value: Any) -> str:
    return value if isinstance(value, JsonText) else json.dumps(value)


OPENED = POOL | {"json_serializer": json_text}


class DatabaseUnusable(Explained):
    """The database cannot be used as configured; the message says what to do."""


def open_engine(url: str) -> Engine:
    """Open the database: SQLite with immediate write transactions, in WAL mode where that is sound, or PostgreSQL.

    Raises `DatabaseUnusable` for SQLite on a network file system, whose locks do not hold, and for a database that
    cannot be reached or written.
    """
    try:
        parsed = make_url(url)
        is_sqlite = parsed.get_backend_name() == "sqlite"
        engine = sqlite_engine(parsed) if is_sqlite else create_engine(parsed, pool_pre_ping=True, **OPENED)
    except (ArgumentError, ImportError) as error:
        raise DatabaseUnusable(
            f"server.database_url names no database to be used here ({error}): write sqlite:////folder/file.db, or "
            "postgresql+psycopg://user:password@host/name with the extra postgres installed."
        ) from error
    try:
        engine.connect().close()
    except DBAPIError as error:
        raise DatabaseUnusable(
            f"The database {parsed.render_as_string()} cannot be used ({cause(error)}): check server.database_url, "
            "that it runs or that its file and folder may be written, and the disk."
        ) from error
    written.watch(engine)
    log.info("database: %s", named(engine))
    return engine


def sqlite_engine(url: URL) -> Engine:
    module = sqlite.driver()
    file = Path(url.database) if url.database and url.database != ":memory:" else None
    if file is not None:
        refuse_network_file_system(file)
        make_file(file)
    journal = "DELETE" if sqlite.has_wal_reset_bug(module.sqlite_version_info) else "WAL"
    if journal == "DELETE":
        log.warning("the database is %s", sqlite.advice(module))
    engine = create_engine(
        url, module=module, connect_args={"timeout": PATIENCE_S, "check_same_thread": False}, **OPENED
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        # FULL: what is committed outlives a power cut, because files are deleted on the strength of it
        for pragma in (f"journal_mode={journal}", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        # a transaction that reads first and writes later would fail with "database is locked" on the upgrade
        immediate = connection.get_execution_options().get("write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def make_file(database: Path) -> None:
    try:
        sqlite.keep_private(database)
    except FileNotFoundError as error:
        raise DatabaseUnusable(
            f"The folder {database.parent} of the database is not there: make it, or mount it, or correct "
            "server.database_url."
        ) from error
    except OSError as error:
        raise DatabaseUnusable(
            f"The database {database} cannot be made ({error.strerror}): check the rights of its folder and the disk, "
            "or correct server.database_url."
        ) from error


def refuse_network_file_system(database: Path) -> None:
    folder = database.resolve().parent
    mounts = [m for m in psutil.disk_partitions(all=True) if folder.is_relative_to(m.mountpoint)]
    # of two mounts on one folder the later one lies on top
    mount = max(reversed(mounts), key=lambda m: len(m.mountpoint), default=None)
    if mount is not None and (mount.fstype in NETWORK_FILE_SYSTEMS or "remote" in mount.opts.split(",")):
        raise DatabaseUnusable(
            f"The database {database} lies on {mount.fstype} ({mount.mountpoint}), where SQLite's locks do not hold: "
            "put it on a local disk, or use PostgreSQL (server.database_url)."
        )


def named(engine: Engine) -> str:
    """What the database is, and which version; asks nothing of it."""
    if engine.dialect.name == "sqlite":
        return f"SQLite {engine.dialect.dbapi.sqlite_version}"  # type: ignore[union-attr]
    return f"PostgreSQL {'.'.join(map(str, engine.dialect.server_version_info or ()))}"


def passing(error: OperationalError) -> str | None:
    """What a caller is told of trouble that passes by itself or with a person's help; None for what is our mistake."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    match None if code is None else code & 0xFF:
        case 5 | 6:  # SQLITE_BUSY, SQLITE_LOCKED
            return "The database is busy: try again in a few seconds."
        case 8 | 10 | 13 | 14:  # READONLY, IOERR, FULL, CANTOPEN
            return f"The database cannot be written ({cause(error)}): check the disk of the main server."
        case None if not hasattr(error.orig, "sqlite_errorname"):  # psycopg: connection, resources, locks
            return f"The database does not answer ({cause(error)}): try again in a few seconds."
    return None


def unfit(error: Exception) -> str | None:
    """What is wrong with what was to be kept; None for an error that lies elsewhere: with us, or with the database."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return f"it is no {error.title}, {place + ': ' if place else ''}{first['msg']}"
    if isinstance(error, IntegrityError | DataError):
        return cause(error)
    values = ValueError | OverflowError
    if isinstance(error, StatementError) and not isinstance(error, DBAPIError) and isinstance(error.orig, values):
        return str(error.orig)
    return str(error) if isinstance(error, OverflowError) else None


def cause(error: DBAPIError) -> str:
    return (str(error.orig).strip().splitlines() or [type(error.orig).__name__])[0].removesuffix(".")


def insert(session: Session, entity: Any) -> Any:
    """INSERT as this database has it, with ``on_conflict_do_nothing`` and ``on_conflict_do_update``."""
    return INSERT[dialect_of(session)](entity)


def dialect_of(session: Session) -> str:
    return session.get_bind().dialect.name


class Turns:
    """Who writes, one after the other in the order in which they came.

    SQLite has one writer and no queue: those who wait for it look again now and then, and whoever looks at the right
    moment is next. Of twenty who write all the time one waits for half a minute.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: deque[threading.Event] = deque()

    @contextmanager
    def take(self) -> Iterator[None]:
        """Raises what SQLite raises when it stays busy for longer than `PATIENCE_S`."""
        mine = threading.Event()
        with self._lock:
            self._queue.append(mine)
            self._call()
        try:
            if not mine.wait(PATIENCE_S):
                busy = sqlite.driver().OperationalError("database is locked")
                busy.sqlite_errorcode = 5  # SQLITE_BUSY
                raise OperationalError("BEGIN IMMEDIATE", None, busy)
            yield
        finally:
            with self._lock:
                self._queue.remove(mine)
                self._call()

    def _call(self) -> None:
        if self._queue:
            self._queue[0].set()


TURNS: WeakKeyDictionary[Engine, Turns] = WeakKeyDictionary()


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """One write transaction: all of it is committed, or none. Those on SQLite come one after the other."""
    turn = TURNS.setdefault(engine, Turns()).take() if engine.dialect.name == "sqlite" else nullcontext()
    of_write = engine.execution_options(write=True)
    with turn, written.counted(engine), Session(of_write, expire_on_commit=False) as session, session.begin():
        yield session


def reading(engine: Engine) -> Session:
    return Session(engine, expire_on_commit=False)
