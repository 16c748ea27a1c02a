"""What was left behind goes after its time of grace; what somebody needs, or nobody knows, stays."""

import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from dashcam.catalog import holdings
from dashcam.catalog.models import Video
from dashcam.database import writing
from dashcam.records import FinalizeResult
from dashcam.storage import bundle, layout
from dashcam.tasks.model import Completion, TaskType
from dashcam.upkeep import removing
from dashcam.upkeep.sweep import Swept, scratches_of, sweep
from tests.catalog.rows import add_task, applied
from tests.upkeep.household import MARKER, House

DAY = 24 * 3600.0


@pytest.fixture
def house(tmp_path: Path, engine: Engine) -> House:
    return House(tmp_path / "stores", engine)


def swept(house: House, **more: Any) -> Swept:
    with house.server() as server:
        return sweep(server, house.stores, [], **more)


def aged(path: Path, seconds: float = 2 * DAY) -> None:
    """As if nothing in it had changed for so long."""
    at = time.time() - seconds
    for parent, folders, names in os.walk(path):
        for name in (*folders, *names):
            os.utime(Path(parent) / name, (at, at), follow_symlinks=False)
    os.utime(path, (at, at), follow_symlinks=False)


def late_bundle(house: House, video: Video) -> Path:
    """A run of the heavy stage that wakes late writes its bundle once more."""
    final = house.stores.path(layout.bundle(video.video_id))
    with bundle.new_folder(final) as folder:
        (folder / layout.LOWRES).write_bytes(b"a late bundle")
    return final


def through(house: House, number: int, removed: bool = True) -> Video:
    """A clip whose intermediates finalizing has let go."""
    video = house.clip(number, 1)
    for uri in (layout.preproc(video.video_id), layout.bundle(video.video_id)):
        if removed:
            shutil.rmtree(house.stores.path(uri))
    uris = [layout.preproc(video.video_id), layout.bundle(video.video_id)] if removed else []
    result = FinalizeResult(archive=layout.archive(video.video_id), removed=uris)
    with writing(house.engine) as session:
        completion = Completion(result=result.model_dump())
        applied(session, TaskType.FINALIZE_VIDEO, video.video_id, completion)
    return video


def test_the_bundle_of_a_heavy_run_that_came_after_finalizing_goes(house: House) -> None:
    """It lay there for ever: the clip is done, so nothing came by again."""
    video = through(house, 1)
    folder = late_bundle(house, video)
    assert swept(house).left == [] and folder.is_dir(), "it may be written yet"
    aged(folder)
    (left,) = swept(house).left
    assert left.removed and left.bytes == len(b"a late bundle") and "came too late" in left.why
    assert not folder.exists()
    assert not list(folder.parent.iterdir()), "nor anything under another name"
    assert swept(house).left == []


def test_a_bundle_is_not_old_while_a_file_in_it_is_young(house: House) -> None:
    folder = late_bundle(house, through(house, 1))
    aged(folder)
    (folder / "frames").mkdir()
    (folder / "frames/new.jpg").write_bytes(b"x")
    os.utime(folder, (1, 1))
    assert swept(house).left == []


def test_what_a_rule_has_to_remove_is_left_to_it(house: House) -> None:
    video = through(house, 1, removed=False)
    for uri in (layout.preproc(video.video_id), layout.bundle(video.video_id)):
        aged(house.stores.path(uri))
    before = house.files()
    assert swept(house).left == []
    assert house.files() == before


def test_a_bundle_that_waits_for_its_archive_stays(house: House) -> None:
    """The clip is done again by a newer version: its intermediates went, and are there again."""
    video = through(house, 1)
    folder = late_bundle(house, video)
    aged(folder)
    with writing(house.engine) as session:
        add_task(session, session.get_one(Video, video.video_id), "ARCHIVE_VIDEO", revision=2)
    assert swept(house).left == []
    assert folder.is_dir()


@pytest.mark.parametrize("outcome", ["rejected", "vanished"])
def test_intermediates_of_a_clip_that_ended_otherwise_go(house: House, outcome: str) -> None:
    video = house.clip(1, 1)
    with writing(house.engine) as session:
        session.get_one(Video, video.video_id).outcome = outcome
    for kind in (layout.PREPROC, layout.HEAVY_OUTPUT):
        aged(house.roots[layout.INDOOR] / kind / video.video_id)
    done = swept(house)
    assert sorted(one.place for one in done.removed) == [
        f"indoor_nas:{kind}/{video.video_id}" for kind in ("heavy_output", "preproc")
    ]
    assert video.source in house.files()


def test_folders_that_nobody_knows_are_reported_and_stay(house: House) -> None:
    """With a new database all are such."""
    video = through(house, 1)
    other = "ab" * 8
    for path in (house.stores.path(layout.bundle(other)), house.roots[layout.SHED] / other):
        path.mkdir(parents=True)
        (path / "x").write_bytes(b"x")
        aged(path)
    before = house.files()
    done = swept(house)
    assert house.files() == before and done.removed == []
    assert [one.place for one in done.left] == [layout.bundle(other), layout.archive(other)]
    assert all("build it from the archive" in one.why for one in done.left)
    assert video.video_id not in str(done)


