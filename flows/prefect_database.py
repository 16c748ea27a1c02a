"""The SQLite under Prefect's server: one that loses nothing (`dashcam.sqlite`), in a file for its owner alone.

Prefect names no module, so ``sqlite3`` is replaced before anything imports it.
"""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashcam import sqlite

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

WITHOUT_WAL = (
    "journal_mode=DELETE", "synchronous=FULL", "foreign_keys=ON", "legacy_alter_table=OFF", "cache_size=20000",
    "busy_timeout=60000",
)  # fmt: skip


def prepare() -> str:
    """For the Prefect that is imported here and in this process: a sound SQLite, or at least none in WAL mode.

    Says in a sentence which it is. ``RuntimeError`` when `sqlite3` was imported before.
    """
    module = sqlite.replace()
    from prefect.server.database.configurations import AioSqliteConfiguration

    url = address()
    if (file := file_of(url)) is None:
        return f"Prefect's database is {url.get_backend_name()}."
    file.parent.mkdir(parents=True, exist_ok=True)
    sqlite.keep_private(file)
    AioSqliteConfiguration.begin_transaction = begin_to_write  # type: ignore[method-assign]
    if not sqlite.has_wal_reset_bug(module.sqlite_version_info):
        return f"Prefect's database is SQLite {module.sqlite_version}."
    AioSqliteConfiguration.setup_sqlite = setup_without_wal  # type: ignore[method-assign, assignment]
    with contextlib.closing(module.connect(file)) as connection:  # alone, which leaving WAL asks for
        connection.execute("PRAGMA journal_mode=DELETE")
    return f"Prefect's database is {sqlite.advice(module)}"


def address() -> "URL":
    from prefect.settings import get_current_settings
    from sqlalchemy.engine import make_url

    said = get_current_settings().server.database.connection_url
    return make_url(said.get_secret_value() if said else "sqlite://")


def file_of(url: "URL") -> Path | None:
    """None for another database than SQLite in a file."""
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


@contextlib.asynccontextmanager
async def begin_to_write(self: Any, session: Any, with_for_update: bool = True) -> AsyncIterator[Any]:
    """Prefect's own, which begins to read and turns to writing: SQLite refuses that at once when another has written
    meanwhile, Prefect answers 503, and its client asks again 2 s later or more. This waits for its turn instead.
    """
    from prefect.server.database.configurations import SQLITE_BEGIN_MODE

    token = SQLITE_BEGIN_MODE.set("IMMEDIATE")
    try:
        async with session.begin() as transaction:
            yield transaction
    finally:
        SQLITE_BEGIN_MODE.reset(token)


def setup_without_wal(self: Any, connection: Any, _record: Any) -> None:
    """What Prefect's own does with a new connection, but for the write-ahead log."""
    self.begin_sqlite_conn(connection)
    cursor = connection.cursor()
    for pragma in WITHOUT_WAL:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
