"""A whole database into another one, from SQLite to PostgreSQL or back, and every row of it read back.

Rows are taken as they are stored: JSON is text on the way, so that what it says, and whether there is any, stays the
same to the letter. All of it is one transaction of the target: what is cut off, or does not read back, leaves it empty.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    URL,
    Column,
    Connection,
    Engine,
    MetaData,
    String,
    Table,
    Text,
    bindparam,
    cast,
    collate,
    func,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, StatementError

import migrations
from dashcam import Explained, Say, sqlite
from dashcam.access import models as access
from dashcam.catalog import models as catalog
from dashcam.database import Base, cause, open_engine
from dashcam.tasks import row as tasks
from dashcam.upkeep.restore import ensure_unused

MADE_BY = (access, catalog, tasks)
"""Imported, they make all tables known."""
REVISION = "alembic_version"
BATCH = 2000


class NotMoved(Explained):
    """The target is as it was; the message says why."""


def move(source_url: str, target_url: str, say: Say) -> dict[str, int]:
    """Copy all of the one database into the other, an empty one, which gets its tables here; rows by table.

    Nobody else may use either meanwhile: the source is locked for writers, so it is one moment of it. Raises
    `NotMoved`, `dashcam.database.DatabaseUnusable`.
    """
    with both(source_url, target_url) as (source, target):
        ensure_empty(target)
        migrations.upgrade(target)
        say(f"From {named(source)} to {named(target)}")
        with held_still(source) as old, target.execution_options(write=True).begin() as new:
            counts = {table.name: copied(table, old, new, say) for table in ordered(old)}
            set_sequences(new)
            compare(old, new, say)
        count_anew(target)
    return counts


def verify(source_url: str, target_url: str, say: Say) -> dict[str, int]:
    """Every row of the one database against the other; rows by table. Raises `NotMoved` at the first difference."""
    with both(source_url, target_url) as (source, target), held_still(source) as old, target.connect() as new:
        if difference := migrations.differs(new):
            raise NotMoved(f"{named(target)} is of another version ({difference}): it is no copy of the other.")
        return compare(old, new, say)


@contextmanager
def both(source_url: str, target_url: str) -> Iterator[tuple[Engine, Engine]]:
    if parsed(source_url) == parsed(target_url):
        raise NotMoved("FROM and TO are one database: name two.")
    file = file_of(source_url)
    if file is not None and not file.is_file():
        raise NotMoved(f"There is no database {file}: see server.database_url for where it lies.")
    for url in (source_url, target_url):
        if (file := file_of(url)) is not None and file.is_file() and file.stat().st_size:
            ensure_ours(file)
    with ExitStack() as stack:
        engines = []
        for url in (source_url, target_url):
            engines.append(open_engine(url))
            stack.callback(engines[-1].dispose)
            ensure_alone(engines[-1])
        yield engines[0], engines[1]


def parsed(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as error:
        raise NotMoved(
            f"{url!r} names no database: write sqlite:////folder/file.db, postgresql+psycopg://user@host/name, or the "
            "word site for that of server.database_url."
        ) from error


def file_of(url: str) -> Path | None:
    """Of an SQLite database."""
    there = parsed(url)
    return Path(there.database) if there.get_backend_name() == "sqlite" and there.database else None


def ensure_ours(file: Path) -> None:
    """It is an SQLite database, and nobody else has it open. Raises `Explained`."""
    try:
        ensure_unused(file)
    except sqlite.driver().DatabaseError as error:
        raise NotMoved(f"{file} cannot be used ({error}): is it an SQLite database?") from error


def named(engine: Engine) -> str:
    return engine.url.render_as_string()


def ensure_alone(engine: Engine) -> None:
    """Nobody else is connected to a PostgreSQL database. Raises `NotMoved`."""
    if engine.dialect.name != "postgresql":
        return
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend'"
    )
    with engine.connect() as connection:
        count = connection.scalar(text(others))
    if count:
        raise NotMoved(
            f"Another program uses {named(engine)}: stop the main server first, and whatever else does. Nothing was "
            "changed."
        )


def ensure_empty(target: Engine) -> None:
    with target.connect() as connection:
        there = inspect(connection).get_table_names()
        if strangers := sorted(set(there) - set(Base.metadata.tables) - {REVISION}):
            raise NotMoved(
                f"{named(target)} has tables that are not dashcam's ({', '.join(strangers[:3])}): name an empty "
                "database. Nothing was changed."
            )
        for name in sorted(set(there) - {REVISION}):
            if connection.execute(select(text("1")).select_from(Base.metadata.tables[name]).limit(1)).first():
                raise NotMoved(
                    f"{named(target)} is not empty (table {name}): name an empty database, or with --verify see "
                    "whether it is this one's copy. Nothing was changed."
                )


@contextmanager
def held_still(source: Engine) -> Iterator[Connection]:
    """A connection to the source in one transaction, while nobody else writes. Raises `NotMoved`."""
    with source.execution_options(write=True).connect() as connection:
        if source.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            if difference := migrations.differs(connection):
                raise NotMoved(
                    f"{named(source)} is of another version ({difference}): start the main server of this version on "
                    "it once, then stop it. Nothing was changed."
                )
            if source.dialect.name == "postgresql":
                tables = ", ".join(f'"{table.name}"' for table in ordered(connection))
                connection.execute(text(f"LOCK TABLE {tables} IN SHARE MODE NOWAIT"))
            yield connection


def ordered(source: Connection) -> list[Table]:
    """All tables, those first that others refer to."""
    there, known = set(inspect(source).get_table_names()) - {REVISION}, metadata().tables
    if there != set(known):
        raise NotMoved(
            f"The database has other tables than this version knows ({', '.join(sorted(there ^ set(known)))}): bring "
            "this installation up to date. Nothing was changed."
        )
    return list(metadata().sorted_tables)


def metadata() -> MetaData:
    return Base.metadata


def copied(table: Table, source: Connection, target: Connection, say: Say) -> int:
    """Rows that were copied."""
    total = source.scalar(select(func.count()).select_from(table)) or 0
    tell = progress(f"Copied {{done:,}} of {total:,} rows of {table.name}", total, say)
    into = insert(table).values({column.name: taken(column, target.dialect.name) for column in table.columns})
    done = 0
    for batch in source.execute(as_stored(table, source).execution_options(yield_per=BATCH)).partitions():
        try:
            target.execute(into, [{f"p_{key}": value for key, value in row._mapping.items()} for row in batch])
        except (DBAPIError, StatementError) as error:
            why = cause(error) if isinstance(error, DBAPIError) else str(error.orig)
            raise NotMoved(
                f"Table {table.name} cannot be written to {target.engine.url.render_as_string()} ({why}): nothing was "
                "kept there."
            ) from error
        done += len(batch)
        tell(done)
    return done


def as_stored(table: Table, connection: Connection) -> Any:
    """All rows in the order of their key, which is that of bytes in both databases."""
    columns = [
        cast(column, Text).label(column.name) if isinstance(column.type, JSON) else column for column in table.columns
    ]
    return select(*columns).order_by(*(in_order(column, connection.dialect.name) for column in table.primary_key))


def in_order(column: Column[Any], dialect: str) -> Any:
    return collate(column, "C") if dialect == "postgresql" and isinstance(column.type, String) else column


def taken(column: Column[Any], dialect: str) -> Any:
    """How a value as `as_stored` gives it goes into the column."""
    name = f"p_{column.name}"
    if not isinstance(column.type, JSON):
        return bindparam(name, type_=column.type)
    given = bindparam(name, type_=Text())
    return cast(given, JSON) if dialect == "postgresql" else given  # SQLite's CAST would make a number of it


def set_sequences(target: Connection) -> None:
    """What is added next gets the number after the highest one, as SQLite does it by itself."""
    if target.dialect.name != "postgresql":
        return
    for table in metadata().sorted_tables:
        key = table.autoincrement_column
        sequence = None if key is None else target.scalar(select(func.pg_get_serial_sequence(table.name, key.name)))
        if key is not None and sequence is not None:
            highest = select(func.coalesce(func.max(key), 1), func.max(key).is_not(None)).select_from(table)
            target.execute(select(func.setval(sequence, *target.execute(highest).one())))


def compare(source: Connection, target: Connection, say: Say) -> dict[str, int]:
    """Every row of the one against the other; rows by table. Raises `NotMoved` at the first that differs."""
    counts = {}
    for table in ordered(source):
        total = source.scalar(select(func.count()).select_from(table)) or 0
        tell = progress(f"Read back {{done:,}} of {total:,} rows of {table.name}", total, say)
        streams = [one.execute(as_stored(table, one).execution_options(yield_per=BATCH)) for one in (source, target)]
        done = 0
        for done, (was, now) in enumerate(zip_longest(*streams), 1):
            if was is None or now is None or tuple(was) != tuple(now):
                raise NotMoved(
                    f"Row {done} of table {table.name} ({key_of(table, was or now)}) is not the same in "
                    f"{target.engine.url.render_as_string()}: it is no copy of the other."
                )
            tell(done)
        counts[table.name] = done
    return counts


def key_of(table: Table, row: Any) -> str:
    return ", ".join(f"{column.name} {row._mapping[column.name]}" for column in table.primary_key)


def progress(sentence: str, total: int, say: Say) -> Callable[[int], None]:
    """Says it at every tenth part of a table that takes a while, and at its end."""
    said = 0

    def tell(done: int) -> None:
        nonlocal said
        part = done * 10 // total if total else 10
        if part > said and (done == total or total > 10 * BATCH):
            said = part
            say(sentence.format(done=done))

    return tell


def count_anew(target: Engine) -> None:
    """By what PostgreSQL plans its queries; it would find out by itself in a minute or two."""
    if target.dialect.name == "postgresql":
        with target.connect() as connection:
            connection.execute(text("ANALYZE"))
            connection.commit()
