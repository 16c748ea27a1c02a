"""The migrations make exactly the tables and indices that the models declare."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

import migrations
from dashcam.access import models as access  # noqa: F401  its tables too
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


def test_migrations_and_models_agree(sqlite_engine: Engine, tmp_path: Path) -> None:
    declared = open_engine(f"sqlite:///{tmp_path / 'declared.db'}")
    Base.metadata.create_all(declared)
    assert made(sqlite_engine) == made(declared)
    assert columns(sqlite_engine) == columns(declared)
    declared.dispose()


def old_database(folder: Path, revision: str, *rows: str) -> Engine:
    """A database as an older version left it."""
    old = open_engine(f"sqlite:///{folder / 'old.db'}")
    with old.begin() as connection:
        to_revision(connection, command.upgrade, revision)
        for row in rows:
            connection.execute(text(row))
    return old


def to_revision(connection: Connection, direction: Callable[[Config, str], None], revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    direction(config, revision)


def test_positions_from_before_their_quality_was_kept_are_plain_fixes(sqlite_engine: Engine, tmp_path: Path) -> None:
    old = old_database(
        tmp_path,
        "0003",
        "INSERT INTO video (video_id, name, source, created_at) VALUES ('v', 'a.MP4', 's:a.MP4', '2026-06-28')",
        "INSERT INTO position (video_id, t_s, utc, lat, lon, source) VALUES ('v', 1, '2026-06-28', 52, 4.9, 'novatek')",
    )
    migrations.upgrade(old)
    with old.connect() as connection:
        assert connection.execute(text("SELECT quality FROM position")).scalars().all() == ["fix"]
    assert made(old) == made(sqlite_engine), "no index is lost on the way"
    old.dispose()


def test_plates_from_before_the_search_had_its_keys_get_them(tmp_path: Path) -> None:
    old = old_database(tmp_path, "0001", "INSERT INTO plate (plate_id, text) VALUES (7, 'LT23CGK')")
    migrations.upgrade(old)
    with old.connect() as connection:
        found = connection.execute(text("SELECT plate_id FROM plate_suffix WHERE suffix = '3CGK'")).all()
        assert [tuple(row) for row in found] == [(7,)]
        assert connection.execute(text("SELECT count(*) FROM plate_near WHERE key = 'LT23CG'")).scalar() == 1
    old.dispose()


def test_tasks_from_before_a_backlog_was_cheap_keep_their_place(any_engine: Engine) -> None:
    """On both databases, down to the older tables and up again with tasks in them."""
    task = "INSERT INTO task (task_id, task_type, video_id, revision, device_type, state, inputs, created_at, attempts,"
    rows = (
        "INSERT INTO video (video_id, name, source, created_at, duration_s)"
        " VALUES ('v', 'a.MP4', 's:a.MP4', '2026-06-28', 12.5), ('w', 'b.MP4', 's:b.MP4', '2026-06-28', NULL)",
        f"{task} failures, flow_run_id) VALUES (1, 'HEAVY_PROCESS_VIDEO', 'v', 1, 'gpu', 'pending', '[]', '2026-06-28',"
        " 3, 2, 'r')",
        f"{task} failures) VALUES (2, 'INGEST_VIDEO', 'w', 1, 'server', 'pending', '[]', '2026-06-28', 0, 0)",
        f"{task} failures, flow_run_id) VALUES (3, 'INGEST_VIDEO', 'v', 1, 'server', 'complete', '[]', '2026-06-28', 1,"
        " 0, 'q')",
    )
    with any_engine.begin() as connection:
        to_revision(connection, command.downgrade, "0007")
        for row in rows:
            connection.execute(text(row))
    migrations.upgrade(any_engine)
    with any_engine.connect() as connection:
        kept = "SELECT task_id, attempts, failures, crashes, told, footage_s, flow_run_id FROM task ORDER BY task_id"
        assert [tuple(row) for row in connection.execute(text(kept))] == [
            (1, 3, 2, 0, False, 12.5, None),  # the run that has it, if it lives, holds it all the same
            (2, 0, 0, 0, False, None, None),
            (3, 1, 0, 0, False, None, "q"),
        ]


def test_why_a_device_takes_no_work_outlives_its_new_name(any_engine: Engine) -> None:
    device = "INSERT INTO device (hostname, device_type, last_seen, info, paused, resting)"
    with any_engine.begin() as connection:
        to_revision(connection, command.downgrade, "0010")
        connection.execute(text(f"{device} VALUES ('gpu-pc', 'rtx_4090', '2026-06-28', '{{}}', false, 'a game runs')"))
    migrations.upgrade(any_engine)
    with any_engine.connect() as connection:
        assert connection.execute(text("SELECT drained FROM device")).scalars().all() == ["a game runs"]


def test_migrations_are_one_chain_in_the_order_of_their_files() -> None:
    """Two that were written side by side would have the database refused at the next start."""
    scripts = ScriptDirectory.from_config(migrations.scripts())
    chain = [script.revision for script in scripts.walk_revisions()]
    files = sorted(Path(migrations.__file__).parent.glob("versions/*.py"), reverse=True)
    assert chain == [file.name[:4] for file in files]
