"""Preprocessing points the heavy stage at what may hold plates, and never at nothing by mistake."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from dashcam.config import DeviceSettings, PreprocessSettings
from dashcam.media.decode import ClipUnreadable
from dashcam.records import Candidates, Fix, ProposedRegion, VideoFacts
from dashcam.stages import preprocess as module
from dashcam.stages.common import Rejected, StageError, parameters
from dashcam.stages.preprocess import Preprocess
from dashcam.tasks.model import InputRef, TaskType
from tests.media.clips import in_coding
from tests.media.failing import PAGE, failing_disk
from tests.media.made import Picture, noise, regular, write_clip
from tests.stages.running import Device, task


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
    kept = [(s.start_s, s.end_s, s.reason, s.still) for s in found.spans if s.keep]
    assert kept == [(0, 3, "new view", True), (19, 21, "moves", False)]


def test_a_car_that_drives_by_gps_is_kept_in_the_dark_and_hardly_looked_at(tmp_path: Path, device: Device) -> None:
    clip = write_clip(tmp_path / "night.mp4", regular(40, 2), gop=2, paint=dark)
    output = device.preprocess(clip, facts_of(clip, lambda t_s: 14.0 if 10 <= t_s < 30 else 0.0))
    found = candidates(device, "night")
    reasons = [(s.reason, s.keep) for s in found.spans]
    assert list(dict.fromkeys(reasons)) == [("too dark", False), ("drives", True)]
    drives = next(s for s in found.spans if s.keep)
    assert drives.start_s == pytest.approx(9, abs=1.5)
    assert drives.end_s == pytest.approx(30, abs=1.5)
    assert output.result.keyframes < 28


def test_a_drive_too_short_to_be_looked_at_is_kept(tmp_path: Path, device: Device) -> None:
    clip = write_clip(tmp_path / "night.mp4", regular(40, 2), gop=2, paint=dark)
    device.preprocess(clip, facts_of(clip, lambda t_s: 14.0 if 10 <= t_s < 13 else 0.0))
    (kept,) = [s for s in candidates(device, "night").spans if s.keep]
    assert (kept.reason, kept.start_s) == ("drives", pytest.approx(9, abs=1))
    assert kept.end_s == pytest.approx(13, abs=1)


def test_keyframes_that_come_often_are_not_all_decoded(tmp_path: Path, device: Device) -> None:
    often = device.preprocess(write_clip(tmp_path / "often.mp4", regular(12, 6), gop=2)).result
    assert often.keyframes == 12


def test_what_is_rejected_is_audited_in_the_share_that_is_set(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "park.mp4", regular(40, 2), gop=2, paint=lambda *size: parked(0, *size[1:]))
    for share in (0.0, 1.0):
        device = Device(
            tmp_path / str(share), DeviceSettings(proposals="none", preprocess=PreprocessSettings(audit_share=share))
        )
        result = device.preprocess(clip).result
        assert [s.audit for s in result.spans if not s.keep] == [bool(share)] * (7 if share else 1)
        assert result.spans == candidates(device, "park").spans


def test_an_engine_that_was_asked_for_and_is_missing_fails_the_task_with_one_sentence(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "drive.mp4", regular(12, 4), gop=4)
    for engine in ("edgetpu", "tflite") if find_spec("ai_edge_litert") is None else ("edgetpu",):
        device = Device(tmp_path / engine, DeviceSettings(proposals=engine))
        with pytest.raises(StageError, match=r"extra 'jetson'|libedgetpu\.so\.1 is not installed"):
            device.preprocess(clip)
        assert not (device.nas / "preproc").exists()


def test_the_tasks_parameters_are_gone_by_and_recorded(tmp_path: Path, device: Device) -> None:
    """Not the device's own: rate, resolution and thresholds are those of the moment the clip was taken in."""
    clip = write_clip(tmp_path / "night.mp4", regular(12, 4), gop=4, paint=dark)
    asked = PreprocessSettings(keyframe_every_s=1.9, side=96, too_dark=0.001, no_structure=0.0, too_blurred=0.0)
    todo = task(TaskType.PREPROCESS_VIDEO, clip, [InputRef(device="local", path=clip.name), parameters(asked)])
    output = Preprocess(device.settings).run(todo, device.context(clip))
    found = candidates(device, "night")
    assert PreprocessSettings.model_validate(found.parameters) == asked
    assert output.result.keyframes == found.keyframes == 6
    assert {s.reason for s in found.spans} == {"too few keyframes to judge"}
    device.preprocess(clip)
    assert candidates(device, "night").parameters == device.settings.preprocess.model_dump()
    assert {s.reason for s in candidates(device, "night").spans} == {"too dark"}


