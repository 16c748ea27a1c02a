"""What a person deletes is nowhere any more, and nothing brings it back: no scan, no run that comes late, no rebuild
from the archives, no restored backup."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, func, select, text

import migrations
from app import api, offline, system
from app.trouble import answer_trouble
from app.upkeep import Upkeep
from dashcam.access import audit
from dashcam.access.models import AuditEntry
from dashcam.catalog import apply, arrival, deletions
from dashcam.catalog.models import Deletion, Leftover, Plate, RetentionPlan, SightingRow, TripRow, Video
from dashcam.config import Site
from dashcam.database import Base, open_engine, reading, writing
from dashcam.records import HeavyResult
from dashcam.stages.scan import scan
from dashcam.storage import bundle, layout
from dashcam.tasks import table
from dashcam.tasks.client import MainServerClient
from dashcam.tasks.model import Completion, NewTask, TaskType
from dashcam.tasks.row import TaskRow
from dashcam.upkeep import backup, decisions, deleting, erasing
from dashcam.upkeep.rebuild import rebuild
from dashcam.upkeep.sweep import sweep
from tests.catalog.car import Car, video_id
from tests.catalog.rows import NOON
from tests.upkeep import made_site
from tests.upkeep.household import House
from tests.upkeep.made_site import MadeSite, heavy

TOKEN = "a token of this test"
EVERY = ("DX00ZWH", "DX01ZWH", "DX02ZWH", "LT21CGK", "LT22CGK", "LT23CGK")


def new_database(file: Path) -> Engine:
    engine = open_engine(f"sqlite:///{file}")
    migrations.upgrade(engine)
    return engine


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three clips that have been through, made once; two plates in each, one of them in all of no two."""
    folder = tmp_path_factory.mktemp("made")
    site = MadeSite(new_database(folder / "old.db"), folder)
    car = Car()
    car.drive(made_site.NOON, 6)
    for number, facts in enumerate(car.clips[:3]):
        site.process(facts, number)
    site.engine.dispose()
    return folder


class Lived:
    """A site with clips, and the real API."""

    def __init__(self, made: MadeSite, settings: Site) -> None:
        self.made, self.settings = made, settings
        self.engine, self.stores = made.engine, made.stores
        self.here = system.System(self.engine, settings, self.stores, TOKEN)
        system.start(self.here)

    @contextmanager
    def server(self) -> Iterator[MainServerClient]:
        system.start(self.here)
        web = FastAPI()
        answer_trouble(web)
        web.include_router(api.router)
        with TestClient(web, base_url="http://testserver/api/v1") as client:
            client.headers["Authorization"] = f"Bearer {TOKEN}"
            one = MainServerClient("http://testserver", "not used", patience_s=0)
            one.http = client
            yield one

    def delete(self, **wanted: Any) -> dict[str, Any]:
        with self.server() as server:
            done: dict[str, Any] = server.call("POST", "/deletions", json=wanted)
            erasing.carry_out(server, self.stores)
        return done

    def clips(self) -> list[str]:
        with reading(self.engine) as session:
            return list(session.scalars(select(Video.video_id).order_by(Video.start_utc)))

    def plates(self) -> set[str]:
        with reading(self.engine) as session:
            return set(session.scalars(select(Plate.text)))

    def files(self) -> dict[str, bytes]:
        return {
            f"{store}:{path.relative_to(root).as_posix()}": path.read_bytes()
            for store, root in self.stores.roots.items()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }

    def mentions(self, word: str) -> list[str]:
        """Every file of the stores, and every table, in which there is that word."""
        found = [name for name, data in self.files().items() if word in name or word.encode() in data]
        with self.engine.connect() as connection:
            for name, table_ in Base.metadata.tables.items():
                rows = connection.execute(table_.select()).all()
                found += [f"table {name}" for row in rows if word in repr(tuple(row))]
        return found


@pytest.fixture
def lived(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lived]:
    shutil.copytree(made, tmp_path / "site")
    file = tmp_path / "site/old.db"
    settings = Site.model_validate({"server": {"database_url": f"sqlite:///{file}", "url": "http://127.0.0.1:9"}})
    monkeypatch.setattr(made_site, "SITE", settings)
    one = Lived(MadeSite(new_database(file), tmp_path / "site"), settings)
    yield one
    one.engine.dispose()


def test_a_clip_is_nowhere_any_more(lived: Lived) -> None:
    first, *others = lived.clips()
    plan = {"items": [{"video_id": first, "name": "a"}, {"video_id": others[0], "name": "b"}]}
    with writing(lived.engine) as session:
        session.add(RetentionPlan(made_at=NOON, plan=plan))
        before = session.scalars(select(TripRow)).one().clips
    done = lived.delete(clips=[first])
    assert (done["clips"], done["sightings"], done["leftovers"]) == (1, 0, 1)
    assert lived.clips() == others
    assert lived.plates() == {"DX01ZWH", "DX02ZWH", "LT22CGK", "LT23CGK"}
    assert [place for place in lived.mentions(first) if place != "table deletion"] == []
    with reading(lived.engine) as session:
        assert session.scalars(select(TripRow)).one().clips == before - 1
        assert session.scalar(select(func.count()).select_from(Leftover)) == 0
        said = session.scalars(select(AuditEntry.what).where(AuditEntry.kind == "deletion")).all()
    assert said == ["deleted clips: 1 clips, 0 sightings"]


def test_every_table_that_knows_clips_is_seen_to() -> None:
    """A new table that refers to clips is deleted from by itself; one that has a clip's id without a reference is
    named here, with who sees to it."""
    with_id = {name for name, table_ in Base.metadata.tables.items() if "video_id" in table_.columns}
    assert with_id - {table_.name for table_ in deletions.tables_of_clips()} == {"video", "leftover"}


