"""Finding clips, following them, and what is told of them."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dashcam.embedded.job import find_clips, local_ref, standing
from dashcam.embedded.report import report_on
from dashcam.storage.roots import Stores
from dashcam.tasks.model import TaskBrief, TaskType


def names(*paths: Path) -> list[str]:
    return [clip.path.name for clip in find_clips(paths)]


def test_folders_are_searched_and_partial_downloads_do_not_exist(tmp_path: Path) -> None:
    for name in ("b.MP4", "a.mov", "c.ts", "d.avi", ".hidden.MP4", "e.MP4.part", "notes.txt", "sub/f.mp4", ".x/g.mp4"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    assert names(tmp_path) == ["a.mov", "b.MP4", "c.ts", "d.avi", "f.mp4"]


def test_a_named_file_is_taken_whatever_it_is_called_and_once(tmp_path: Path) -> None:
    odd, clip = tmp_path / "odd.bin", tmp_path / "a.MP4"
    odd.write_bytes(b"x")
    clip.write_bytes(b"x")
    assert names(odd, clip, tmp_path) == ["odd.bin", "a.MP4"]


def test_a_folder_above_is_taken_as_the_shell_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "deep" / "here").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "here")
    clip = tmp_path / "clips" / "a.MP4"
    clip.write_bytes(b"x")
    monkeypatch.chdir(tmp_path / "deep")
    for named in ("../clips", "../clips/a.MP4", "here/../../clips", "../link/../../clips"):
        (found,) = find_clips([Path(named)])
        assert Stores({"local": Path("/")}).path(local_ref(found.path).uri).samefile(clip)
    assert len(find_clips([Path("../clips"), clip])) == 1


def test_what_does_not_exist_is_one_clip_with_trouble(tmp_path: Path) -> None:
    (clip,) = find_clips([tmp_path / "nowhere"])
    assert clip.trouble is not None and "nowhere" in clip.trouble and "check the path" in clip.trouble


def test_what_cannot_be_looked_into_is_told_and_the_rest_is_taken(
    tmp_path: Path, too_deep: Callable[[Path], None]
) -> None:
    for name in (b"a.MP4", b"caf\xe9.MP4", b"z/b.MP4"):
        path = tmp_path / os.fsdecode(name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    too_deep(tmp_path / "z")
    first, second, *lost = find_clips([tmp_path])
    assert (first.path.name, second.path.name) == ("a.MP4", "b.MP4")
    assert {"UTF-8" in (clip.trouble or "") for clip in lost} == {True, False}
    for clip in lost:
        report = report_on(clip.path, None, clip.trouble, Stores({}))
        assert (report.outcome, report.reason) == ("rejected", clip.trouble)
        assert report.model_dump_json()


def test_a_folder_that_links_to_itself_ends(tmp_path: Path) -> None:
    (tmp_path / "a.MP4").write_bytes(b"x")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert names(tmp_path) == ["a.MP4"]


def test_standing_counts_each_stage_and_the_fraction_of_running_clips() -> None:
    heavy = TaskBrief(task_id=1, task_type=TaskType.HEAVY_PROCESS_VIDEO, video_id="v", progress=0.5, device="gpu-pc")
    now = standing(4, {TaskType.HEAVY_PROCESS_VIDEO: 1, TaskType.ARCHIVE_VIDEO: 1}, [heavy])
    assert now.done[TaskType.INGEST_VIDEO] == 4
    assert now.done[TaskType.HEAVY_PROCESS_VIDEO] == 3.5
    assert now.done[TaskType.ARCHIVE_VIDEO] == 2
    assert now.done[TaskType.FINALIZE_VIDEO] == 2
    assert (len(now.running), now.waiting) == (1, 1)


def test_a_clip_that_never_became_a_video_is_rejected_and_one_given_up_is_failed(tmp_path: Path) -> None:
    stores = Stores({"shed_nas": tmp_path})
    gone = report_on(Path("x.MP4"), None, "x.MP4 does not exist", stores)
    assert (gone.outcome, gone.reason, gone.video_id) == ("rejected", "x.MP4 does not exist", None)
    answer = {"video_id": "v", "outcome": None, "reason": None, "positions": 0, "sightings": [], "media": None}
    given_up = report_on(Path("x.MP4"), answer, "HEAVY_PROCESS_VIDEO failed 3 times: disk full", stores)
    assert (given_up.outcome, given_up.archive) == ("failed", None)
    assert given_up.reason is not None and "disk full" in given_up.reason


def test_only_confirmed_plates_are_told(tmp_path: Path) -> None:
    sighting = {
        "text": "AB12CDE", "confidence": 0.9, "confirmed": True, "first_s": 0.0, "last_s": 1.0, "best_s": 0.5,
        "reads": 3, "box": [1, 2, 3, 4], "crop": "shed_nas:v/plates/AB12CDE_best_crop.jpg",
    }  # fmt: skip
    answer = {
        "video_id": "v", "outcome": "processed", "reason": None, "positions": 0, "media": "shed_nas:v",
        "sightings": [sighting, sighting | {"text": "AB1", "confirmed": False}],
    }  # fmt: skip
    report = report_on(tmp_path / "x.MP4", answer, None, Stores({"shed_nas": tmp_path}))
    assert [plate.text for plate in report.plates] == ["AB12CDE"]
    assert report.plates[0].crop == str(tmp_path / "v/plates/AB12CDE_best_crop.jpg")
    assert report.archive == str(tmp_path / "v")
