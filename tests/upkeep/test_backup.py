"""What has a backup's name is one: proven by restoring it, whole, alone, and taken while others write."""

import os
import threading
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest
from filelock import FileLock
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

import migrations
from dashcam.catalog.models import Video
from dashcam.database import DatabaseUnusable, open_engine, reading, writing
from dashcam.upkeep import backup
from dashcam.upkeep.backup import BackupFailed, Busy, backups, take
from dashcam.upkeep.restore import RestoreFailed, restore
from tests.catalog.rows import add_sighting, add_video
from tests.upkeep.made_site import MadeSite

NOT_SAID: list[str] = []


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def migrate(url: str) -> None:
    engine = open_engine(url)
    migrations.upgrade(engine)
    engine.dispose()


def put_back(engine: Engine, file: Path, **options: bool) -> None:
    engine.dispose()  # the main server is stopped
    restore(url_of(engine), file, file.parent, migrate, NOT_SAID.append, **options)


def clips(engine: Engine) -> int:
    with reading(engine) as session:
        return session.query(Video).count()


def test_a_backup_taken_under_load_restores_to_the_same_pages(any_engine: Engine, tmp_path: Path) -> None:
    site = MadeSite(any_engine, tmp_path)
    site.history()
    before = site.answers()
    stop = threading.Event()

    def load() -> None:
        number = 1000
        while not stop.is_set():
            number += 1
            with writing(any_engine) as session:
                add_sighting(session, add_video(session, number), f"XX{number}")

    writer = threading.Thread(target=load)
    writer.start()
    try:
        taken = take(any_engine, tmp_path / "backups", keep=3)
    finally:
        stop.set()
        writer.join()
    assert clips(any_engine) > 13, "something was written meanwhile"
    put_back(any_engine, tmp_path / "backups" / taken.file)
    with writing(any_engine) as session:  # what came in before the moment that the backup is of
        for table in ("sighting", "plate", "video"):
            came = {"sighting": "video_id < '1'", "plate": "text LIKE 'XX%'", "video": "video_id < '1'"}[table]
            session.execute(text(f"DELETE FROM {table} WHERE {came}"))
    after = site.answers()
    assert all(after[path] == said for path, said in before.items())


