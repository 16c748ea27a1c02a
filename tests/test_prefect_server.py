"""Prefect's event loop goes on while a statement that met a locked database is freed; its database loses nothing."""

import json
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from dashcam import sqlite
from tests.conftest import REPOSITORY

CHORES = """
import asyncio
from datetime import timedelta
from flows import prefect_server
prefect_server.CHORES_LOOK = timedelta(milliseconds=50)
prefect_server.calm_chores()
import docket
import prefect.server.api.background_workers as chores

done = asyncio.Event()
times = 0

async def chore(again: docket.Perpetual = docket.Perpetual(every=timedelta(milliseconds=50))) -> None:
    global times
    times += 1
    if times > 2:
        done.set()

async def main() -> None:
    async with docket.Docket(name="t", url="memory://") as queue, chores.Worker(queue) as worker:
        await queue.add(chore, key="chore")()
        working = asyncio.create_task(worker.run_forever())
        await asyncio.wait_for(done.wait(), 30)
        working.cancel()

asyncio.run(main())
print("again and again")
"""

LATER = """
import asyncio
from datetime import UTC, datetime, timedelta
from flows import prefect_server
prefect_server.BLOCK_TYPES_S = 0.2
prefect_server.register_block_types_later()
import docket
import prefect.server.api.server as server

async def chore(again: docket.Perpetual = docket.Perpetual(every=timedelta(minutes=2), automatic=True)) -> None:
    raise SystemExit("it has begun")

async def schedule(queue):
    queue.register(chore)
    await queue.add(chore, key="chore")()

async def main() -> None:
    async with docket.Docket(name="t", url="memory://") as queue, docket.Worker(queue) as worker:
        await prefect_server.begin_later(schedule)(queue)
        working = asyncio.create_task(worker.run_forever())
        registered = asyncio.Event()

        async def register() -> None:
            registered.set()

        await server._memoize_block_auto_registration(register)()
        assert not registered.is_set()
        await asyncio.wait_for(registered.wait(), 60)
        (waits,) = (await queue.snapshot()).future
        assert waits.when - datetime.now(UTC) > prefect_server.CHORES_BEGIN / 2
        working.cancel()

asyncio.run(main())
print("later")
"""

LOCKED = """
from dashcam import sqlite
sqlite.replace()
import sqlite3, sys, threading, time
from flows.prefect_server import collect_beside

def connected(timeout):
    return sqlite3.connect(sys.argv[1], check_same_thread=False, isolation_level=None, timeout=timeout)

holder, waiter = connected(0), connected(4)
holder.execute("PRAGMA journal_mode = WAL")
holder.execute("CREATE TABLE t (x)")
statement = waiter.execute("SELECT 1 UNION SELECT 2")
statement.fetchone()
collect_beside()
garbage = {"statement": statement}
garbage["itself"] = garbage
del garbage, statement
holder.execute("BEGIN IMMEDIATE")
waiting = threading.Thread(target=waiter.execute, args=["INSERT INTO t VALUES (1)"])
waiting.start()
time.sleep(0.3)
longest, before = 0.0, time.monotonic()
kept = []
while len(kept) < 3_000_000 and waiting.is_alive():
    kept.append([])  # what makes Python look for garbage
    now = time.monotonic()
    longest, before = max(longest, now - before), now
    if len(kept) == 300_000:
        time.sleep(1.5)
        before = time.monotonic()
        holder.execute("COMMIT")
waiting.join()
print(longest)
"""


def test_freeing_a_statement_of_a_waiting_connection_keeps_nobody_waiting(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'lib'}"}
    argv = [sys.executable, "-c", LOCKED, str(tmp_path / "db")]
    ended = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert float(ended.stdout) < 1.5, "the holder of the lock was kept from committing"


def test_chores_and_the_types_of_blocks_wait_until_the_first_clip_is_through(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'lib'}", "PREFECT_HOME": str(tmp_path)}
    argv = [sys.executable, "-c", LATER]
    ended = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert ended.stdout.endswith("later\n"), ended.stderr


ASKED = """
import asyncio, json, sys
from flows import prefect_database
if sys.argv[1] == "vulnerable":
    sys.modules["pysqlite3.dbapi2"] = None
said = prefect_database.prepare()

async def ask():
    from prefect.server.database import provide_database_interface
    from sqlalchemy import text
    engine = await provide_database_interface().engine()
    async with engine.connect() as connection:
        async def value(query):
            return (await connection.execute(text(query))).scalar_one()
        await connection.execute(text("CREATE TABLE one (x)"))
        pragmas = "journal_mode", "foreign_keys", "synchronous", "busy_timeout", "legacy_alter_table"
        asked = {name: await value(f"PRAGMA {name}") for name in pragmas}
        return asked | {"version": await value("SELECT sqlite_version()")}

print(json.dumps({"said": said} | asyncio.run(ask())))
"""


def ask_prefects_database(home: Path, which: str) -> dict[str, Any]:
    environment = os.environ | {"PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'lib'}", "PREFECT_HOME": str(home)}
    argv = [sys.executable, "-c", ASKED, which]
    ended = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=120, check=True)
    return json.loads(ended.stdout.splitlines()[-1])


def test_its_chores_are_done_again_and_again() -> None:
    """Scheduling is one of them: without it no scan ever starts by itself."""
    environment = os.environ | {"PYTHONPATH": f"{REPOSITORY / 'lib'}{os.pathsep}{REPOSITORY}"}
    argv = [sys.executable, "-c", CHORES]
    ran = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=90, check=False)
    assert ran.stdout.strip() == "again and again", ran.stderr


