"""Prefect's tables in a new SQLite file, made by its own hundred migrations, in memory and at once.

Prefect runs them on the file, through its asynchronous driver, and for each table that one changes it reads how all
tables look to which that refers: 5 s of CPU on every new data folder. What comes of it is the same.
"""

import contextlib
import logging
import sqlite3
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alembic.operations import Operations
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import SAWarning

log = logging.getLogger("dashcam.prefect")


def make(file: Path) -> bool:
    """Whether it is made. It is left to Prefect where there is a database already, or where anything is unexpected."""
    if file.exists() and file.stat().st_size:
        return False
    made = file.with_name(f".{file.name}.new")
    try:
        made.unlink(missing_ok=True)
        with migrated() as connection:
            connection.exec_driver_sql("VACUUM INTO ?", (str(made),))
        made.chmod(0o600)
        made.replace(file)
    except Exception as error:
        log.warning("Prefect makes its database itself, which takes longer (%s: %s)", type(error).__name__, error)
        made.unlink(missing_ok=True)
        return False
    return True


@contextlib.contextmanager
def migrated() -> Iterator[Connection]:
    """A database in memory that all migrations were run on."""
    from prefect.server.database import provide_database_interface
    from prefect.server.database.alembic_commands import alembic_config

    prefects, config = provide_database_interface(), alembic_config()
    script = ScriptDirectory.from_config(config)
    script.version_locations = [str(prefects.orm.versions_dir)]
    engine = create_engine("sqlite://", module=sqlite3, connect_args={"isolation_level": None})
    with (
        warnings.catch_warnings(),
        EnvironmentContext(config, script, fn=lambda at, _: script._upgrade_revs("head", at)) as environment,
        engine.connect() as connection,
    ):
        warnings.filterwarnings("ignore", message="Skipped unsupported reflection", category=SAWarning)
        environment.configure(
            connection=connection,
            target_metadata=prefects.Base.metadata,
            render_as_batch=True,
            transaction_per_migration=True,
        )
        with environment.begin_transaction(), Operations.context(environment.get_context()) as operations:
            reflect_alone(operations)
            environment.get_context().run_migrations()
        connection.commit()
        yield connection


def reflect_alone(operations: Operations) -> None:
    """A table that is changed is read without the tables to which it refers."""
    own = operations.batch_alter_table

    def batch_alter_table(table: str, **options: Any) -> Any:
        reflecting = {"resolve_fks": False, **(options.pop("reflect_kwargs", None) or {})}
        return own(table, reflect_kwargs=reflecting, **options)

    operations.batch_alter_table = batch_alter_table  # type: ignore[assignment, method-assign]
