"""What the database keeps to, on SQLite and on PostgreSQL, and where it is refused."""

import sqlite3
import stat
import threading
from collections import namedtuple
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

import migrations
from dashcam import database, sqlite
from dashcam.catalog.models import SourceFile, Video
from dashcam.database import DatabaseUnusable, named, open_engine, reading, writing
from tests.catalog.rows import add_video

Mount = namedtuple("Mount", "device mountpoint fstype opts")


def pragma(engine: Engine, name: str) -> object:
    with engine.connect() as connection:
        return connection.execute(text(f"PRAGMA {name}")).scalar_one()


def test_our_sqlite_is_sound_and_writes_ahead_to_its_log(sqlite_engine: Engine) -> None:
    with sqlite_engine.connect() as connection:
        version = connection.execute(text("SELECT sqlite_version()")).scalar_one()
    assert named(sqlite_engine) == f"SQLite {version}"
    assert not sqlite.has_wal_reset_bug(tuple(int(part) for part in version.split(".")))
    assert pragma(sqlite_engine, "journal_mode") == "wal"


def test_what_is_committed_outlives_a_power_cut(sqlite_engine: Engine) -> None:
    assert pragma(sqlite_engine, "synchronous") == 2, "FULL"


def test_a_writer_waits_for_another_longer_than_any_takes(sqlite_engine: Engine) -> None:
    assert pragma(sqlite_engine, "busy_timeout") == 30_000


def test_postgresql_is_named_with_its_version(any_engine: Engine) -> None:
    kind, version = named(any_engine).split()
    assert kind.lower() == any_engine.dialect.name and version[0].isdigit()


def test_a_file_of_an_unknown_video_is_refused(any_engine: Engine) -> None:
    with pytest.raises(IntegrityError), writing(any_engine) as session:
        session.add(SourceFile(uri="s:a.MP4", size=1, mtime_ns=1, video_id="nobody's"))


def test_two_writers_that_read_first_both_succeed(any_engine: Engine) -> None:
    """With a plain BEGIN the first would fail as it writes: what it has read is out of date (SQLITE_BUSY_SNAPSHOT)."""
    with writing(any_engine) as session:
        add_video(session, 1)
    has_read, may_write = threading.Event(), threading.Event()
    trouble: list[BaseException] = []
    another = open_engine(any_engine.url.render_as_string(hide_password=False))  # as another process has it

    def write(name: str, wait: bool) -> None:
        try:
            with writing(any_engine if wait else another) as session:
                names = session.scalars(select(Video.name)).all()
                has_read.set()
                if wait:
                    may_write.wait(10)
                session.execute(text("UPDATE video SET name = :name"), {"name": f"{name} after {names[0]}"})
        except BaseException as error:
            trouble.append(error)

    first = threading.Thread(target=write, args=["first", True])
    first.start()
    assert has_read.wait(10)
    second = threading.Thread(target=write, args=["second", False])
    second.start()
    second.join(0.5)  # on SQLite it waits for the first from its beginning
    may_write.set()
    first.join(20)
    second.join(20)
    another.dispose()
    assert trouble == []


@pytest.fixture
def vulnerable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not sqlite.has_wal_reset_bug(sqlite3.sqlite_version_info):
        pytest.skip(f"Python's own SQLite {sqlite3.sqlite_version} is sound")
    monkeypatch.setattr(sqlite, "driver", lambda: sqlite3.dbapi2)
    yield


def test_writers_take_turns_in_the_order_in_which_they_came(sqlite_engine: Engine) -> None:
    """SQLite's own way is to look again now and then: who comes late may be first, and who came first waits long."""
    let_in: list[int] = []
    order: list[int] = []
    queue = database.TURNS.setdefault(sqlite_engine, database.Turns())._queue

    def write(number: int) -> None:
        with writing(sqlite_engine) as session:
            let_in.append(number)
            add_video(session, number)
            session.flush()
            order.append(number)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    with writing(sqlite_engine) as session:
        session.connection()
        for waiting, writer in enumerate(writers, 2):
            writer.start()
            while len(queue) < waiting:
                assert writer.is_alive()
        assert let_in == [], "nobody begins while another writes"
    for writer in writers:
        writer.join()
    assert let_in == order == list(range(8))


