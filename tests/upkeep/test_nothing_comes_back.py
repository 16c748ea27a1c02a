"""Nothing brings back what a person has deleted: no scan, no late run, no rebuild from the archives, no backup."""

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from app import offline
from app.upkeep import Upkeep
from dashcam.catalog import apply, deletions
from dashcam.catalog.models import Deletion, Plate, SightingRow, Video
from dashcam.database import open_engine, reading, writing
from dashcam.records import HeavyResult
from dashcam.stages.scan import scan
from dashcam.storage import layout
from dashcam.tasks import table
from dashcam.tasks.model import Completion, NewTask, TaskType
from dashcam.tasks.row import TaskRow
from dashcam.upkeep import backup, decisions, deleting, erasing
from dashcam.upkeep.rebuild import rebuild
from dashcam.upkeep.sweep import sweep
from tests.catalog.car import Car
from tests.catalog.rows import NOON
from tests.upkeep import made_site
from tests.upkeep.household import House
from tests.upkeep.lived import Lived, new_database
from tests.upkeep.made_site import MadeSite, heavy


def test_no_scan_brings_a_clip_back_and_its_file_goes_again(tmp_path: Path, engine: Engine) -> None:
    house = House(tmp_path / "house", engine)
    video, other = house.clip(1, 10), house.clip(2, 10)
    raw = house.roots[layout.INDOOR] / video.source.partition(":")[2]
    data = raw.read_bytes()
    with house.server() as server:
        server.call("POST", "/deletions", json={"clips": [video.video_id]})
        erasing.carry_out(server, house.stores)
        assert not raw.exists() and not any(video.video_id in name for name in house.files())
        raw.write_bytes(data)  # the camera's card is copied once more
        copy = raw.with_name("2026_0628_999999_0001F.MP4")
        copy.write_bytes(data)
        for path in (raw, copy):
            os.utime(path, (1, 1))  # long settled
        done = scan(server, house.stores, "indoor_nas:raw")
        assert (done.new, done.unreadable) == (0, [])
        with reading(engine) as session:
            assert set(session.scalars(select(Video.video_id))) == {other.video_id}
        erased = erasing.carry_out(server, house.stores)
    assert erased.kept == [] and not raw.exists() and not copy.exists()
    assert any(other.video_id in name for name in house.files())


def test_a_place_that_another_clip_has_taken_is_left_alone(tmp_path: Path, engine: Engine) -> None:
    house = House(tmp_path / "house", engine)
    video = house.clip(1, 10)
    raw = house.roots[layout.INDOOR] / video.source.partition(":")[2]
    with house.server() as server:
        server.call("POST", "/deletions", json={"clips": [video.video_id]})
        raw.write_bytes(b"another one" * 500)
        erased = erasing.carry_out(server, house.stores)
    assert erased.kept == [] and raw.exists()


def test_while_a_store_is_away_nothing_is_settled(tmp_path: Path, engine: Engine) -> None:
    house = House(tmp_path / "house", engine)
    video = house.clip(1, 10)
    away = house.roots[layout.SHED].rename(tmp_path / "away")
    with house.server() as server:
        server.call("POST", "/deletions", json={"clips": [video.video_id]})
        erased = erasing.carry_out(server, house.stores)
        assert len(erased.kept) == 1 and erased.clips == 0
        away.rename(house.roots[layout.SHED])
        assert erasing.carry_out(server, house.stores).clips == 1
        assert server.call("GET", "/deletions/leftovers") == []
    assert not any(video.video_id in name for name in house.files())


def test_what_a_late_run_writes_of_a_deleted_clip_goes(tmp_path: Path, engine: Engine) -> None:
    house = House(tmp_path / "house", engine)
    video = house.clip(1, 10)
    house.clip(2, 10)
    with house.server() as server:
        server.call("POST", "/deletions", json={"clips": [video.video_id]})
        erasing.carry_out(server, house.stores)
        for place in (layout.preproc(video.video_id), layout.archive(video.video_id)):
            folder = house.stores.path(place)
            folder.mkdir(parents=True)
            (folder / "late").write_bytes(b"late")
        swept = sweep(server, house.stores, [], 0.0, False)
    assert swept.trouble == [] and not any(video.video_id in name for name in house.files())


def test_a_late_result_of_a_deleted_clip_is_not_taken(lived: Lived) -> None:
    first, *_ = lived.clips()
    with writing(lived.engine) as session:
        task_id = session.scalars(select(TaskRow.task_id).where(TaskRow.video_id == first)).first()
    lived.delete(clips=[first])
    with lived.server() as server:
        assert server.pending(task_id or 0) is None
        answer = server.http.post(f"/tasks/{task_id}/complete", json={"outcome": "processed"})
    assert answer.status_code < 500 and first not in lived.clips()


def test_a_plate_that_is_read_anew_in_an_old_clip_is_not_kept(lived: Lived) -> None:
    """The clip is done again: what it shows is read once more, and dropped before anything is written down."""
    first, *_ = lived.clips()
    lived.delete(plate="LT21CGK")
    with writing(lived.engine) as session:
        video = session.get_one(Video, first)
        new = NewTask(task_type=TaskType.HEAVY_PROCESS_VIDEO, video_id=first, inputs=[])
        table.publish(session, new, 7)
        task_id = session.scalars(select(TaskRow.task_id).where(TaskRow.video_id == first, TaskRow.revision == 7)).one()
        facts = made_site.VideoFacts.model_validate((video.facts or {}) | {"fixes": []})
        found: HeavyResult = heavy(first, facts, 0)
        done = Completion(result=found.model_dump(mode="json"), publish=[])
        table.complete(session, task_id, done, partial(apply.apply, site=lived.settings))
    assert "LT21CGK" not in lived.plates() and "DX00ZWH" in lived.plates()
    assert [place for place in lived.mentions("LT21CGK") if place.startswith("table")] == []


