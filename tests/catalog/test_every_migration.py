"""A database of any version that ever was comes up to this one with all that is in it, and a crash on the way costs
nothing."""

import multiprocessing
import os
import shutil
import signal
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import (
    JSON,
    Boolean,
    Connection,
    DateTime,
    Engine,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    event,
    inspect,
    text,
)
from sqlalchemy.engine import URL

import migrations
from app.prepare import copy_before
from dashcam.config import Site
from dashcam.database import DatabaseUnusable, open_engine
from dashcam.upkeep.backup import backups
from tests.catalog.test_migrations import to_revision
from tests.conftest import postgresql_database

REVISIONS = sorted(one.revision for one in ScriptDirectory.from_config(migrations.scripts()).walk_revisions())
WHEN = datetime(2026, 6, 28, 12)
pytestmark = pytest.mark.filterwarnings("ignore:Skipped unsupported reflection")


@pytest.fixture
def empty(any_database: str) -> Iterator[Engine]:
    """A database without any table."""
    engine = open_engine(any_database)
    yield engine
    engine.dispose()


def each_version(empty: Engine) -> Iterator[tuple[str, Engine]]:
    """The database as each version left it, without a row."""
    for revision in REVISIONS:
        with empty.begin() as connection:
            to_revision(connection, command.upgrade, revision)
        empty.dispose()
        old = open_engine(copied(empty.url, f"of_{revision}"))
        yield revision, old
        old.dispose()


def copied(url: URL, name: str) -> str:
    """The URL of a copy of a database that nobody has open."""
    if url.get_backend_name() == "postgresql":
        return postgresql_database(Path(str(url.query["host"])), f"{url.database}_{name}", str(url.database))
    file = Path(str(url.database))
    return f"sqlite:///{shutil.copy(file, file.with_name(f'{name}.db'))}"


def left_by(engine: Engine, revision: str) -> dict[str, list[tuple[Any, ...]]]:
    """The database as that version left it, with a row in every table; their keys."""
    with engine.begin() as connection:
        to_revision(connection, command.upgrade, revision)
    return with_rows(engine)


def with_rows(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """A row in every table; their keys."""
    with engine.begin() as connection:
        known = MetaData()
        known.reflect(connection)
        for table in known.sorted_tables:
            if table.name != "alembic_version":
                connection.execute(table.insert(), [row_of(table)])
        return keys(connection, known)


def row_of(table: Table) -> dict[str, Any]:
    return {column.name: value_of(column.name, column.type) for column in table.columns}


def value_of(name: str, kind: Any) -> Any:
    if name == "state":
        return "complete"
    if isinstance(kind, JSON):
        return {"camera": "front"} if name == "facts" else []
    values = ((LargeBinary, b"x"), (Boolean, False), (DateTime, WHEN), (Integer, 1), (Float, 1.5))
    for types, value in values:
        if isinstance(kind, types):
            return value
    return f"a {name}" if name.endswith("_id") or name == "text" else "x"


def keys(connection: Connection, known: MetaData) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table.name: [tuple(row) for row in connection.execute(select_keys(table))]
        for table in known.sorted_tables
        if table.name != "alembic_version"
    }


def select_keys(table: Table) -> Any:
    return table.select().with_only_columns(*table.primary_key.columns)


def ensure_all_there(engine: Engine, was: dict[str, list[tuple[Any, ...]]], revision: str) -> None:
    with engine.connect() as connection:
        known = MetaData()
        known.reflect(connection)
        now = keys(connection, known)
        for table, rows in was.items():
            assert set(rows) <= set(now[table]), f"{table} of {revision}"
        if engine.dialect.name == "sqlite":
            assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
            assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
        assert migrations.differs(connection) == ""


def tables_and_indices(engine: Engine) -> dict[str, set[str | None]]:
    there = inspect(engine)
    return {table: {index["name"] for index in there.get_indexes(table)} for table in there.get_table_names()}


def test_every_version_that_ever_was_comes_up_with_all_that_is_in_it_and_the_same_tables(empty: Engine) -> None:
    made = {}
    for revision, old in each_version(empty):
        was = with_rows(old)
        migrations.upgrade(old)
        migrations.upgrade(old)
        ensure_all_there(old, was, revision)
        made[revision] = tables_and_indices(old)
    for revision, tables in made.items():
        assert tables == made[REVISIONS[-1]], revision


def killed_at(url: str, statement: int) -> None:
    """Migrate in a process that dies at its so manieth change of a table."""
    engine, seen = open_engine(url), 0

    @event.listens_for(engine, "before_cursor_execute")
    def die(_connection: Any, _cursor: Any, sql: str, *_rest: Any) -> None:
        nonlocal seen
        seen += sql.lstrip().upper().startswith(("CREATE", "ALTER", "DROP", "INSERT", "UPDATE"))
        if seen == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    migrations.upgrade(engine)


@pytest.mark.parametrize("statement", [1, 4, 9, 20, 40, 60])
def test_a_crash_in_the_middle_costs_nothing_and_the_next_start_does_it_again(empty: Engine, statement: int) -> None:
    was = left_by(empty, "0001")
    url = empty.url.render_as_string(hide_password=False)
    empty.dispose()
    child = multiprocessing.get_context("fork").Process(target=killed_at, args=(url, statement))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL, "it died on the way"
    with empty.connect() as connection:
        assert migrations.revision(connection) == "0001", "all of it, or nothing"
        known = MetaData()
        known.reflect(connection)
        assert keys(connection, known) == was
    migrations.upgrade(empty)
    ensure_all_there(empty, was, "0001")


def test_before_a_database_is_migrated_it_is_copied(tmp_path: Path) -> None:
    old = open_engine(f"sqlite:///{tmp_path / 'dashcam.db'}")
    assert not migrations.is_older(old), "a new one has nothing to lose"
    left_by(old, "0005")
    assert migrations.is_older(old)
    site = Site.model_validate({"server": {"database_url": f"sqlite:///{tmp_path / 'dashcam.db'}"}})
    copy_before(old, site)
    (kept,) = backups(tmp_path / "backups")
    migrations.upgrade(old)
    assert not migrations.is_older(old)
    with open_engine(f"sqlite:///{tmp_path / 'backups' / kept.file}").connect() as connection:
        assert migrations.revision(connection) == "0005"
    old.dispose()


def test_a_disk_without_room_for_the_copy_keeps_nobody_from_starting(tmp_path: Path) -> None:
    old = open_engine(f"sqlite:///{tmp_path / 'dashcam.db'}")
    left_by(old, "0005")
    (tmp_path / "backups").write_text("no folder can be made here")
    copy_before(old, Site.model_validate({"server": {"database_url": f"sqlite:///{tmp_path / 'dashcam.db'}"}}))
    migrations.upgrade(old)
    old.dispose()


def test_a_database_of_a_newer_version_is_refused_in_a_sentence(any_engine: Engine) -> None:
    with any_engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseUnusable, match="made by a newer version of dashcam"):
        migrations.upgrade(any_engine)
