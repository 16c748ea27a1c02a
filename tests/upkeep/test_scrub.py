"""A disk that forgets is noticed while there is something to mend it from, and what cannot be mended is said."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from app import api, system
from app.trouble import answer_trouble
from dashcam.catalog.models import SourceFile, Video
from dashcam.database import reading, writing
from dashcam.stages import archive, finalize
from dashcam.storage import bundle, layout
from dashcam.storage.roots import StoreMissing
from dashcam.tasks.client import MainServerClient
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import TaskRow
from dashcam.upkeep import checks
from dashcam.upkeep.scrub import Pace, Scrubbed, scrub
from tests.catalog.car import Car
from tests.upkeep.made_site import NOON, SITE, TOKEN, MadeSite


@pytest.fixture
def site(engine: Engine, tmp_path: Path) -> MadeSite:
    made, car = MadeSite(engine, tmp_path), Car()
    car.drive(NOON, 4)
    for number, facts in enumerate(car.clips):
        made.process(facts, number)
    return made


@pytest.fixture
def server(site: MadeSite) -> Iterator[MainServerClient]:
    system.start(system.System(site.engine, SITE, site.stores, TOKEN))
    web = FastAPI()
    answer_trouble(web)
    web.include_router(api.router)
    one = MainServerClient("http://testserver", "not used", patience_s=0)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with TestClient(web, base_url="http://testserver/api/v1", headers=headers) as client:
        one.http = client
        yield one


def read(server: MainServerClient, site: MadeSite, hours: float = 1) -> Scrubbed:
    return scrub(server, site.stores, mb_per_s=1e6, hours=hours)


def archives(site: MadeSite) -> list[Path]:
    return sorted(one for one in site.stores.root(layout.SHED).iterdir() if not one.name.startswith("."))


def pending(site: MadeSite, video_id: str) -> list[str]:
    with reading(site.engine) as session:
        wanted = TaskRow.video_id == video_id, TaskRow.state == "pending"
        return list(session.scalars(select(TaskRow.task_type).where(*wanted)))


def bundle_again(site: MadeSite, folder: Path) -> None:
    """The bundle is kept for some days."""
    kept = site.stores.path(layout.bundle(folder.name))
    for name in bundle.tree(folder):
        if name not in (layout.MANIFEST, layout.RECORD):
            (kept / layout.bundled(name)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(folder / name, kept / layout.bundled(name))


def test_every_archive_is_read_and_all_is_well(server: MainServerClient, site: MadeSite) -> None:
    done = read(server, site)
    assert (done.archives, done.damaged) == (4, {}) and done.bytes > 4 * 15_000
    assert server.call("GET", "/archives/damaged") == []


def test_the_next_night_goes_on_where_the_last_one_ended(
    server: MainServerClient, site: MadeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = [one["video_id"] for one in server.call("GET", "/archives/unchecked")]
    server.call("POST", f"/archives/{order[0]}/checked", json={"wrong": []})
    server.call("POST", f"/archives/{order[1]}/checked", json={"wrong": []})
    now = [one["video_id"] for one in server.call("GET", "/archives/unchecked")]
    assert now == [*order[2:], *order[:2]]
    assert read(server, site, hours=0).archives == 0


@pytest.mark.parametrize("damage", ["flip", "missing", "all of it"])
def test_a_damaged_archive_is_made_anew_from_its_bundle(server: MainServerClient, site: MadeSite, damage: str) -> None:
    folder = archives(site)[1]
    good = {name: path.read_bytes() for name, path in bundle.tree(folder).items()}
    bundle_again(site, folder)
    if damage == "flip":
        data = bytearray((folder / layout.LOWRES).read_bytes())
        data[100] ^= 1
        (folder / layout.LOWRES).write_bytes(data)
    elif damage == "missing":
        (folder / layout.POSTER).unlink()
    else:
        shutil.rmtree(folder)
    done = read(server, site)
    assert list(done.damaged) == [folder.name] and done.mended_by == {folder.name: "ARCHIVE_VIDEO"}
    assert pending(site, folder.name) == ["ARCHIVE_VIDEO"]
    run_pending(site, folder.name)
    assert {name: path.read_bytes() for name, path in bundle.tree(folder).items()} == good
    assert read(server, site).damaged == {}
    assert server.call("GET", "/archives/damaged") == []


def run_pending(site: MadeSite, video_id: str) -> None:
    def newest(session: object, name: str, kind: TaskType) -> int:
        with reading(site.engine) as asked:
            wanted = TaskRow.video_id == name, TaskRow.task_type == kind.value
            return asked.scalars(select(TaskRow.task_id).where(*wanted).order_by(TaskRow.revision.desc())).all()[0]

    site.task_id = newest  # type: ignore[method-assign]
    site.run(video_id, TaskType.ARCHIVE_VIDEO, archive.run)
    site.run(video_id, TaskType.FINALIZE_VIDEO, finalize.run)


def test_without_a_bundle_it_is_made_anew_from_the_clip(server: MainServerClient, site: MadeSite) -> None:
    folder = archives(site)[0]
    (folder / layout.POSTER).unlink()
    with reading(site.engine) as session:
        source = session.get_one(Video, folder.name).source
    clip = site.stores.root(layout.INDOOR) / "raw" / folder.name
    clip.parent.mkdir(exist_ok=True)
    clip.write_bytes(b"the clip")
    with writing(site.engine) as session:
        at = clip.stat()
        session.add(SourceFile(uri=source, size=at.st_size, mtime_ns=at.st_mtime_ns, video_id=folder.name))
    done = read(server, site)
    assert done.mended_by == {folder.name: "PREPROCESS_VIDEO"}, "what preprocessing found is gone as well"
    assert pending(site, folder.name) == ["PREPROCESS_VIDEO"]
    assert folder.name not in [one["video_id"] for one in server.call("GET", "/archives/unchecked")]


def test_what_cannot_be_mended_is_said(server: MainServerClient, site: MadeSite) -> None:
    folder = archives(site)[2]
    (folder / layout.LOWRES).write_bytes(b"cut")
    done = read(server, site)
    assert list(done.damaged) == [folder.name] and done.mended_by == {}
    (one,) = server.call("GET", "/archives/damaged")
    assert one["video_id"] == folder.name and "has 3 bytes instead of" in one["wrong"][0]
    assert pending(site, folder.name) == []
    with reading(site.engine) as session:
        assert "is damaged and cannot be mended" in str(checks.summary(session))


def test_a_store_that_spoils_everything_is_not_written_to_for_ever(server: MainServerClient, site: MadeSite) -> None:
    folder = archives(site)[1]
    bundle_again(site, folder)
    said = []
    for _ in range(checks.MOST_MENDINGS + 1):
        bundle_again(site, folder)
        told = server.call("POST", f"/archives/{folder.name}/checked", json={"wrong": ["a bit is lost"]})
        said.append(told["mended_by"])
    assert said == ["ARCHIVE_VIDEO"] * checks.MOST_MENDINGS + [None]


@pytest.mark.parametrize("mount_point", ["gone", "empty"])
def test_a_store_that_is_away_is_not_a_damaged_one(
    server: MainServerClient, site: MadeSite, tmp_path: Path, mount_point: str
) -> None:
    root = site.stores.root(layout.SHED)
    root.rename(tmp_path / "unmounted")
    if mount_point == "empty":
        root.mkdir()
    with pytest.raises(StoreMissing):
        read(server, site)
    assert server.call("GET", "/archives/damaged") == []


def test_when_everything_is_damaged_it_is_the_store(
    server: MainServerClient, site: MadeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashcam.upkeep.scrub.MOST_DAMAGED", 2)
    for folder in archives(site):
        (folder / layout.LOWRES).unlink()
    assert len(read(server, site).damaged) == 2


def test_older_archives_are_given_their_record(server: MainServerClient, site: MadeSite) -> None:
    whole = {folder: (folder / layout.RECORD).read_bytes() for folder in archives(site)}
    for folder in whole:
        manifest = bundle.read_manifest(folder)
        files = [entry for entry in manifest.files if entry.path != layout.RECORD]
        data = bundle.manifest_bytes(manifest.model_copy(update={"files": files}))
        (folder / layout.MANIFEST).write_bytes(data)
        (folder / layout.RECORD).unlink()
    cut = archives(site)[0]
    (cut / layout.RECORD).write_bytes(b"{")  # one that was being completed when the power went
    done = read(server, site)
    assert (done.completed, done.damaged) == (4, {})
    assert {folder: (folder / layout.RECORD).read_bytes() for folder in archives(site)} == whole
    assert read(server, site).completed == 0
    for folder in whole:
        assert bundle.verify(folder, bundle.read_manifest(folder)) == []


def test_it_reads_no_faster_than_it_shall(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("dashcam.upkeep.scrub.time.sleep", slept.append)
    pace = Pace(1e6)
    pace.read(3_000_000)
    assert slept and 2.5 < slept[0] <= 3.0
