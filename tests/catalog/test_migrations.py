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


def old_database(folder: Path, revision: str, *rows: str) -> Engine:
    """A database as an older version left it."""
    old = open_engine(f"sqlite:///{folder / 'old.db'}")
    with old.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        for row in rows:
            connection.execute(text(row))
    return old


def test_positions_from_before_their_quality_was_kept_are_plain_fixes(engine: Engine, tmp_path: Path) -> None:
    old = old_database(
        tmp_path,
        "0003",
        "INSERT INTO video (video_id, name, source, created_at) VALUES ('v', 'a.MP4', 's:a.MP4', '2026-06-28')",
        "INSERT INTO position (video_id, t_s, utc, lat, lon, source) VALUES ('v', 1, '2026-06-28', 52, 4.9, 'novatek')",
    )
    migrations.upgrade(old)
    with old.connect() as connection:
        assert connection.execute(text("SELECT quality FROM position")).scalars().all() == ["fix"]
    assert made(old) == made(engine), "no index is lost on the way"
    old.dispose()


def test_plates_from_before_the_search_had_its_keys_get_them(tmp_path: Path) -> None:
    old = old_database(tmp_path, "0001", "INSERT INTO plate (plate_id, text) VALUES (7, 'LT23CGK')")
    migrations.upgrade(old)
    with old.connect() as connection:
        found = connection.execute(text("SELECT plate_id FROM plate_suffix WHERE suffix = '3CGK'")).all()
        assert [tuple(row) for row in found] == [(7,)]
        assert connection.execute(text("SELECT count(*) FROM plate_near WHERE key = 'LT23CG'")).scalar() == 1
    old.dispose()
