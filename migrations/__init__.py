"""Alembic scripts: the only way the database is created or changed."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest revision; a new database is created the same way."""
    with engine.begin() as connection:
        config = scripts()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def differs(connection: Connection) -> str:
    """The database's revision and ours, where they are not the same; else empty."""
    there = MigrationContext.configure(connection).get_current_revision()
    ours = ScriptDirectory.from_config(scripts()).get_current_head()
    return "" if there == ours else f"{there or 'none'} instead of {ours}"


def scripts() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config