def test_parameters_that_this_device_does_not_know_are_no_fault_of_the_clip(tmp_path: Path, device: Device) -> None:
    clip = write_clip(tmp_path / "drive.mp4", regular(12, 4), gop=4)
    newer = InputRef(device="main_server", path="config.json", type="parameters", values={"fog": 0.5})
    todo = task(TaskType.PREPROCESS_VIDEO, clip, [InputRef(device="local", path=clip.name), newer])
    with pytest.raises(StageError, match=r"cannot go by the task's parameters \(fog\): bring it up to date"):
        Preprocess(device.settings).run(todo, device.context(clip))


class OneCarAhead:
    """A network that sees a car and its plate in every picture."""

    engine, sha256 = "tflite-cpu", "0" * 64

    def regions(self, picture: Picture, scale: float) -> list[ProposedRegion]:
        return [
            ProposedRegion(kind="plate", box=(60, 70, 70, 72.5), score=0.9),
            ProposedRegion(kind="car", box=(40, 50, 90, 80), score=0.8),
        ]


@pytest.mark.parametrize(("camera", "told"), [("front", [2.3, 2.2]), ("interior", [None, None])])
def test_a_region_says_how_far_away_it_is(
    tmp_path: Path, device: Device, monkeypatch: pytest.MonkeyPatch, camera: str, told: list[float | None]
) -> None:
    monkeypatch.setattr(module, "proposer_of", lambda settings: OneCarAhead())
    clip = write_clip(tmp_path / "drive.mp4", regular(12, 4), gop=4)
    device.preprocess(clip, facts_of(clip, lambda t_s: 0.0).model_copy(update={"camera": camera}))
    (first, *_) = candidates(device, "drive").looks
    assert [region.distance_m for region in first.regions] == told


def test_spans_of_older_files_are_still_as_their_reason_says() -> None:
    reasons = ["new view", "moves", "first seconds"]
    spans = [{"start_s": i, "end_s": i + 1, "keep": True, "reason": reason} for i, reason in enumerate(reasons)]
    for version, still in ((1, [True, False, True]), (2, [True, False, True]), (3, [False] * 3)):
        old = {"version": version, "video_id": "a", "duration_s": 3.0, "keyframes": 3, "spans": spans}
        assert [span.still for span in Candidates.model_validate_json(json.dumps(old)).spans] == still
    with pytest.raises(ValidationError):
        Candidates.model_validate({"version": 2, "video_id": "a", "duration_s": 3.0, "keyframes": 3, "spans": [7]})


def test_candidates_of_the_first_version_can_still_be_read() -> None:
    first = """{"version": 1, "video_id": "a", "duration_s": 12.0, "keyframes": 12,
        "spans": [{"start_s": 0, "end_s": 12, "keep": false, "reason": "too dark"}]}"""
    found = Candidates.model_validate_json(first)
    assert (found.spans[0].audit, found.proposals, found.looks) == (False, "none", [])


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


def test_a_coding_that_this_device_cannot_decode_waits_for_another_device(tmp_path: Path, device: Device) -> None:
    clip = tmp_path / "new.MP4"
    clip.write_bytes(in_coding(b"evc1"))
    with pytest.raises(StageError, match=r"new\.MP4 is coded as evc, which this device cannot decode"):
        device.preprocess(clip)
    clip.write_bytes(in_coding(b"zzzz"))
    with pytest.raises(Rejected, match="coding that is not known here"):
        device.preprocess(clip)
    facts = facts_of(clip, lambda t_s: 0.0).model_copy(update={"codec": "vvc"})
    with pytest.raises(StageError, match="is coded as vvc, which this device cannot decode"):
        device.preprocess(clip, facts)  # the main server has opened it: this device's FFmpeg is older


def test_a_disk_that_fails_rejects_no_clip(tmp_path: Path, device: Device) -> None:
    clip = write_clip(tmp_path / "drive.mp4", regular(12, 4), gop=4)
    places = range(0, clip.stat().st_size, PAGE)
    for place in places[:: len(places) // 12]:
        with (
            pytest.raises(ClipUnreadable, match=r"drive\.mp4 cannot be read"),
            failing_disk(clip, place),
        ):
            device.preprocess(clip)
    assert not (device.nas / "preproc").exists()


def facts_of(clip: Path, speed: Callable[[float], float]) -> VideoFacts:
    """As ingest tells of a clip of 40 s with a fix each second, the car going north."""
    noon = datetime(2026, 6, 28, 12, tzinfo=UTC)
    fixes, lat = [], 44.43
    for t in range(40):
        lat += speed(t) / 111_320
        at = {"t_s": float(t), "utc": noon + timedelta(seconds=t), "lat": lat, "lon": 26.1}
        fixes.append(Fix(**at, speed_mps=speed(t), heading_deg=0.0))
    return VideoFacts(
        name=clip.name, sha256="", size=1, trip="", start_utc=noon, clock="gps", duration_s=40.0,
        width=128, height=96, fps=2.0, codec="h264", frames=80, fixes=fixes,
    )  # fmt: skip


def content(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
