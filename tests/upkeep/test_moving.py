"""A whole site moves from SQLite to PostgreSQL and back, and is the same to the last row; or nothing is moved."""

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Engine,
    Float,
    Integer,
    LargeBinary,
    Table,
    func,
    insert,
    inspect,
    select,
    text,
)

import migrations
from app import offline
from dashcam import Explained
from dashcam.catalog.models import Plate, Video
from dashcam.cli import upkeep as cli
from dashcam.database import Base, UtcDateTime, open_engine, reading, writing
from dashcam.upkeep import moving
from dashcam.upkeep.moving import NotMoved, move, verify
from tests.catalog.rows import add_sighting, add_video
from tests.cli.running import NOBODY_LISTENS
from tests.conftest import empty_database
from tests.upkeep.made_site import MadeSite

BOTH = {"sqlite": "postgresql", "postgresql": "sqlite"}
WHEN = datetime(2026, 3, 29, 1, 59, 59, 999_999, tzinfo=UTC)
WORDS = "Ășț „œuvre” 車 🚗\n\ttab, 'quote', \"double\", \\ and %(percent)s"


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def quiet(line: str) -> None:
    pass


@pytest.fixture
def filled(any_engine: Engine) -> Engine:
    """Of every table rows with all that a column may hold."""
    return fill(any_engine)


@pytest.fixture
def one(engine: Engine) -> Engine:
    """The same, of one kind of database."""
    return fill(engine)


def fill(engine: Engine) -> Engine:
    with engine.execution_options(write=True).begin() as connection:
        for number in range(3):
            for table in Base.metadata.sorted_tables:
                connection.execute(insert(table), [row_of(table, number)])
    engine.dispose()
    return engine


def row_of(table: Table, number: int) -> dict[str, Any]:
    """Number 0 has nothing where nothing is allowed, number 2 words from everywhere."""
    row = {}
    for column in table.columns:
        if column.foreign_keys:
            (key,) = column.foreign_keys
            row[column.name] = value_of(key.column, number)
        elif column.nullable and number == 0:
            continue  # not even a JSON null
        else:
            row[column.name] = value_of(column, number)
    return row


def value_of(column: Any, number: int) -> Any:
    kind = column.type
    if column.primary_key and isinstance(kind, Integer):
        return 5000 + number * 7
    if isinstance(kind, JSON):
        return [{}, None, {"said": [WORDS, 1.5, -0.0, 1e-320, 2**53, None, True, {"deep": []}]}][number]
    if isinstance(kind, Boolean):
        return number == 1
    if isinstance(kind, UtcDateTime):
        return WHEN + timedelta(days=number)
    if isinstance(kind, Integer):
        return number
    if isinstance(kind, Float):
        return [0.1 + 0.2, 179.99999999999997, -1e-300][number]
    if isinstance(kind, LargeBinary):
        return [b"", b"\x00", bytes(range(256))][number]
    return [f"a {column.name}", f"{column.name} ä", f"{WORDS} {column.name}"][number]