def test_a_writer_that_fails_lets_the_next_one_go_on(engine: Engine) -> None:
    for _ in range(2):
        with pytest.raises(KeyError), writing(engine):
            raise KeyError
    with writing(engine) as session:
        add_video(session, 1)


def test_a_vulnerable_sqlite_runs_without_wal_and_says_so(
    vulnerable: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "dashcam.db"
    with closing(sqlite3.connect(file)) as before:
        before.execute("PRAGMA journal_mode=WAL")
        before.execute("CREATE TABLE of_old (x)")
    engine = open_engine(f"sqlite:///{file}")
    migrations.upgrade(engine)
    assert pragma(engine, "journal_mode") == "delete"
    (said,) = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert sqlite3.sqlite_version in said and "pysqlite3" in said and "PostgreSQL" in said
    with reading(engine) as reader, writing(engine) as session:  # a page is open while something is written
        add_video(session, 1)
        session.flush()
        assert reader.scalars(select(Video)).all() == []
        reader.rollback()
    assert not file.with_name("dashcam.db-wal").exists()
    engine.dispose()


def test_only_the_owner_reads_the_database_and_its_log(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'dashcam.db'}")
    migrations.upgrade(engine)  # a new one: those of other tests are copies of one that was made before
    with writing(engine) as session:
        add_video(session, 1)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("dashcam.db*")}
    engine.dispose()
    assert modes == dict.fromkeys(("dashcam.db", "dashcam.db-wal", "dashcam.db-shm"), 0o600)


@pytest.mark.parametrize("fstype", ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs"])
def test_sqlite_on_a_network_file_system_is_refused(
    fstype: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = tmp_path / "share"
    share.mkdir()
    (tmp_path / "linked").symlink_to(share)
    mounts = [
        Mount("/dev/sda1", "/", "ext4", "rw"),
        Mount("systemd-1", str(share), "autofs", "rw"),  # what mounts the share when it is asked for
        Mount("nas:/share", str(share), fstype, "rw"),
    ]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: mounts)
    for folder in (share, share / "below", tmp_path / "linked"):
        with pytest.raises(DatabaseUnusable, match="PostgreSQL") as refused:
            open_engine(f"sqlite:///{folder / 'dashcam.db'}")
        assert fstype in str(refused.value) and str(share) in str(refused.value)
    assert list(share.iterdir()) == []
    open_engine(f"sqlite:///{tmp_path / 'dashcam.db'}").dispose()


def test_a_database_that_cannot_be_used_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "no.db").write_bytes(b"not a database" * 100)
    (tmp_path / "folder.db").mkdir()
    (tmp_path / "file").touch()
    addresses = {
        f"sqlite:///{tmp_path / 'missing' / 'dashcam.db'}": "The folder",
        f"sqlite:///{tmp_path / 'no.db'}": "file is not a database",
        f"sqlite:///{tmp_path / 'folder.db'}": "unable to open",
        f"sqlite:///{tmp_path / 'file' / 'dashcam.db'}": "Not a directory",
        f"postgresql+psycopg://someone:secret@/none?host={tmp_path}": "cannot be used",
        "postgres://someone:secret@host/none": "names no database",
        "nothing": "names no database",
    }
    for address, said in addresses.items():
        with pytest.raises(DatabaseUnusable) as unusable:
            open_engine(address)
        sentence = str(unusable.value)
        assert said in sentence and sentence.endswith(".") and "\n" not in sentence and "secret" not in sentence


def test_a_mistake_of_ours_is_not_told_as_a_busy_database(sqlite_engine: Engine) -> None:
    with pytest.raises(OperationalError) as wrong, sqlite_engine.connect() as connection:
        connection.execute(text("SELECT 1 FROM no_table"))
    assert database.passing(wrong.value) is None
