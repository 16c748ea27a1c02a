"""What reaches the archive is proven, has the owner's layout, and gets there once."""

import errno
import hashlib
import logging
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dashcam.config import DeviceSettings
from dashcam.records import ArchiveResult, ClipRecord, StageRecord, VideoFacts
from dashcam.stages import archive
from dashcam.stages.common import StageContext
from dashcam.storage import bundle
from dashcam.storage.bundle import StorageError
from dashcam.storage.roots import StoreError, StoreMissing, Stores
from dashcam.tasks.model import InputRef, Task, TaskType

BUNDLE = {
    "video_lowres.mp4": b"low resolution " * 100_000,
    "plate_crops/p1_best_crop.jpg": b"crop",
    "frames/p1_best_frame.jpg": b"frame",
    "detections.json": b"{}",
}
ARCHIVED = {
    "video_lowres.mp4": BUNDLE["video_lowres.mp4"],
    "plates/p1_best_crop.jpg": b"crop",
    "frames/p1_best_frame.jpg": b"frame",
}
FACTS = VideoFacts(
    name="2026_0628_101500_F.MP4",
    sha256="ab" * 32,
    size=1,
    trip="2026-06-28",
    start_utc=datetime(2026, 6, 28, 10, 15, tzinfo=UTC),
    clock="gps",
    duration_s=60,
    width=1920,
    height=1080,
    fps=30,
    codec="h264",
    frames=1800,
)


def task(video_id: str = "v1", video: VideoFacts | None = FACTS) -> Task:
    return Task(
        task_id=7,
        task_type=TaskType.ARCHIVE_VIDEO,
        video_id=video_id,
        video=video,
        revision=1,
        device_type="shed_nas",
        state="pending",
        inputs=[InputRef(type="bundle", device="indoor_nas", path="heavy_output/v1")],
        created_at=datetime(2026, 6, 28, tzinfo=UTC),
    )


def context(tmp_path: Path) -> StageContext:
    (tmp_path / "archive").mkdir(exist_ok=True)
    for name, data in BUNDLE.items():
        path = tmp_path / "nas/heavy_output/v1" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    stores = Stores({"indoor_nas": tmp_path / "nas", "shed_nas": tmp_path / "archive"})
    return StageContext(stores, tmp_path, DeviceSettings(), logging.getLogger("test"))


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_archive_has_the_layout_of_the_shed_nas_and_a_manifest(tmp_path: Path) -> None:
    seen: list[float] = []
    ctx = context(tmp_path)
    output = archive.run(task(), StageContext(ctx.stores, ctx.scratch, ctx.device, ctx.log, seen.append))

    files = content(tmp_path / "archive/v1")
    written = files.pop("manifest.json")
    assert files == ARCHIVED
    manifest = bundle.read_manifest(tmp_path / "archive/v1")
    assert (manifest.video_id, manifest.source, manifest.source_sha256) == ("v1", FACTS.name, FACTS.sha256)
    assert {entry.path: entry.sha256 for entry in manifest.files} == {
        name: hashlib.sha256(data).hexdigest() for name, data in ARCHIVED.items()
    }
    assert output.result == ArchiveResult(
        archive="shed_nas:v1",
        manifest_sha256=hashlib.sha256(written).hexdigest(),
        files=3,
        bytes=sum(map(len, ARCHIVED.values())),
    )
    [following] = output.publish
    assert (following.task_type, following.video_id) == (TaskType.FINALIZE_VIDEO, "v1")
    assert [(ref.type, ref.uri) for ref in following.inputs] == [
        ("archive", "shed_nas:v1"),
        ("bundle", "indoor_nas:heavy_output/v1"),
    ]
    assert seen == sorted(seen) and seen[-1] == 1.0 and len([value for value in seen if 0 < value < 1]) > 3


