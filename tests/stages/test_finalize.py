"""Nothing is let go before the archive has been proven once more, and raw footage not at all."""

import logging
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dashcam.config import DeviceSettings
from dashcam.config.model import RetentionDays
from dashcam.records import FinalizeResult, VideoFacts
from dashcam.stages import finalize
from dashcam.stages.common import StageContext
from dashcam.storage import bundle, layout
from dashcam.storage.bundle import StorageError
from dashcam.storage.roots import StoreError, StoreMissing, Stores
from dashcam.tasks.model import InputRef, Task, TaskType
from tests.storage.made import manifest_of

SHA = "ab" * 32
REMOVED = ["indoor_nas:preproc/v1", "indoor_nas:heavy_output/v1"]


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@pytest.fixture
def ctx(tmp_path: Path) -> StageContext:
    for name, data in {"video_lowres.mp4": b"video", "plates/p1_best_crop.jpg": b"crop"}.items():
        write(tmp_path / "nas/heavy_output/v1" / layout.bundled(name), data)
        write(tmp_path / "archive/v1" / name, data)
    write(tmp_path / "nas/heavy_output/v1/detections.json", b"{}")
    write(tmp_path / "nas/heavy_output/v2/video_lowres.mp4", b"another video")
    write(tmp_path / "nas/preproc/v1/candidates.json", b"{}")
    write(tmp_path / "nas/raw/2026-06-28/v1.MP4", b"raw footage")
    manifest = manifest_of(tmp_path / "archive/v1", source_sha256=SHA)
    write(tmp_path / "archive/v1/manifest.json", bundle.manifest_bytes(manifest))
    stores = Stores({"indoor_nas": tmp_path / "nas", "shed_nas": tmp_path / "archive"})
    settings = DeviceSettings(retention=RetentionDays(preproc_data=0, heavy_output=0))
    return StageContext(stores, tmp_path, settings, logging.getLogger("test"))


def task(video_id: str = "v1", sha256: str = SHA) -> Task:
    facts = VideoFacts(
        name="v1.MP4",
        sha256=sha256,
        size=1,
        trip="2026-06-28",
        start_utc=datetime(2026, 6, 28, tzinfo=UTC),
        clock="gps",
        duration_s=60,
        width=1920,
        height=1080,
        fps=30,
        codec="h264",
        frames=1800,
    )
    return Task(
        task_id=8,
        task_type=TaskType.FINALIZE_VIDEO,
        video_id=video_id,
        video=facts,
        revision=1,
        device_type="main_server",
        state="pending",
        inputs=[InputRef(type="archive", device="shed_nas", path="v1")],
        created_at=datetime(2026, 6, 28, tzinfo=UTC),
    )


def everything(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_proven_archive_lets_its_intermediates_go_and_only_them(ctx: StageContext, tmp_path: Path) -> None:
    archived = everything(tmp_path / "archive")
    output = finalize.run(task(), ctx)
    assert output.result == FinalizeResult(archive="shed_nas:v1", removed=REMOVED)
    assert output.publish == []
    assert everything(tmp_path / "nas") == {
        "raw/2026-06-28/v1.MP4": b"raw footage",
        "heavy_output/v2/video_lowres.mp4": b"another video",
    }
    assert everything(tmp_path / "archive") == archived


def test_once_more_is_no_error_and_removes_nothing(ctx: StageContext) -> None:
    finalize.run(task(), ctx)
    assert finalize.run(task(), ctx).result == FinalizeResult(archive="shed_nas:v1", removed=[])


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda folder: (folder / "plates/p1_best_crop.jpg").write_bytes(b"crap"), "other content"),
        (lambda folder: (folder / "plates/p1_best_crop.jpg").unlink(), "is missing"),
        (lambda folder: (folder / "video_lowres.mp4").write_bytes(b"vid"), "3 bytes instead of 5"),
        (lambda folder: (folder / "extra").write_bytes(b""), "not in the manifest"),
        (lambda folder: (folder / "manifest.json").unlink(), "has no manifest"),
        (lambda folder: (folder / "manifest.json").write_bytes(b"{"), "not a manifest"),
        (
            lambda folder: (folder / "manifest.json").write_bytes(
                bundle.manifest_bytes(bundle.read_manifest(folder).model_copy(update={"video_id": "v2"}))
            ),
            "belongs to another clip",
        ),
    ],
)
def test_an_archive_that_is_not_right_keeps_everything(ctx: StageContext, tmp_path: Path, damage, says: str) -> None:
    before = everything(tmp_path / "nas")
    damage(tmp_path / "archive/v1")
    with pytest.raises(StorageError, match=says):
        finalize.run(task(), ctx)
    assert everything(tmp_path / "nas") == before


def test_an_archive_of_other_footage_under_the_same_name_keeps_everything(ctx: StageContext, tmp_path: Path) -> None:
    before = everything(tmp_path / "nas")
    with pytest.raises(StorageError, match="belongs to another clip"):
        finalize.run(task(sha256="cd" * 32), ctx)
    assert everything(tmp_path / "nas") == before


