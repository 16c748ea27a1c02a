"""The migrations make exactly the tables and indices that the models declare."""

from pathlib import Path

from sqlalchemy import Engine, text

from dashcam.catalog.models import Base
from dashcam.database import open_engine


def made(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        query = text(
            "SELECT name, type FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND name != 'alembic_version'"
        )
        return dict(connection.execute(query).tuples().all())


def columns(engine: Engine) -> dict[str, set[tuple[str, str, int]]]:
    with engine.connect() as connection:
        return {
            table: {
                (name, kind, notnull)
                for name, kind, notnull in connection.execute(
                    text('SELECT name, type, "notnull" FROM pragma_table_info(:table)'), {"table": table}
                )
            }
            for table in Base.metadata.tables
        }


def test_migrations_and_models_agree(engine: Engine, tmp_path: Path) -> None:
    declared = open_engine(f"sqlite:///{tmp_path / 'declared.db'}")
    Base.metadata.create_all(declared)
    assert made(engine) == made(declared)
    assert columns(engine) == columns(declared)
    declared.dispose()