def other_kind(engine: Engine, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of the other kind."""
    (tmp_path / "other").mkdir()
    return empty_database(BOTH[engine.dialect.name], request, tmp_path / "other")


@pytest.fixture
def target(engine: Engine, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return other_kind(engine, request, tmp_path)


def everything(url: str) -> dict[str, list[tuple[Any, ...]]]:
    engine = open_engine(url)
    with engine.connect() as connection:
        found = {
            name: sorted((tuple(row) for row in connection.execute(moving.as_stored(table, connection))), key=repr)
            for name, table in Base.metadata.tables.items()
        }
    engine.dispose()
    return found


def test_all_of_a_site_is_in_the_other_database_and_comes_back(
    filled: Engine, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    target = other_kind(filled, request, tmp_path)
    before = everything(url_of(filled))
    assert all(len(rows) >= 3 for rows in before.values()), "of every table"
    lines: list[str] = []
    counts = move(url_of(filled), target, lines.append)
    assert counts == {name: len(rows) for name, rows in before.items()}
    assert everything(target) == before
    assert any("sighting" in line for line in lines) and "password" not in " ".join(lines)
    assert verify(url_of(filled), target, quiet) == counts
    with pytest.raises(NotMoved, match="is not empty"):
        move(url_of(filled), target, quiet)
    back = f"sqlite:///{tmp_path / 'back.db'}"
    move(target, back, quiet)
    assert everything(back) == before
    assert (tmp_path / "back.db").stat().st_mode & 0o077 == 0


def test_the_moved_site_answers_alike_and_goes_on(engine: Engine, target: str, tmp_path: Path) -> None:
    site = MadeSite(engine, tmp_path)
    site.history()
    answers = site.answers()
    engine.dispose()
    move(url_of(engine), target, quiet)
    engine = open_engine(target)
    try:
        moved = MadeSite(engine, tmp_path)
        assert moved.answers() == answers
        with engine.connect() as connection:
            assert migrations.differs(connection) == ""
        with writing(engine) as session:
            session.add(Plate(text="AFTER THE MOVE"))
            add_video(session, 99)
        with reading(engine) as session:
            highest = session.scalar(select(func.max(Plate.plate_id)))
            assert session.scalars(select(Plate.plate_id).where(Plate.text == "AFTER THE MOVE")).one() == highest
    finally:
        engine.dispose()


def test_every_table_that_counts_by_itself_goes_on_counting(engine: Engine, tmp_path: Path, request: Any) -> None:
    """Also one that is empty begins at 1."""
    if engine.dialect.name == "postgresql":
        pytest.skip("SQLite counts by what is there")
    with writing(engine) as session:
        add_sighting(session, add_video(session, 1), "LT1").sighting_id = 41
    engine.dispose()
    target = empty_database("postgresql", request, tmp_path)
    move(url_of(engine), target, quiet)
    engine = open_engine(target)
    with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            key = table.autoincrement_column
            sequence = (
                None if key is None else connection.scalar(select(func.pg_get_serial_sequence(table.name, key.name)))
            )
            if key is not None and sequence is not None:
                highest = connection.scalar(select(func.max(key))) or 0
                assert connection.scalar(select(func.nextval(sequence))) == highest + 1, table.name
    engine.dispose()


def test_a_target_in_which_there_is_something_is_left_alone(one: Engine, target: str) -> None:
    other = open_engine(target)
    migrations.upgrade(other)
    with writing(other) as session:
        add_video(session, 1)
    other.dispose()
    with pytest.raises(NotMoved, match=r"is not empty .table video"):
        move(url_of(one), target, quiet)
    assert len(everything(target)["video"]) == 1


def test_a_target_with_tables_of_others_is_left_alone(one: Engine, target: str) -> None:
    other = open_engine(target)
    with other.begin() as connection:
        connection.execute(text("CREATE TABLE song (name TEXT)"))
    other.dispose()
    with pytest.raises(NotMoved, match=r"not dashcam's .song"):
        move(url_of(one), target, quiet)
    with other.connect() as connection:
        assert inspect(connection).get_table_names() == ["song"]
    other.dispose()


def test_while_somebody_uses_the_source_nothing_is_moved(any_engine: Engine, tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path / 'new.db'}"
    with any_engine.connect() as connection:
        connection.execute(text("SELECT count(*) FROM video")).scalar()
        with pytest.raises(Explained, match="stop the main server"):
            move(url_of(any_engine), target, quiet)
    assert not (tmp_path / "new.db").exists() or not (tmp_path / "new.db").stat().st_size


def test_an_older_source_is_brought_up_first(one: Engine, target: str) -> None:
    with one.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0013'"))
    one.dispose()
    with pytest.raises(NotMoved, match="0013 instead of"):
        move(url_of(one), target, quiet)


def test_what_does_not_read_back_is_not_kept(one: Engine, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one row one letter; then the target is empty still, and the next try is a first one."""
    put = moving.set_sequences

    def spoil(connection: Any) -> None:
        put(connection)
        connection.execute(text("UPDATE plate SET text = 'SP01LED' WHERE plate_id = 5007"))

    monkeypatch.setattr(moving, "set_sequences", spoil)
    with pytest.raises(NotMoved, match=r"of table plate .plate_id 5007. is not the same"):
        move(url_of(one), target, quiet)
    assert not any(everything(target).values())
    monkeypatch.undo()
    move(url_of(one), target, quiet)


def test_a_copy_that_lacks_a_row_or_has_one_more_is_seen(one: Engine, target: str) -> None:
    move(url_of(one), target, quiet)
    other = open_engine(target)
    with writing(other) as session:
        add_video(session, 77)
    other.dispose()
    with pytest.raises(NotMoved, match="of table video"):
        verify(url_of(one), target, quiet)
    with pytest.raises(NotMoved, match="of table video"):
        verify(target, url_of(one), quiet)


def test_what_a_database_cannot_hold_is_said(engine: Engine, tmp_path: Path, request: Any) -> None:
    if engine.dialect.name == "postgresql":
        pytest.skip("PostgreSQL never held it")
    with writing(engine) as session:
        add_video(session, 1).name = "a\0b"
    engine.dispose()
    target = empty_database("postgresql", request, tmp_path)
    with pytest.raises(NotMoved, match="Table video cannot be written"):
        move(url_of(engine), target, quiet)
    assert not any(everything(target).values())


@pytest.mark.parametrize(
    "source, said", [("a letter", "names no database"), ("sqlite:///nowhere.db", "There is no database"), ("", "two")]
)
def test_what_is_no_source_is_said(tmp_path: Path, source: str, said: str) -> None:
    target = f"sqlite:///{tmp_path / 'new.db'}"
    source = source.replace("nowhere", str(tmp_path / "nowhere")) or target
    with pytest.raises(NotMoved, match=said):
        move(source, target, quiet)
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "old.db").write_bytes(b"a letter to my sister" * 500)
    with pytest.raises(NotMoved, match=r"cannot be used .file is not a database"):
        move(f"sqlite:///{tmp_path / 'old.db'}", f"sqlite:///{tmp_path / 'new.db'}", quiet)