def test_an_empty_manifest_proves_nothing(ctx: StageContext, tmp_path: Path) -> None:
    folder = tmp_path / "archive/v1"
    empty = bundle.read_manifest(folder).model_copy(update={"files": []})
    for path in (folder / "video_lowres.mp4", folder / "plates/p1_best_crop.jpg"):
        path.unlink()
    (folder / "manifest.json").write_bytes(bundle.manifest_bytes(empty))
    write(tmp_path / "nas/preproc/v1/candidates.json", b"{}")
    before = everything(tmp_path / "nas")
    with pytest.raises(StorageError, match=r"video_lowres\.mp4 is missing"):
        finalize.run(task(), ctx)
    assert everything(tmp_path / "nas") == before


def test_a_newer_bundle_that_is_not_archived_yet_stays(ctx: StageContext, tmp_path: Path) -> None:
    write(tmp_path / "nas/heavy_output/v1/plate_crops/p2_best_crop.jpg", b"found by the newer model")
    before = everything(tmp_path / "nas")
    with pytest.raises(StorageError, match=r"p2_best_crop\.jpg of the bundle is not archived"):
        finalize.run(task(), ctx)
    assert everything(tmp_path / "nas") == before


def test_a_removal_that_was_interrupted_is_finished(ctx: StageContext, tmp_path: Path) -> None:
    (tmp_path / "nas/heavy_output/v1/video_lowres.mp4").unlink()
    assert finalize.run(task(), ctx).result == FinalizeResult(archive="shed_nas:v1", removed=REMOVED)


@pytest.mark.parametrize("store", ["nas", "archive"])
def test_a_store_that_is_not_mounted_stops_it(ctx: StageContext, tmp_path: Path, store: str) -> None:
    (tmp_path / store).rename(tmp_path / "unmounted")
    with pytest.raises(StoreMissing):
        finalize.run(task(), ctx)
    (tmp_path / "unmounted").rename(tmp_path / store)
    assert "preproc/v1/candidates.json" in everything(tmp_path / "nas")


@pytest.mark.parametrize("video_id", ["../v1", ".", "", "v1/plates"])
def test_a_video_id_that_is_no_folder_name_removes_nothing(ctx: StageContext, tmp_path: Path, video_id: str) -> None:
    before = everything(tmp_path / "nas")
    with pytest.raises(StoreError):
        finalize.run(task(video_id), ctx)
    assert everything(tmp_path / "nas") == before


def test_a_link_in_place_of_an_intermediate_is_not_followed(ctx: StageContext, tmp_path: Path) -> None:
    (tmp_path / "nas/preproc/v1/candidates.json").unlink()
    (tmp_path / "nas/preproc/v1").rmdir()
    (tmp_path / "nas/preproc/v1").symlink_to(tmp_path / "nas/raw")
    with pytest.raises(StorageError, match="is a link"):
        finalize.run(task(), ctx)
    assert everything(tmp_path / "nas/raw") == {"2026-06-28/v1.MP4": b"raw footage"}


@pytest.mark.parametrize(
    ("days", "removed"),
    [
        (RetentionDays(), []),  # the guide's 30 and 7
        (RetentionDays(preproc_data=1, heavy_output=0), ["indoor_nas:heavy_output/v1"]),
        (RetentionDays(preproc_data=0, heavy_output=1), ["indoor_nas:preproc/v1"]),
    ],
)
def test_what_the_owner_keeps_for_some_days_stays(
    ctx: StageContext, tmp_path: Path, days: RetentionDays, removed: list[str]
) -> None:
    before = everything(tmp_path / "nas")
    output = finalize.run(task(), replace(ctx, device=DeviceSettings(retention=days)))
    assert output.result == FinalizeResult(archive="shed_nas:v1", removed=removed)
    gone = tuple(uri.removeprefix("indoor_nas:") for uri in removed)
    assert everything(tmp_path / "nas") == {
        name: data for name, data in before.items() if not name.startswith(gone or ("nothing",))
    }


def test_what_cannot_be_seen_any_more_is_not_gone(
    ctx: StageContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is unmounted between the two: chaos in one process, seed 2023 of 28 November."""
    (tmp_path / "nas/marker").touch()
    stores = Stores(ctx.stores.roots, {"indoor_nas": "marker"})
    is_link = Path.is_symlink

    def unmounts(path: Path) -> bool:
        if path == tmp_path / "nas/heavy_output/v1" and not (tmp_path / "nas/preproc/v1").exists():
            (tmp_path / "nas").rename(tmp_path / "away")
            (tmp_path / "nas").mkdir()
        return is_link(path)

    monkeypatch.setattr(Path, "is_symlink", unmounts)
    with pytest.raises(StoreMissing):
        finalize.run(task(), replace(ctx, stores=stores))
    assert (tmp_path / "away/heavy_output/v1").is_dir()


def test_who_is_killed_while_removing_leaves_no_half_bundle(
    ctx: StageContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chaos in one process, seed 5110 of 28 November."""

    def killed(folder: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        finalize.run(task(), ctx)
    assert [one.name for one in (tmp_path / "nas/preproc").iterdir() if not one.name.startswith(".")] == []