def test_the_dry_run_says_exactly_what_goes_and_changes_nothing(lived: Lived) -> None:
    first, second, third = lived.clips()
    before, rows = lived.files(), lived.mentions(first)
    with lived.server() as server:
        told = server.call("POST", "/deletions/preview", json={"clips": [first, third]})
        assert (lived.files(), lived.mentions(first)) == (before, rows)
        assert (told["clips"], told["sightings"], told["kept"]) == (2, 0, [])
        server.call("POST", "/deletions", json={"clips": [first, third]})
        erasing.carry_out(server, lived.stores)
    gone = before.keys() - lived.files().keys()
    assert gone and all(any(name.startswith(place) for place in told["places"]) for name in gone)
    assert not any(name.startswith(place) for name in lived.files() for place in told["places"])
    assert lived.clips() == [second]


def test_a_plate_is_nowhere_any_more_but_in_the_pictures(lived: Lived) -> None:
    with writing(lived.engine) as session:
        audit.note(session, NOON, "ana", "plate", "looked a plate up: LT21CGK")
    assert len(lived.mentions("LT21CGK")) > 8
    done = lived.delete(plate="lt21 cgk")
    assert (done["clips"], done["sightings"]) == (0, 1)
    assert [place for place in lived.mentions("LT21CGK") if place != "table audit"] == []
    assert lived.plates() == set(EVERY) - {"LT21CGK"}
    assert len(lived.clips()) == 3
    for clip in lived.clips():
        folder = lived.stores.path(layout.archive(clip))
        manifest = bundle.read_manifest(folder)
        assert bundle.verify(folder, manifest) == [] and (folder / layout.LOWRES).is_file()
        assert bundle.read_record(folder, manifest)


def test_the_audit_log_forgets_the_plate_too(lived: Lived) -> None:
    with writing(lived.engine) as session:
        audit.note(session, NOON, "ana", "plate", "looked a plate up: LT21CGK")
    lived.delete(plate="LT21CGK")
    with reading(lived.engine) as session:
        said = set(session.scalars(select(AuditEntry.what)))
    assert said == {"looked a plate up: (deleted)", "deleted a plate: 0 clips, 1 sightings"}
    assert lived.mentions("LT21CGK") == []


def test_a_plate_with_its_clips(lived: Lived) -> None:
    _, *others = lived.clips()
    done = lived.delete(plate="LT21CGK", with_clips=True)
    assert done["clips"] == 1 and lived.clips() == others
    assert lived.mentions("LT21CGK") == []


def test_days(lived: Lived) -> None:
    with reading(lived.engine) as session:
        begins = list(session.scalars(select(Video.start_utc).order_by(Video.start_utc)))
    *_, last = lived.clips()
    done = lived.delete(since=begins[0].isoformat(), until=begins[2].isoformat())
    assert done["clips"] == 2 and lived.clips() == [last]


@pytest.mark.parametrize(
    "wanted",
    [{}, {"clips": ["a"], "plate": "B"}, {"since": "2026-01-01T00:00:00"}, {"clips": ["a"], "with_clips": True}],
)
def test_what_is_not_one_thing_is_refused(lived: Lived, wanted: dict[str, Any]) -> None:
    with lived.server() as server:
        assert server.http.post("/deletions", json=wanted).status_code == 422
    assert len(lived.clips()) == 3


def test_what_is_not_there_is_said(lived: Lived) -> None:
    with lived.server() as server:
        for wanted in ({"clips": ["0" * 16]}, {"plate": "NOBODY", "with_clips": True}):
            answer = server.http.post("/deletions/preview", json=wanted)
            assert answer.status_code == 404 and "nothing was deleted" in answer.json()["detail"]


def test_a_protected_clip_stays_and_says_why(lived: Lived) -> None:
    first, *_ = lived.clips()
    with lived.server() as server:
        server.call("POST", f"/videos/{first}/protect", json={"reason": "the crash"})
        before = lived.files()
        done = server.call("POST", "/deletions", json={"plate": "LT21CGK", "with_clips": True})
        erasing.carry_out(server, lived.stores)
        assert "the crash" in done["kept"][0]
    assert first in lived.clips() and "LT21CGK" in lived.plates() and lived.files() == before


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


def test_a_deletion_works_on_both_databases(any_engine: Engine, tmp_path: Path) -> None:
    site = MadeSite(any_engine, tmp_path / "made")
    car = Car()
    car.drive(made_site.NOON, 2)
    for number, facts in enumerate(car.clips[:2]):
        site.process(facts, number)
    settings = Site.model_validate(
        {"privacy": {"key_file": str(tmp_path / "key")}, "backup": {"folder": str(tmp_path)}}
    )
    lived = Lived(site, settings)
    with writing(any_engine) as session:
        session.add(RetentionPlan(made_at=NOON, plan={"items": [{"video_id": video_id(car.clips[0])}]}))
    lived.delete(clips=[video_id(car.clips[0])])
    lived.delete(plate="LT22CGK")
    assert lived.plates() == {"DX01ZWH"} and lived.clips() == [video_id(car.clips[1])]
    with reading(any_engine) as session:
        assert session.scalars(select(RetentionPlan)).one().plan == {"items": []}
        found = arrival.FoundFile(
            made_site.InputRef.of("indoor_nas:raw/a.MP4", "video"), video_id=video_id(car.clips[0])
        )
    with writing(any_engine) as session:
        assert [one.status for one in arrival.admit(session, [found])] == ["deleted"]
    with any_engine.connect() as connection:
        assert connection.execute(text("SELECT uris FROM leftover")).scalar() is not None