def test_prefects_own_connections_run_on_a_sound_sqlite(tmp_path: Path) -> None:
    answer = ask_prefects_database(tmp_path / "prefect", "sound")
    assert not sqlite.has_wal_reset_bug(tuple(int(part) for part in answer["version"].split(".")))
    assert answer["said"] == f"Prefect's database is SQLite {answer['version']}."
    assert answer["journal_mode"] == "wal"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "prefect").glob("prefect.db*")}
    assert set(modes.values()) == {0o600} and "prefect.db" in modes


@pytest.mark.skipif(not sqlite.has_wal_reset_bug(sqlite3.sqlite_version_info), reason="Python's own SQLite is sound")
def test_prefects_database_does_without_wal_where_no_sqlite_is_sound(tmp_path: Path) -> None:
    (tmp_path / "prefect").mkdir()
    with closing(sqlite3.connect(tmp_path / "prefect" / "prefect.db")) as before:
        before.execute("PRAGMA journal_mode=WAL")
        before.execute("CREATE TABLE of_old (x)")
    answer = ask_prefects_database(tmp_path / "prefect", "vulnerable")
    assert answer.pop("said").startswith(f"Prefect's database is SQLite {sqlite3.sqlite_version}, which can lose")
    assert answer == {
        "journal_mode": "delete", "foreign_keys": 1, "synchronous": 2, "busy_timeout": 60_000, "legacy_alter_table": 0,
        "version": sqlite3.sqlite_version,
    }  # fmt: skip


MADE = """
import asyncio, json, sys
from pathlib import Path
from flows import prefect_database
prefect_database.prepare()
import prefect.server.api.server
from prefect.server.database import provide_database_interface
file = prefect_database.file_of(prefect_database.address())
from flows import prefect_schema
if sys.argv[1] == "broken":
    prefect_schema.reflect_alone = None
print(prefect_schema.make(file))
if sys.argv[1] == "ours":
    print(prefect_schema.make(file))
else:
    asyncio.run(provide_database_interface().create_db())
"""


def make_prefects_database(home: Path, who: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'lib'}", "PREFECT_HOME": str(home)}
    argv = [sys.executable, "-c", MADE, who]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=120, check=True)


def tables_of(file: Path) -> dict[str, Any]:
    """What is in a database. The order of a table's constraints is nobody's: it differs between two of Prefect's."""
    with closing(sqlite.driver().connect(file)) as connection:
        found = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
        columns = {name: connection.execute(f"PRAGMA table_xinfo({name})").fetchall() for _, name, _, _ in found}
        rows = {
            name: connection.execute(f"SELECT * FROM {name}").fetchall() for what, name, *_ in found if what == "table"
        }
        schema = {(what, name, of): sorted(lines_of(said)) for what, name, of, said in found}
        settings = {
            name: connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_size", "auto_vacuum", "encoding")
        }
    return {"schema": schema, "columns": columns, "rows": rows, "settings": settings}


def lines_of(said: str | None) -> list[str]:
    return [line.strip(" \t,") for line in (said or "").splitlines()]


@pytest.fixture(scope="module")
def prefects(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A database that Prefect's own migrations made, which takes them a while, after ours could not be made."""
    home = tmp_path_factory.mktemp("prefect")
    return home, make_prefects_database(home, "broken")


def test_a_new_database_is_what_prefects_own_migrations_make(
    tmp_path: Path, prefects: tuple[Path, subprocess.CompletedProcess[str]]
) -> None:
    said = make_prefects_database(tmp_path, "ours").stdout.split()
    assert said == ["True", "False"], "it is made, and one that is there is left alone"
    ours, made = (tables_of(home / "prefect.db") for home in (tmp_path, prefects[0]))
    assert len(ours["schema"]) > 200 and ours["rows"]["alembic_version"]
    assert ours == made
    assert stat.S_IMODE((tmp_path / "prefect.db").stat().st_mode) == 0o600


def test_prefect_makes_its_database_itself_where_ours_cannot_be_made(
    prefects: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    home, ended = prefects
    assert ended.stdout == "False\n" and "Prefect makes its database itself" in ended.stderr
    assert tables_of(home / "prefect.db")["rows"]["alembic_version"]
    assert not list(home.glob(".prefect.db*"))


TURNING_TO_WRITE = """
import asyncio
from flows import prefect_database
prefect_database.prepare()
from prefect.server.database import provide_database_interface
from sqlalchemy import text

async def main():
    database = provide_database_interface()

    async def write(session):
        await session.execute(text("INSERT INTO t VALUES (1)"))

    async def another():
        async with database.session_context(begin_transaction=True) as session:
            await write(session)

    async with database.session_context(begin_transaction=True) as session:
        await session.execute(text("CREATE TABLE t (x)"))
    async with database.session_context(begin_transaction=True) as session:
        await session.execute(text("SELECT * FROM t"))
        others = asyncio.create_task(another())
        await asyncio.wait({others}, timeout=1)
        await write(session)
    await others

asyncio.run(main())
"""


def test_who_reads_and_then_writes_is_not_refused_because_another_has_written(tmp_path: Path) -> None:
    """Prefect's client would ask again seconds later: each stage of a clip waited for that now and then."""
    environment = os.environ | {"PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'lib'}", "PREFECT_HOME": str(tmp_path)}
    argv = [sys.executable, "-c", TURNING_TO_WRITE]
    ended = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr


def test_prefects_pages_may_ask_nobody_but_prefect(prefect_url: str) -> None:
    address = prefect_url.removesuffix("/api")
    page = httpx.get(address, headers={"Accept": "text/html"}, follow_redirects=True)
    assert page.is_success and "<script" in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    hosts = {word.partition("//")[2] for word in policy.replace(";", " ").split() if "//" in word}
    assert hosts == {httpx.get(f"{address}/ui-settings").json()["api_url"].split("/")[2]}