def test_a_clip_without_its_archive_is_reported(house: House) -> None:
    video = through(house, 1)
    shutil.rmtree(house.roots[layout.SHED] / video.video_id)
    (left,) = swept(house).left
    assert (left.place, left.removed) == (layout.archive(video.video_id), False)
    assert "has no such folder" in left.why


def test_a_late_bundle_whose_archive_is_damaged_stays(house: House) -> None:
    """It may be the only whole one."""
    video = through(house, 1)
    folder = late_bundle(house, video)
    aged(folder)
    (house.roots[layout.SHED] / video.video_id / layout.LOWRES).write_bytes(b"cut")
    done = swept(house)
    assert folder.is_dir() and "stays: the archive" in done.trouble[0]


def test_half_written_files_and_folders_go_and_what_was_moved_aside_comes_back(house: House) -> None:
    heavy, shed = house.roots[layout.INDOOR] / "heavy_output", house.roots[layout.SHED]
    heavy.mkdir()
    names = {heavy / ".v1.0123456789ab.part": True, shed / ".v2.0123456789ab.old": True, shed / ".hidden": False}
    raw = house.roots[layout.INDOOR] / "raw"
    raw.mkdir()
    names[raw / ".a.MP4.0123456789ab.part"] = False
    for path in names:
        path.mkdir()
        (path / "x").write_bytes(b"xyz")
    assert swept(house).left == [], "all of them are young"
    for path in names:
        aged(path)
    assert not any(one.removed for one in swept(house, dry_run=True).left)
    assert all(path.is_dir() for path in names)
    done = swept(house)
    assert {path for path in names if not path.exists()} == {path for path, went in names.items() if went}
    assert (shed / "v2/x").read_bytes() == b"xyz"
    assert [one.bytes for one in done.removed] == [3, 3]


def test_a_half_written_file_is_not_old_while_it_grows(house: House) -> None:
    shed = house.roots[layout.SHED]
    path = shed / ".v1.0123456789ab.part"
    path.mkdir()
    (path / "video_lowres.mp4").write_bytes(b"x")
    os.utime(path, (1, 1))
    assert swept(house).left == []


def test_scratch_of_dead_runs_goes_and_undelivered_results_stay(house: House, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    dead, alive, kept = scratch / "gpu/clip-a", scratch / "nas/clip-b", scratch / "gpu/undelivered"
    for path in (dead, alive, kept):
        path.mkdir(parents=True)
        (path / "x").write_bytes(b"xy")
    aged(dead)
    aged(kept)
    assert scratches_of(scratch / "server") == scratches_of(scratch)
    with house.server() as server:
        done = sweep(server, house.stores, scratches_of(scratch))
    assert [(one.place, one.bytes) for one in done.removed] == [(str(dead), 2)]
    assert not dead.exists() and alive.is_dir() and kept.is_dir()


def test_a_store_that_is_away_is_told_and_nothing_of_it_is_touched(house: House) -> None:
    folder = late_bundle(house, through(house, 1))
    aged(folder)
    (house.roots[layout.SHED] / MARKER).unlink()
    done = swept(house)
    assert folder.is_dir(), "without its archive it proves nothing"
    assert any("shed_nas is not there" in said for said in done.trouble)
    (house.roots[layout.INDOOR] / MARKER).unlink()
    (house.roots[layout.SHED] / MARKER).touch()
    assert folder.is_dir() and swept(house).removed == []


def test_a_link_is_no_folder_of_ours(house: House, tmp_path: Path) -> None:
    video = through(house, 1)
    real = tmp_path / "elsewhere"
    real.mkdir()
    (real / "x").write_bytes(b"x")
    link = house.stores.path(layout.bundle(video.video_id))
    link.symlink_to(real)
    aged(real)
    assert swept(house).left == []
    assert (real / "x").exists()


def test_a_protected_clips_folder_stays(house: House) -> None:
    video = through(house, 1)
    folder = late_bundle(house, video)
    aged(folder)
    house.protect(video)
    assert swept(house).removed == [] and folder.is_dir()


def test_half_of_a_new_manifest_does_not_keep_an_archive_from_being_right(house: House) -> None:
    """Retention was cut off while it wrote one."""
    video = house.clip(1, 400)
    half = house.roots[layout.SHED] / video.video_id / ".manifest.json.0123456789ab.part"
    half.write_bytes(b"{")
    aged(half)
    with house.server() as server:
        done = removing.carry_out(server, house.stores, house.announce())
    assert done.kept == [] and done.removed == 4
    assert not half.exists()
    with writing(house.engine) as session:
        assert holdings.of_video(session, video.video_id)["lowres"].removed_at