def test_a_bundle_from_before_the_crops_folder_had_its_name_gives_the_same_archive(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    folder = tmp_path / "nas/heavy_output/v1"
    (folder / "plate_crops").rename(folder / "plates")
    archive.run(task(), ctx)
    files = content(tmp_path / "archive/v1")
    assert {name: data for name, data in files.items() if name != "manifest.json"} == ARCHIVED


def test_the_same_bundle_gives_the_same_bytes_on_any_archive(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        archive.run(task(), context(tmp_path / name))
    assert content(tmp_path / "a/archive") == content(tmp_path / "b/archive")


def test_archiving_again_leaves_the_files_alone(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    first = archive.run(task(), ctx)
    before = {path: path.stat().st_ino for path in (tmp_path / "archive").rglob("*")}
    assert archive.run(task(), ctx) == first
    assert {path: path.stat().st_ino for path in (tmp_path / "archive").rglob("*")} == before


@pytest.mark.parametrize("damage", ["flip", "remove", "add", "no manifest", "other clip"])
def test_an_archive_that_is_not_right_is_replaced(tmp_path: Path, damage: str) -> None:
    ctx = context(tmp_path)
    archive.run(task(), ctx)
    good, folder = content(tmp_path / "archive/v1"), tmp_path / "archive/v1"
    if damage == "flip":
        (folder / "plates/p1_best_crop.jpg").write_bytes(b"crap")
    elif damage == "remove":
        (folder / "video_lowres.mp4").unlink()
    elif damage == "add":
        (folder / "plates/p9.jpg").write_bytes(b"?")
    elif damage == "no manifest":
        (folder / "manifest.json").unlink()
    else:
        other = bundle.read_manifest(folder).model_copy(update={"source_sha256": "cd" * 32})
        (folder / "manifest.json").write_bytes(bundle.manifest_bytes(other))
    archive.run(task(), ctx)
    assert content(folder) == good


def test_a_new_bundle_of_the_same_video_replaces_the_old_archive(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    archive.run(task(), ctx)
    (tmp_path / "nas/heavy_output/v1/plate_crops/p1_best_crop.jpg").write_bytes(b"a better crop")
    (tmp_path / "nas/heavy_output/v1/frames/p1_best_frame.jpg").unlink()
    archive.run(task(), ctx)
    files = content(tmp_path / "archive/v1")
    assert files["plates/p1_best_crop.jpg"] == b"a better crop" and "frames/p1_best_frame.jpg" not in files


def test_a_copy_that_reads_back_wrong_never_gets_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ctx = context(tmp_path)
    fsync = os.fsync

    def bad_disk(handle: int) -> None:
        fsync(handle)
        for path in (tmp_path / "archive").rglob("*.mp4"):
            with path.open("r+b") as file:
                file.write(b"X")

    monkeypatch.setattr(os, "fsync", bad_disk)
    with pytest.raises(StorageError, match="does not read back as it was written"):
        archive.run(task(), ctx)
    assert list((tmp_path / "archive").iterdir()) == []


def test_a_full_archive_disk_leaves_the_old_archive_and_no_leftover(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = context(tmp_path)
    archive.run(task(), ctx)
    old = content(tmp_path / "archive")
    (tmp_path / "nas/heavy_output/v1/video_lowres.mp4").write_bytes(b"new")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="is full"):
        archive.run(task(), ctx)
    assert content(tmp_path / "archive") == old


def test_leftovers_of_an_interrupted_archiving_are_cleaned_up_first(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    archive.run(task(), ctx)
    good = content(tmp_path / "archive")
    (tmp_path / "archive/v1").rename(tmp_path / "archive/.v1.0123456789ab.old")
    (tmp_path / "archive/.v1.ba9876543210.part").mkdir()
    (tmp_path / "archive/.v2.ba9876543210.part").mkdir()
    archive.run(task(), ctx)
    assert content(tmp_path / "archive") == good
    assert sorted(path.name for path in (tmp_path / "archive").iterdir()) == [".v2.ba9876543210.part", "v1"]


def test_a_bundle_that_is_not_whole_is_not_archived(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    (tmp_path / "nas/heavy_output/v1/video_lowres.mp4").unlink()
    with pytest.raises(StorageError, match=r"has no video_lowres\.mp4"):
        archive.run(task(), ctx)
    assert list((tmp_path / "archive").iterdir()) == []


def test_without_its_bundle_only_a_proven_archive_counts(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    (tmp_path / "nas/heavy_output/v1").rename(tmp_path / "kept")
    with pytest.raises(StorageError, match="is not there"):
        archive.run(task(), ctx)
    (tmp_path / "kept").rename(tmp_path / "nas/heavy_output/v1")
    first = archive.run(task(), ctx)
    (tmp_path / "nas/heavy_output/v1").rename(tmp_path / "kept")
    assert archive.run(task(), ctx) == first


@pytest.mark.parametrize("store", ["nas", "archive"])
def test_a_store_that_is_not_mounted_stops_it(tmp_path: Path, store: str) -> None:
    ctx = context(tmp_path)
    (tmp_path / store).rename(tmp_path / "unmounted")
    with pytest.raises(StoreMissing):
        archive.run(task(), ctx)


@pytest.mark.parametrize("video_id", ["../v1", "a/b", ".v1", ""])
def test_a_video_id_that_is_no_folder_name_writes_nothing(tmp_path: Path, video_id: str) -> None:
    ctx = context(tmp_path)
    with pytest.raises(StoreError):
        archive.run(task(video_id), ctx)
    assert list((tmp_path / "archive").iterdir()) == []


def test_without_the_facts_of_the_clip_there_is_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="does not say which clip"):
        archive.run(task(video=None), context(tmp_path))


def recorded(crop: str = "plates/p1_best_crop.jpg") -> ClipRecord:
    seen = {"text": "LT23CGK", "crop": crop, "frame": "frames/p1_best_frame.jpg"}
    result = {"bundle": "indoor_nas:heavy_output/v1", "sightings": [seen]}
    heavy = StageRecord(task_type="HEAVY_PROCESS_VIDEO", revision=2, inputs=[], result=result)
    return ClipRecord(video_id="v1", source="indoor_nas:raw/a.MP4", stages=[heavy])


def test_the_archive_keeps_the_clips_record_and_proves_it(tmp_path: Path) -> None:
    ctx, folder = context(tmp_path), tmp_path / "archive/v1"
    with_record = task().model_copy(update={"record": recorded()})
    first = archive.run(with_record, ctx)
    manifest = bundle.read_manifest(folder)
    assert bundle.read_record(folder, manifest) == recorded()
    assert not bundle.verify(folder, manifest)
    before = {path: path.stat().st_ino for path in folder.rglob("*")}
    assert archive.run(with_record, ctx) == first, "the same record is the same archive"
    assert {path: path.stat().st_ino for path in folder.rglob("*")} == before
    (folder / "record.json").write_bytes((folder / "record.json").read_bytes().replace(b"LT23CGK", b"LT23CGX"))
    with pytest.raises(StorageError, match="is not the record that was written"):
        bundle.read_record(folder, manifest)


def test_an_older_archive_gets_its_record_when_it_is_archived_again(tmp_path: Path) -> None:
    ctx, folder = context(tmp_path), tmp_path / "archive/v1"
    archive.run(task(), ctx)
    with pytest.raises(StorageError, match="from before archives kept a record"):
        bundle.read_record(folder, bundle.read_manifest(folder))
    archive.run(task().model_copy(update={"record": recorded()}), ctx)
    assert bundle.read_record(folder, bundle.read_manifest(folder)) == recorded()


def test_a_record_of_another_bundle_is_not_archived(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    with pytest.raises(StorageError, match=r"is not of this bundle, which has no plates/p7_best_crop\.jpg"):
        archive.run(task().model_copy(update={"record": recorded("plates/p7_best_crop.jpg")}), ctx)
    assert list((tmp_path / "archive").iterdir()) == []