def test_only_so_many_are_kept_and_nothing_half(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "backups"
    for day in range(1, 5):
        (folder / f"dashcam-202601{day:02d}T020000Z.db").parent.mkdir(exist_ok=True)
        (folder / f"dashcam-202601{day:02d}T020000Z.db").write_bytes(b"an older one")
    (folder / "dashcam-of-mine.db").write_bytes(b"not ours to remove")
    newest = take(engine, folder, keep=2)
    assert [one.file for one in backups(folder)] == [newest.file, "dashcam-20260104T020000Z.db"]
    assert (folder / "dashcam-of-mine.db").exists()
    assert (folder / newest.file).stat().st_mode & 0o077 == 0, "for its owner alone"


@pytest.mark.parametrize("damage", ["bits", "rows", "revision"])
def test_a_copy_that_does_not_restore_gets_no_name(
    sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    with writing(sqlite_engine) as session:
        for number in range(50):
            add_sighting(session, add_video(session, number), f"LT{number}")
    copy = backup.copy

    def badly(of: Engine, file: Path) -> None:
        copy(of, file)
        if damage == "bits":
            data = bytearray(file.read_bytes())
            for place in range(3000, len(data), 4096):
                data[place : place + 600] = os.urandom(len(data[place : place + 600]))
            file.write_bytes(data)
            return
        made = open_engine(f"sqlite:///{file}")
        with made.begin() as connection:
            if damage == "rows":
                connection.execute(text("DELETE FROM sighting"))
                connection.execute(text("DELETE FROM video"))
            else:
                connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        made.dispose()

    monkeypatch.setattr(backup, "copy", badly)
    with pytest.raises(BackupFailed):
        take(sqlite_engine, tmp_path / "backups", keep=3)
    assert [one.name for one in (tmp_path / "backups").iterdir()] == [".lock"]


def test_no_two_at_once(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    with FileLock(tmp_path / "backups/.lock"), pytest.raises(Busy, match="under way already"):
        take(engine, tmp_path / "backups", keep=3)


def test_what_a_killed_one_has_left_goes_with_the_next(engine: Engine, tmp_path: Path) -> None:
    left = tmp_path / "backups/.dashcam-20260101T020000Z.db.0123456789ab.part"
    left.mkdir(parents=True)
    (left / "dashcam-20260101T020000Z.db").write_bytes(b"half")
    take(engine, tmp_path / "backups", keep=3)
    assert not left.exists()


def test_the_second_copy_is_the_same_file(engine: Engine, tmp_path: Path) -> None:
    first, second = tmp_path / "backups", tmp_path / "nas/.dashcam/backups"
    newest = take(engine, first, keep=3)
    backup.second_copy(first, newest, second, keep=3)
    assert (second / newest.file).read_bytes() == (first / newest.file).read_bytes()
    assert sorted(one.name for one in second.iterdir()) == [".lock", newest.file]


def test_the_old_database_stays_beside_the_restored_one_unless_it_shall_not(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    newest = tmp_path / "backups" / take(sqlite_engine, tmp_path / "backups", keep=3).file
    with writing(sqlite_engine) as session:
        add_video(session, 1)
    put_back(sqlite_engine, newest)
    assert clips(sqlite_engine) == 0
    (kept,) = tmp_path.glob("dashcam.db.before-*")
    old = open_engine(f"sqlite:///{kept}")
    assert clips(old) == 1
    old.dispose()
    for path in tmp_path.glob("dashcam.db.before-*"):
        path.unlink()
    put_back(sqlite_engine, newest, keep_old=False)
    assert not list(tmp_path.glob("dashcam.db.before-*")) and clips(sqlite_engine) == 0


def test_each_database_that_was_replaced_is_kept_however_soon_the_next_follows(
    sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One restore that was killed and the next that a script begins at once come within the same second."""
    moments = (datetime(2026, 11, 28, 17, 16, 1, number, UTC) for number in range(9))

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return next(moments)

    newest = tmp_path / "backups" / take(sqlite_engine, tmp_path / "backups", keep=3).file
    with writing(sqlite_engine) as session:
        add_video(session, 1)
    monkeypatch.setattr("dashcam.upkeep.restore.datetime", Clock)
    put_back(sqlite_engine, newest)
    put_back(sqlite_engine, newest)
    assert sorted(clips(open_engine(f"sqlite:///{kept}")) for kept in tmp_path.glob("dashcam.db.before-*")) == [0, 1]


def test_a_damaged_database_is_replaced_and_its_log_does_not_come_back(sqlite_engine: Engine, tmp_path: Path) -> None:
    with writing(sqlite_engine) as session:
        add_video(session, 1)
    newest = tmp_path / "backups" / take(sqlite_engine, tmp_path / "backups", keep=3).file
    sqlite_engine.dispose()
    database = tmp_path / "dashcam.db"
    database.write_bytes(os.urandom(50_000))
    (tmp_path / "dashcam.db-wal").write_bytes(os.urandom(5_000))
    put_back(sqlite_engine, newest)
    assert (
        clips(sqlite_engine) == 1 and not (tmp_path / "dashcam.db-wal").read_bytes()
        if (tmp_path / "dashcam.db-wal").exists()
        else True
    )


def test_a_database_that_is_lost_comes_back(sqlite_engine: Engine, tmp_path: Path) -> None:
    newest = tmp_path / "backups" / take(sqlite_engine, tmp_path / "backups", keep=3).file
    sqlite_engine.dispose()
    for path in tmp_path.glob("dashcam.db*"):
        path.unlink()
    put_back(sqlite_engine, newest)
    assert clips(sqlite_engine) == 0


def test_while_somebody_uses_the_database_nothing_is_restored(any_engine: Engine, tmp_path: Path) -> None:
    newest = tmp_path / "backups" / take(any_engine, tmp_path / "backups", keep=3).file
    with writing(any_engine) as session:
        add_video(session, 1)
    other = open_engine(url_of(any_engine))
    with other.connect() as connection:
        connection.execute(text("SELECT count(*) FROM video")).scalar()
        any_engine.dispose()
        with pytest.raises(Exception, match="stop the main server"):
            restore(url_of(any_engine), newest, newest.parent, migrate, NOT_SAID.append)
    other.dispose()
    assert clips(any_engine) == 1
    assert not list(tmp_path.glob("*.before-*"))


def test_of_an_older_backup_the_copy_is_migrated(sqlite_engine: Engine, tmp_path: Path) -> None:
    from tests.catalog.test_migrations import old_database

    clip = "INSERT INTO video (video_id, name, source, created_at) VALUES ('v', 'a.MP4', 's:a.MP4', '2026-06-28')"
    old = old_database(tmp_path, "0003", clip)
    newest = tmp_path / "backups" / take(old, tmp_path / "backups", keep=3).file
    old.dispose()
    before = newest.read_bytes()
    put_back(sqlite_engine, newest)
    assert clips(sqlite_engine) == 1 and newest.read_bytes() == before
    with sqlite_engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() > "0009"


def test_a_backup_of_a_newer_version_is_refused(any_engine: Engine, tmp_path: Path) -> None:
    with any_engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    newest = tmp_path / "backups" / take(any_engine, tmp_path / "backups", keep=3).file
    with any_engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0009'"))
    with pytest.raises(DatabaseUnusable, match="newer version of dashcam"):
        put_back(any_engine, newest)
    with any_engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "0009"


@pytest.mark.parametrize("what", ["text", "empty", "cut", "another database", "nothing"])
def test_what_is_no_backup_changes_nothing(sqlite_engine: Engine, tmp_path: Path, what: str) -> None:
    with writing(sqlite_engine) as session:
        for number in range(50):
            add_sighting(session, add_video(session, number), f"LT{number}")
    newest = tmp_path / "backups" / take(sqlite_engine, tmp_path / "backups", keep=3).file
    if what == "nothing":
        newest.unlink()
    elif what == "cut":
        newest.write_bytes(newest.read_bytes()[: newest.stat().st_size // 2])
    elif what == "another database":
        newest.unlink()
        other = open_engine(f"sqlite:///{newest}")
        with other.begin() as connection:
            connection.execute(text("CREATE TABLE song (name TEXT)"))
        other.dispose()
    else:
        newest.write_bytes(b"" if what == "empty" else b"a letter to my sister")
    with pytest.raises(RestoreFailed):
        put_back(sqlite_engine, newest)
    assert clips(sqlite_engine) == 50 and not list(tmp_path.glob("*.before-*"))


def test_what_goes_wrong_in_the_last_step_is_undone_and_said(
    sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dashcam.upkeep import restore as module

    newest = tmp_path / "backups" / take(sqlite_engine, tmp_path / "backups", keep=3).file
    with writing(sqlite_engine) as session:
        add_video(session, 1)
    proven, place = module.proven, str(tmp_path / "dashcam.db")

    def fails_in_place(url: str) -> backup.Contents:
        if make_url(url).database == place:
            raise BackupFailed("the disk has gone bad.")
        return proven(url)

    monkeypatch.setattr(module, "proven", fails_in_place)
    with pytest.raises(RestoreFailed, match="the disk has gone bad"):
        put_back(sqlite_engine, newest)
    assert clips(sqlite_engine) == 1 and not list(tmp_path.glob("*.before-*"))


def test_names_tell_the_time(tmp_path: Path) -> None:
    assert backups(tmp_path / "none") == []
    at = datetime.now(UTC) - timedelta(days=3)
    (tmp_path / f"dashcam-{at:%Y%m%dT%H%M%SZ}.dump").write_bytes(b"PGDMP")
    assert abs(backups(tmp_path)[0].taken_at - at) < timedelta(seconds=1)


def test_copies_end_with_the_scratch_place(any_engine: Engine, tmp_path: Path) -> None:
    """Neither a file nor a database is left over."""
    take(any_engine, tmp_path / "backups", keep=3)
    if any_engine.dialect.name == "postgresql":
        with any_engine.connect() as connection:
            left = connection.execute(text("SELECT datname FROM pg_database WHERE datname LIKE '%scratch%'")).all()
        assert left == []
    assert len(list((tmp_path / "backups").iterdir())) == 2
