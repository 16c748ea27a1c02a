"""Alembic scripts: the only way the database is created or changed."""

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from dashcam.database import DatabaseUnusable

log = logging.getLogger("dashcam.database")


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest revision, all at once or not at all; a new one is created the same way.

    Raises `DatabaseUnusable` for a database of a newer version.
    """
    with engine.begin() as connection:
        there, config = revision(connection), scripts()
        ours = ScriptDirectory.from_config(config)
        if there is not None and there not in {script.revision for script in ours.walk_revisions()}:
            raise DatabaseUnusable(
                f"The database was made by a newer version of dashcam (revision {there}, this one knows up to "
                f"{ours.get_current_head()}): bring this installation up to date."
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        if there != (now := ours.get_current_head()):
            log.info("database: its tables are of revision %s now%s", now, f", {there} before" if there else "")


def differs(connection: Connection) -> str:
    """The database's revision and ours, where they are not the same; else empty."""
    there = revision(connection)
    ours = ScriptDirectory.from_config(scripts()).get_current_head()
    return "" if there == ours else f"{there or 'none'} instead of {ours}"


def is_older(engine: Engine) -> bool:
    """Whether there is a database that `upgrade` would change."""
    with engine.connect() as connection:
        return revision(connection) is not None and differs(connection) != ""


def revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def scripts() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config
