"""The database that only ``app/`` opens: engine, session, and the column types every table shares."""

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import psutil
from sqlalchemy import DateTime, Double, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.types import TypeDecorator

from dashcam import Explained

NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p"}


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


class DatabaseUnusable(Explained):
    """The database cannot be used as configured; the message says what to do."""


def open_engine(url: str) -> Engine:
    """Open the database: SQLite in WAL mode with immediate write transactions, or PostgreSQL as it is.

    Raises `DatabaseUnusable` for SQLite on a network file system, whose locks do not hold.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True)
    if parsed.database and parsed.database != ":memory:":
        refuse_network_file_system(Path(parsed.database))
    # one write transaction waits for the other instead of failing: 30 s is longer than any of ours takes
    engine = create_engine(parsed, connect_args={"timeout": 30, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        # FULL: what is committed outlives a power cut, because files are deleted on the strength of it
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        # a transaction that reads first and writes later would fail with "database is locked" on the upgrade
        immediate = connection.get_execution_options().get("write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def refuse_network_file_system(database: Path) -> None:
    folder = database.absolute().parent
    mounts = [m for m in psutil.disk_partitions(all=True) if folder.is_relative_to(m.mountpoint)]
    if mounts and (mount := max(mounts, key=lambda m: len(m.mountpoint))).fstype in NETWORK_FILE_SYSTEMS:
        raise DatabaseUnusable(
            f"The database {database} lies on {mount.fstype} ({mount.mountpoint}), where SQLite's locks do not hold: "
            "put it on a local disk, or use PostgreSQL (server.database_url)."
        )


def writing(engine: Engine) -> AbstractContextManager[Session]:
    """One write transaction: all of it is committed, or none."""
    return sessionmaker(engine.execution_options(write=True), expire_on_commit=False).begin()


def reading(engine: Engine) -> Session:
    return Session(engine, expire_on_commit=False)