def test_the_same_plate_in_a_later_drive_is_a_new_one(lived: Lived) -> None:
    lived.delete(plate="LT21CGK")
    car = Car()
    car.drive(datetime.now(UTC) + timedelta(hours=1), 1)
    lived.made.process(car.clips[0], 0)
    assert "LT21CGK" in lived.plates()


def test_no_rebuild_from_the_archives_brings_anything_back(lived: Lived) -> None:
    """Also where the archives were not seen to yet: the store was away, and the database is lost meanwhile."""
    first, second, third = lived.clips()
    Upkeep(lived.engine, lived.settings, lived.stores).write_decisions()
    with lived.server() as server:
        server.call("POST", "/deletions", json={"clips": [first]})
        server.call("POST", "/deletions", json={"plate": "LT22CGK"})
    anew = new_database(lived.made.folder / "new.db")
    done = rebuild(anew, lived.stores, lived.settings)
    assert done.clips == 2 and done.left_out == []
    lived = Lived(MadeSite(anew, lived.made.folder), lived.settings)
    assert lived.clips() == [second, third]
    assert lived.plates() == {"DX01ZWH", "DX02ZWH", "LT23CGK"}
    with lived.server() as server:
        erasing.carry_out(server, lived.stores)
    assert [one for one in lived.mentions("LT22CGK") if not one.startswith("table")] == []
    Upkeep(anew, lived.settings, lived.stores).write_decisions()
    words = decisions.read(lived.stores)
    assert words is not None and first in repr(words.deletions)
    assert first not in repr(words.model_copy(update={"deletions": []}))
    assert set(lived.mentions(first)) == {"table deletion", layout.DECISIONS}
    anew.dispose()


def test_the_list_in_the_archives_store_is_enough_for_a_rebuild(lived: Lived) -> None:
    first, *_ = lived.clips()
    lived.delete(clips=[first])
    Upkeep(lived.engine, lived.settings, lived.stores).write_decisions()
    (lived.made.folder / "backups" / deleting.LIST).unlink()
    known = decisions.read(lived.stores)
    assert known is not None and [one["subject"] for one in known.deletions] == [first]
    anew = new_database(lived.made.folder / "new.db")
    rebuild(anew, lived.stores, lived.settings)
    with reading(anew) as session:
        assert deletions.deleted_clips(session, [first]) == {first}
    anew.dispose()


def test_no_restored_backup_brings_anything_back(
    lived: Lived, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, third = lived.clips()
    folder = lived.made.folder / "backups"
    newest = folder / backup.take(lived.engine, folder, keep=3).file
    done = lived.delete(clips=[first])
    lived.delete(plate="LT22CGK")
    assert done["backups"] == [str(newest)], "who deletes is told which copies have it still"
    lived.engine.dispose()
    (tmp_path / "settings").mkdir()
    settings = {
        "server": {"database_url": lived.settings.server.database_url, "url": "http://127.0.0.1:9"},
        "storage_paths": {
            "indoor_nas": {"base": str(lived.stores.roots[layout.INDOOR])},
            "shed_nas": {"archive_base": str(lived.stores.roots[layout.SHED])},
        },
    }
    (tmp_path / "settings/config.json").write_text(json.dumps(settings))
    monkeypatch.setenv("DASHCAM_CONFIG", str(tmp_path / "settings"))
    monkeypatch.delenv("DASHCAM_DATABASE_URL", raising=False)
    assert offline.main(["restore", str(newest), "--no-keep"]) == 0, capsys.readouterr().err
    assert "Deleted again: 2 clips and sightings" in capsys.readouterr().err
    engine = open_engine(lived.settings.server.database_url)
    with reading(engine) as session:
        assert list(session.scalars(select(Video.video_id).order_by(Video.start_utc))) == [second, third]
        assert "LT22CGK" not in set(session.scalars(select(Plate.text)))
        assert session.scalar(select(func.count()).select_from(SightingRow)) == 3
        assert {row.kind for row in session.scalars(select(Deletion))} == {"clip", "plate"}
    engine.dispose()


def test_a_database_that_was_put_back_by_hand_learns_it_at_its_start(lived: Lived) -> None:
    """A copy of the file, without any command of ours."""
    first, *others = lived.clips()
    lived.engine.dispose()
    file = lived.made.folder / "old.db"
    shutil.copy(file, file.with_name("copy.db"))
    lived.delete(clips=[first])
    lived.engine.dispose()
    for end in ("-wal", "-shm"):
        file.with_name(file.name + end).unlink(missing_ok=True)
    shutil.copy(file.with_name("copy.db"), file)
    assert first in lived.clips()
    Upkeep(lived.engine, lived.settings, lived.stores).learn_deletions()
    assert lived.clips() == others


def test_the_list_only_grows(tmp_path: Path) -> None:
    one = {"kind": "clip", "subject": "a", "at": NOON.isoformat()}
    deleting.write_list(tmp_path, [one])
    deleting.write_list(tmp_path, [])
    deleting.write_list(tmp_path, [one | {"subject": "b"}])
    assert [word["subject"] for word in deleting.read_list(tmp_path)] == ["a", "b"]


def test_without_its_key_no_plate_is_deleted_nor_brought_back_in_silence(lived: Lived) -> None:
    lived.delete(plate="LT21CGK")
    key = lived.made.folder / "privacy.key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.rename(key.with_name("elsewhere"))
    words = deleting.read_list(lived.made.folder / "backups")
    anew = new_database(lived.made.folder / "new.db")
    with pytest.raises(Exception, match=r"privacy.key, cannot be read .* put it back"):
        deleting.learn(anew, lived.settings, words, NOON)
    anew.dispose()
