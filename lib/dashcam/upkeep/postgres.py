"""PostgreSQL's own programs for copies of a database, and scratch databases beside the one that is used."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from dashcam import Explained
from dashcam.database import cause

SCRATCH = "_scratch_"
"""In the name of a database that is made, used and dropped here."""


class ToolFailed(Explained):
    """pg_dump or pg_restore could not do it; the message has its own last line."""


def dump(engine: Engine, file: Path) -> None:
    """All of the database as one archive of pg_dump, as it was at one moment. Raises `ToolFailed`."""
    run(engine.url, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--file", str(file))


def load(url: URL, file: Path) -> None:
    """A dump into an empty database. Raises `ToolFailed`."""
    run(url, "pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", str(file))


def run(url: URL, program: str, *arguments: str) -> None:
    where = {"--host": url.query.get("host") or url.host, "--port": url.query.get("port") or url.port}
    where |= {"--username": url.username, "--dbname": url.database}
    named = [str(part) for option, value in where.items() if value for part in (option, value)]
    environment = os.environ | ({"PGPASSWORD": str(url.password)} if url.password else {})
    done = subprocess.run(
        [found(program), *named, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise ToolFailed(f"{program} could not do its work ({last}): see that its version is the server's.")


def found(program: str) -> str:
    newest = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    path = shutil.which(program) or (str(newest[-1]) if newest else None)
    if path is None:
        raise ToolFailed(f"{program} is not installed on the main server: install PostgreSQL's client programs.")
    return path


@contextmanager
def scratch_database(url: URL) -> Iterator[URL]:
    """An empty database beside the one of ``url``, dropped in the end unless it was given another name meanwhile.

    Raises `ToolFailed` where this user may make none.
    """
    name = f"{url.database}{SCRATCH}{uuid.uuid4().hex[:8]}"
    with maintenance(url) as connection:
        for left in connection.execute(
            text("SELECT datname FROM pg_database WHERE starts_with(datname, :begin)"), {"begin": name[:-8]}
        ).scalars():
            connection.execute(text(f'DROP DATABASE IF EXISTS "{left}" WITH (FORCE)'))
        try:
            connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE template0'))
        except DBAPIError as error:
            raise ToolFailed(
                f"No scratch database can be made ({cause(error)}): give the user of server.database_url the right to, "
                "ALTER ROLE … CREATEDB."
            ) from error
    try:
        yield url.set(database=name)
    finally:
        with maintenance(url) as connection:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


@contextmanager
def maintenance(url: URL) -> Iterator[Any]:
    """A connection beside the database itself, each statement by itself."""
    engine = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def put_in_place(url: URL, scratch: str, aside: str | None) -> None:
    """The scratch database takes the name of the one in use, which is called ``aside`` from then on, in one
    transaction. Raises `ToolFailed` while somebody uses it."""
    engine = create_engine(url.set(database="postgres"))
    try:
        with engine.begin() as connection:
            if aside is not None:
                connection.execute(text(f'ALTER DATABASE "{url.database}" RENAME TO "{aside}"'))
            connection.execute(text(f'ALTER DATABASE "{scratch}" RENAME TO "{url.database}"'))
    except DBAPIError as error:
        raise ToolFailed(
            f"The database cannot be replaced now ({cause(error)}): stop the main server, and whatever else uses it."
        ) from error
    finally:
        engine.dispose()


def exists(url: URL) -> bool:
    with maintenance(url) as connection:
        asked = text("SELECT 1 FROM pg_database WHERE datname = :name")
        return connection.execute(asked, {"name": url.database}).first() is not None
