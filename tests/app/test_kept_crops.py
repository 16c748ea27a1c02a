"""A clip whose file is gone is read again by the crops in its archive, and nothing else of the archive changes."""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from app.system import System
from dashcam.catalog import again, holdings
from dashcam.catalog.models import Holding, SightingRow, Video
from dashcam.cli import app
from dashcam.database import reading, writing
from dashcam.media.images import Image
from dashcam.records import HeavyResult
from dashcam.stages import archive, finalize
from dashcam.stages.common import StageFunction
from dashcam.stages.heavy import Heavy
from dashcam.stages.scan import scan
from dashcam.storage import bundle, layout
from dashcam.tasks.client import MainServerClient, ServerRefused
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import TaskRow
from dashcam.upkeep import removing
from dashcam.vision.engines import PlateText
from tests.app.test_again import command  # noqa: F401
from tests.app.test_changing import SETTINGS, STAGES, work
from tests.app.test_scan import LONG_AGO
from tests.media.made import regular, write_clip
from tests.stages.test_heavy import standing_plate

HEAVY = TaskType.HEAVY_PROCESS_VIDEO


class ReaderOfYesterday:
    """Sees the plate, and is sure of nothing: it takes each last character for a Q."""

    sha256 = "0" * 64

    def __init__(self, heavy: Heavy, name: str) -> None:
        self.name, self.reader = name, heavy.reader

    def read(self, crops: Sequence[Image]) -> list[PlateText]:
        return [self.mistaken(one) for one in self.reader.read(crops)]

    def mistaken(self, one: PlateText) -> PlateText:
        last = {"Q": 0.6, one.text[-1]: 0.35} if one.text else {}
        return PlateText(one.text[:-1] + "Q", 0.3, [*one.probabilities[:-1], last]) if one.text else one


@pytest.fixture(scope="module")
def today() -> Heavy:
    return Heavy(SETTINGS)


@pytest.fixture(scope="module")
def yesterday(today: Heavy) -> Heavy:
    one = Heavy(SETTINGS, reader=ReaderOfYesterday(today, "plate-reader"))
    one.second = ReaderOfYesterday(today, "second")
    return one


class Archived:
    """A clip that is through, read by yesterday's readers; its file is gone, and so is all but its archive."""

    def __init__(self, server: MainServerClient, here: System, clip: Path) -> None:
        self.server, self.here, self.clip = server, here, clip
        self.video_id = ""

    def work_off(self, heavy: Heavy) -> list[str]:
        stages: dict[TaskType, StageFunction] = {
            HEAVY: heavy.run, TaskType.ARCHIVE_VIDEO: archive.run,
            TaskType.FINALIZE_VIDEO: finalize.run,
        }  # fmt: skip
        ran = []
        while found := self.server.all_pending():
            task = self.server.pending(found[0].task_id)
            assert task is not None
            self.video_id = task.video_id
            stage = stages.get(task.task_type) or STAGES[task.task_type]()
            assert work(task, stage, self.server, self.here) == ""
            ran.append(task.task_type.value)
        return ran

    @property
    def folder(self) -> Path:
        return self.here.stores.path(layout.archive(self.video_id))

    def files(self) -> dict[str, bytes]:
        told = {layout.RECORD, layout.MANIFEST}
        return {name: path.read_bytes() for name, path in bundle.tree(self.folder).items() if name not in told}

    def shown(self) -> list[str]:
        return [one["text"] for one in (self.server.video(self.video_id) or {})["sightings"]]

    def recorded(self) -> HeavyResult:
        record = bundle.read_record(self.folder, bundle.read_manifest(self.folder))
        return HeavyResult.model_validate(record.stages[-1].result)


@pytest.fixture
def archived(
    server: MainServerClient, here: System, raw: Path, shared: Path, yesterday: Heavy, plate: str
) -> Iterator[Archived]:
    paint, _, size = standing_plate(shared)
    clip = write_clip(raw / "2026_0628_133416_000001F.MP4", regular(3, 5), size=size, paint=paint)
    os.utime(clip, (LONG_AGO, LONG_AGO))
    scan(server, here.stores, "indoor_nas:raw")
    one = Archived(server, here, clip)
    one.work_off(yesterday)
    assert one.shown() == [plate[:-1] + "Q"]
    clip.unlink()
    shutil.rmtree(one.here.stores.path(layout.bundle(one.video_id)))
    (raw / "another").write_text("the store is not empty")
    yield one


@pytest.fixture
def plate(shared: Path) -> str:
    return standing_plate(shared)[1]


def test_a_clip_that_is_gone_is_read_by_its_crops_and_its_archive_keeps_all_it_has(
    archived: Archived, today: Heavy, plate: str, command: None  # noqa: F811
) -> None:  # fmt: skip
    before, was = archived.files(), archived.recorded()
    done = CliRunner().invoke(app, ["again", archived.video_id])
    assert done.exit_code == 0 and "by the crops in its archive: its file is gone" in done.stderr
    assert archived.work_off(today) == ["HEAVY_PROCESS_VIDEO", "ARCHIVE_VIDEO", "FINALIZE_VIDEO"]
    assert archived.shown() == [plate]
    now = archived.recorded()
    assert archived.files() == before and bundle.verify(archived.folder, bundle.read_manifest(archived.folder)) == []
    assert now.models["plate-reader"] == today.reader.sha256 != was.models["plate-reader"]
    (one,), (other,) = was.sightings, now.sightings
    where = ("first_s", "last_s", "best_s", "best_pts", "box", "crop", "frame")
    assert [getattr(one, what) for what in where] == [getattr(other, what) for what in where]
    assert len(other.reads) == len(one.reads) and len({one.text for one in other.reads}) == 2, "one read is another"
    (change,) = archived.server.call("GET", "/rereads")["changes"]
    assert (change["was"], change["now"]) == (plate[:-1] + "Q", plate)

    archived.server.again(archived.video_id, HEAVY)
    archived.work_off(today)
    assert archived.recorded() == now and archived.shown() == [plate], "once more changes nothing"


