"""What the heavy stage wrote is what is archived: its hashes go with the bundle, and any other byte is refused."""

import logging
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dashcam.config import DeviceSettings
from dashcam.media import identity
from dashcam.records import VideoFacts
from dashcam.stages import archive
from dashcam.stages.common import StageContext
from dashcam.stages.heavy import Heavy
from dashcam.storage import bundle, layout
from dashcam.storage.bundle import StorageError
from dashcam.storage.roots import Stores
from dashcam.tasks.model import InputRef, TaskType
from tests.media.made import regular, write_clip
from tests.stages.running import Device, task
from tests.stages.test_heavy import content, standing_plate

FILES = ["manifest.json", "detections.json", "video_lowres.mp4", "frames/times.json", "frames/poster.jpg",
         "plate_crops/{}_best_crop.jpg", "frames/{}_best_frame.jpg"]  # fmt: skip


class Made:
    """A clip that went through the heavy stage once; each test has a copy of the stores."""

    def __init__(self, shared: Path, home: Path) -> None:
        paint, self.plate, size = standing_plate(shared)
        clip = write_clip(home / "stop.mp4", regular(3, 5), size=size, paint=paint)
        facts = VideoFacts(
            name=clip.name, sha256=identity.sha256(clip), size=clip.stat().st_size, trip="2026-06-28",
            start_utc=datetime(2026, 6, 28, tzinfo=UTC), clock="gps", duration_s=3, width=size[0], height=size[1],
            fps=5, codec="h264", frames=15,
        )  # fmt: skip
        device = Device(home / "device")
        todo = task(TaskType.HEAVY_PROCESS_VIDEO, clip, [InputRef(device="local", path=clip.name)])
        output = Heavy(DeviceSettings()).run(todo.model_copy(update={"video": facts}), device.context(clip))
        self.nas = device.nas
        follows = task(TaskType.ARCHIVE_VIDEO, clip, output.publish[0].inputs)
        self.task = follows.model_copy(update={"video": facts})


@pytest.fixture(scope="module")
def made(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(shared, tmp_path_factory.mktemp("made"))


@pytest.fixture
def ctx(made: Made, tmp_path: Path) -> StageContext:
    shutil.copytree(made.nas, tmp_path / "nas")
    (tmp_path / "shed").mkdir()
    stores = Stores({"indoor_nas": tmp_path / "nas", "shed_nas": tmp_path / "shed"})
    return StageContext(stores, tmp_path, DeviceSettings(), logging.getLogger("test"))


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 4
    file.write_bytes(data)


def bundle_of(ctx: StageContext, made: Made) -> Path:
    return ctx.stores.path(layout.bundle(made.task.video_id))


def test_the_heavy_stage_says_what_it_wrote(made: Made) -> None:
    folder = made.nas / "heavy_output" / "stop"
    assert set(content(folder)) == {name.format(made.plate) for name in FILES}
    manifest = bundle.read_manifest(folder)
    assert (manifest.video_id, manifest.source_sha256) == ("stop", made.task.video and made.task.video.sha256)
    assert bundle.verify(folder, manifest) == []
    assert made.task.input("hashes").uri == "indoor_nas:heavy_output/stop/manifest.json"


@pytest.mark.parametrize("archived_before", [False, True])
@pytest.mark.parametrize("name", FILES)
def test_a_byte_that_flipped_since_is_not_archived(
    ctx: StageContext, made: Made, name: str, archived_before: bool
) -> None:
    if archived_before:
        archive.run(made.task, ctx)
    shed = ctx.stores.root("shed_nas")
    before = content(shed)
    file = bundle_of(ctx, made) / name.format(made.plate)
    flip(file)
    with pytest.raises(StorageError, match=file.name) as refused:
        archive.run(made.task, ctx)
    assert "run heavy again" in str(refused.value)
    assert content(shed) == before
    flip(file)
    archive.run(made.task, ctx)
    assert set(content(shed / "stop")) == {"manifest.json", *archive.kept(bundle_of(ctx, made))}


def test_every_bit_of_the_hashes_counts_that_is_gone_by(ctx: StageContext, made: Made) -> None:
    file = bundle_of(ctx, made) / layout.MANIFEST
    good, source = file.read_bytes(), file.read_bytes().index(b'"source": "') + 11
    for place in range(0, len(good), 7):
        if source <= place < source + len("stop.mp4"):
            continue  # what the clip was called is the main server's to say
        file.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(StorageError):
            archive.run(made.task, ctx)
    assert content(ctx.stores.root("shed_nas")) == {}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_gone_since_is_missed(ctx: StageContext, made: Made, name: str) -> None:
    (bundle_of(ctx, made) / name.format(made.plate)).unlink()
    with pytest.raises(StorageError, match="run heavy again"):
        archive.run(made.task, ctx)
    assert content(ctx.stores.root("shed_nas")) == {}


def test_a_bundle_that_was_archived_spoiled_is_refused_too(ctx: StageContext, made: Made) -> None:
    """By a version that did not look: the archive that is there has the same wrong byte."""
    file = bundle_of(ctx, made) / f"plate_crops/{made.plate}_best_crop.jpg"
    hashes = bundle_of(ctx, made) / layout.MANIFEST
    flip(file)
    old = made.task.model_copy(update={"inputs": [ref for ref in made.task.inputs if ref.type != "hashes"]})
    kept = hashes.read_bytes()
    hashes.unlink()
    archive.run(old, ctx)
    hashes.write_bytes(kept)
    with pytest.raises(StorageError, match=file.name):
        archive.run(old, ctx)


def test_a_bundle_from_before_there_were_hashes_is_archived(ctx: StageContext, made: Made) -> None:
    (bundle_of(ctx, made) / layout.MANIFEST).unlink()
    old = made.task.model_copy(update={"inputs": [ref for ref in made.task.inputs if ref.type != "hashes"]})
    assert archive.run(old, ctx).result.files == len(FILES) - 2