@pytest.fixture
def settings(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A main server's settings, whose database has a clip."""
    with writing(engine) as session:
        add_video(session, 1)
    engine.dispose()
    folder = tmp_path / "settings"
    folder.mkdir()
    site = {"server": {"database_url": url_of(engine), "url": NOBODY_LISTENS}}
    (folder / "config.json").write_text(json.dumps(site))
    (folder / "token").write_text("a token of this test")
    (folder / "token").chmod(0o600)
    for name in ("DASHCAM_TOKEN", "DASHCAM_TOKEN_FILE", "DASHCAM_DATABASE_URL", "DASHCAM_DEVICE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DASHCAM_CONFIG", str(folder))
    return folder


def test_the_command(
    settings: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    target = f"sqlite:///{tmp_path / 'new.db'}"
    with pytest.raises(BaseException) as ended:
        cli.offline(None, "migrate-db", "site", target)
    assert getattr(ended.value, "exit_code", None) == 0
    said = capfd.readouterr().err
    assert "Moved: 1 rows" in said and "server.database_url" in said
    assert offline.main(["migrate-db", "site", target, "--verify"]) == 0
    assert "The same: 1 rows" in capfd.readouterr().err
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{target}\n"))
    assert offline.main(["migrate-db", "site", "-", "--verify"]) == 0
    assert "The same: 1 rows" in capfd.readouterr().err
    assert offline.main(["migrate-db", "site", target]) == 1
    assert "is not empty" in capfd.readouterr().err
    other = open_engine(target)
    with reading(other) as session:
        assert session.scalars(select(Video.name)).one()
    other.dispose()