def test_what_a_person_has_said_stays_when_crops_are_read_again(archived: Archived, today: Heavy) -> None:
    with reading(archived.here.engine) as session:
        ids = session.scalars(select(SightingRow.sighting_id)).all()
    archived.server.call("POST", "/corrections", json={"sightings": list(ids), "text": "BYHAND1"})
    archived.server.again(archived.video_id, HEAVY)
    archived.work_off(today)
    assert archived.shown() == ["BYHAND1"]


@pytest.mark.parametrize("damage", ["spoiled", "no picture"])
def test_a_sighting_whose_crop_cannot_be_read_stays_as_it_is(archived: Archived, today: Heavy, damage: str) -> None:
    was = archived.recorded()
    crop = archived.folder / was.sightings[0].crop
    data = crop.read_bytes()
    crop.write_bytes(data[:-1] + b"x")  # of which a picture is made all the same
    if damage == "no picture":  # and that is what was archived
        crop.write_bytes(b"x" * len(data))
        manifest = bundle.read_manifest(archived.folder)
        its = {"sha256": bundle.hash_file(crop)}
        entries = [one.model_copy(update=its if one.path == was.sightings[0].crop else {}) for one in manifest.files]
        told = manifest.model_copy(update={"files": entries})
        bundle.write_file(archived.folder / layout.MANIFEST, bundle.manifest_bytes(told))
    archived.server.again(archived.video_id, HEAVY)
    (task,) = archived.server.all_pending()
    whole = archived.server.pending(task.task_id)
    assert whole is not None and work(whole, today.run, archived.server, archived.here) == ""
    assert archived.shown() == [was.sightings[0].text]
    if damage == "no picture":
        assert archived.work_off(today) == ["ARCHIVE_VIDEO", "FINALIZE_VIDEO"]
        assert archived.recorded().sightings == was.sightings
    else:
        (task,) = archived.server.all_pending()
        whole = archived.server.pending(task.task_id)
        assert whole is not None
        before = (archived.folder / layout.MANIFEST).read_bytes()
        assert "is not what heavy wrote" in work(whole, archive.run, archived.server, archived.here)
        assert (archived.folder / layout.MANIFEST).read_bytes() == before, "a damaged archive is not proven anew"


def test_an_archive_whose_small_copy_was_let_go_is_read_all_the_same(archived: Archived, today: Heavy) -> None:
    removing._small_copy(archived.folder, bundle.read_manifest(archived.folder))
    with writing(archived.here.engine) as session:
        holdings.gone(session, archived.video_id, "lowres", 1, "storage_retention_days.lowres_videos = 1", 9)
    before = archived.files()
    archived.server.again(archived.video_id, HEAVY)
    assert archived.work_off(today) == ["HEAVY_PROCESS_VIDEO", "ARCHIVE_VIDEO", "FINALIZE_VIDEO"]
    assert archived.files() == before and layout.LOWRES not in before
    with reading(archived.here.engine) as session:
        assert session.get_one(Holding, (archived.video_id, "lowres")).removed_at is not None


def test_a_worker_that_finds_the_clip_gone_goes_on_with_its_crops(archived: Archived, today: Heavy) -> None:
    with writing(archived.here.engine) as session:
        again.do_again(session, session.get_one(Video, archived.video_id), HEAVY)
    (task,) = archived.server.all_pending()
    assert task.inputs[0].type == "video"
    whole = archived.server.pending(task.task_id)
    assert whole is not None
    work(whole, today.run, archived.server, archived.here)
    (task,) = archived.server.all_pending()
    assert [ref.uri for ref in task.inputs] == [layout.archive(archived.video_id)]
    archived.work_off(today)
    assert (archived.server.video(archived.video_id) or {})["outcome"] == "processed"


def test_an_archive_that_is_older_than_what_was_found_is_not_read(archived: Archived) -> None:
    with writing(archived.here.engine) as session:
        row = session.scalars(select(TaskRow).where(TaskRow.task_type == HEAVY.value)).one()
        row.revision += 1
    with pytest.raises(ServerRefused, match="not there any more"):
        archived.server.again(archived.video_id, HEAVY)


def test_a_clip_that_is_back_is_read_from_its_film_again(archived: Archived, today: Heavy) -> None:
    """With what preprocessing had found, where that was kept."""
    archived.server.again(archived.video_id, HEAVY)
    archived.work_off(today)
    with writing(archived.here.engine) as session:
        video = session.get_one(Video, archived.video_id)
        again.do_again(session, video, HEAVY, video.source)
    (task,) = archived.server.all_pending()
    assert [ref.type for ref in task.inputs] == ["video", "candidates"]
