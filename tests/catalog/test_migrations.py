"""The migrations make exactly the tables and indices that the models declare."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

import migrations
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


def test_plates_from_before_the_search_had_its_keys_get_them(tmp_path: Path) -> None:
    old = open_engine(f"sqlite:///{tmp_path / 'old.db'}")
    with old.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text("INSERT INTO plate (plate_id, text) VALUES (7, 'LT23CGK')"))
    migrations.upgrade(old)
    with old.connect() as connection:
        found = connection.execute(text("SELECT plate_id FROM plate_suffix WHERE suffix = '3CGK'")).all()
        assert [tuple(row) for row in found] == [(7,)]
        assert connection.execute(text("SELECT count(*) FROM plate_near WHERE key = 'LT23CG'")).scalar() == 1
    old.dispose()
