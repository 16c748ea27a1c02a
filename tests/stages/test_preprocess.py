"""Preprocessing points the heavy stage at what may hold plates, and never at nothing by mistake."""

from pathlib import Path

import numpy as np
import pytest

from dashcam.records import Candidates
from dashcam.stages.common import Rejected
from dashcam.tasks.model import TaskType
from tests.media.made import Picture, noise, regular, write_clip
from tests.stages.running import Device


def dark(index: int, width: int, height: int) -> Picture:
    return np.full((height, width, 3), 2, np.uint8)


def parked(index: int, width: int, height: int) -> Picture:
    """The same street, but something large passes in second 20."""
    return noise(1 if index // 2 == 20 else 0, width, height)


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(tmp_path / "device")


def candidates(device: Device, video_id: str) -> Candidates:
    return Candidates.model_validate_json((device.nas / "preproc" / video_id / "candidates.json").read_bytes())


def test_a_drive_is_kept_whole_and_goes_to_the_heavy_stage(tmp_path: Path, device: Device) -> None:
    clip = write_clip(tmp_path / "drive.mp4", regular(12, 4), gop=4)
    output = device.preprocess(clip)
    assert (output.result.keyframes, output.result.rejected_s) == (12, 0.0)
    assert output.result.kept_s == pytest.approx(12, abs=0.25)
    (heavy,) = output.publish
    assert heavy.task_type == TaskType.HEAVY_PROCESS_VIDEO
    assert [(ref.type, ref.uri) for ref in heavy.inputs] == [
        ("video", "local:drive.mp4"),
        ("candidates", "indoor_nas:preproc/drive/candidates.json"),
    ]


def test_a_parked_car_keeps_its_first_seconds_and_the_passer_by(tmp_path: Path, device: Device) -> None:
    device.preprocess(write_clip(tmp_path / "park.mp4", regular(30, 2), gop=2, paint=parked))
    found = candidates(device, "park")
    assert found.spans[0].start_s == 0
    assert found.spans[-1].end_s == pytest.approx(30, abs=0.5)
    rejected = [t for t in range(30) if any(s.start_s <= t < s.end_s and not s.keep for s in found.spans)]
    assert rejected == [*range(10, 19), *range(22, 30)] or rejected == [*range(10, 19), *range(21, 30)]


def test_darkness_is_rejected_with_its_reason(tmp_path: Path, device: Device) -> None:
    output = device.preprocess(write_clip(tmp_path / "night.mp4", regular(12, 4), gop=4, paint=dark))
    assert {s.reason for s in candidates(device, "night").spans} == {"too dark"}
    assert output.publish  # the heavy stage still takes its samples and makes the video


def test_a_few_small_thumbnails_and_nothing_half_done(tmp_path: Path, device: Device) -> None:
    device.preprocess(write_clip(tmp_path / "long.mp4", regular(40, 2), gop=2))
    folder = device.nas / "preproc" / "long"
    thumbs = sorted(p.name for p in (folder / "thumbs").iterdir())
    assert 6 < len(thumbs) <= 12
    assert thumbs[0] == "0000.jpg"
    assert [p.name for p in folder.parent.iterdir()] == ["long"]


def test_twice_is_the_same_bytes(tmp_path: Path, device: Device) -> None:
    clip = write_clip(tmp_path / "drive.mp4", regular(12, 4), gop=4)
    device.preprocess(clip)
    first = content(device.nas)
    device.preprocess(clip)
    assert content(device.nas) == first


def test_a_clip_without_a_picture_is_rejected_for_good(tmp_path: Path, device: Device) -> None:
    clip = tmp_path / "list.MP4"
    clip.write_bytes(b"milk, eggs")
    with pytest.raises(Rejected, match=r"list\.MP4"):
        device.preprocess(clip)
    assert not (device.nas / "preproc").exists()


def content(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
