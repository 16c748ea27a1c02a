"""The heavy stage finds the plates that are really there, with the crop and second that prove it, and no others."""

import json
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from dashcam.config import DeviceSettings
from dashcam.config.model import GpuSettings
from dashcam.media.decode import frames
from dashcam.records import Candidates, HeavyResult, Sighting, Span
from dashcam.stages.common import Rejected, StageError
from dashcam.stages.heavy import Heavy
from dashcam.storage import layout
from dashcam.tasks.model import InputRef, TaskType
from dashcam.vision.engines import Detector, MissingWeights
from tests.gps.made import drive, transport
from tests.media.clips import FPS, faststart, in_coding, mp4, with_hole
from tests.media.made import Picture, regular, write_clip
from tests.stages.running import Device, task


@pytest.fixture(scope="module")
def heavy() -> Heavy:
    return Heavy(DeviceSettings())


def standing_plate(shared: Path) -> tuple[Callable[[int, int, int], Picture], str, tuple[int, int]]:
    """A painter of one photograph of a car (a little noise in every frame), its plate, and its size."""
    folder = shared / "data" / "openalpr-endtoend" / "us"
    file, *_, text = (folder / "wts-lg-000165.txt").read_text().strip().split("\t")
    photo = cv2.imread(str(folder / file))
    photo = photo[: photo.shape[0] // 2 * 2, : photo.shape[1] // 2 * 2, ::-1]

    def paint(index: int, width: int, height: int) -> Picture:
        grain = np.random.default_rng(index).integers(0, 6, photo.shape, dtype=np.uint8)
        return np.clip(photo.astype(np.int16) + grain, 0, 255).astype(np.uint8)

    return paint, text, (photo.shape[1], photo.shape[0])


@pytest.mark.parametrize(
    ("clip", "exact", "nearly"),
    [
        ("london-street-hevc", {"LT23CGK"}, {"DX17ZWH"}),
        ("incar-romania-1fps", {"BR07AAC", "B577PRO"}, set()),
    ],
)
def test_real_clips(shared: Path, tmp_path: Path, heavy: Heavy, clip: str, exact: set[str], nearly: set[str]) -> None:
    """The acceptance of the project's first part, on real footage."""
    source = shared / "data" / "clips" / f"{clip}.mp4"
    device = Device(tmp_path / "device")
    result = device.run_both(source, heavy).result
    assert isinstance(result, HeavyResult)
    confirmed = [s.text for s in result.sightings if s.confirmed]
    assert exact <= set(confirmed)
    assert all(any(differences(text, found) <= 1 for found in confirmed) for text in nearly)
    assert len(confirmed) <= len(exact) + len(nearly) + 2
    proves(device.nas / "heavy_output" / clip, result, source)


def proves(bundle: Path, result: HeavyResult, source: Path) -> None:
    """Crops and frames are cut from the frame that was read; the video goes from end to end; the JSON says the same."""
    told = HeavyResult.model_validate_json((bundle / "detections.json").read_bytes())
    assert all((bundle / sighting.crop).is_file() for sighting in told.sightings)
    here = [s.model_copy(update={"crop": layout.bundled(s.crop)}) for s in result.sightings]
    assert told == result.model_copy(update={"sightings": here})
    assert result.frames_decoded >= result.frames_looked_at > 0
    assert set(result.models) == {"plate-detector", "plate-reader", "PP-OCRv6_rec_small"}
    assert (bundle / result.poster).is_file()
    shown = {s.best_pts: s for s in result.sightings}
    for frame in frames(source):
        if sighting := shown.get(frame.pts):
            assert sighting.best_s == pytest.approx(frame.t_s, abs=1e-3)
            assert looks_like(bundle, sighting, frame.bgr()) > 0.97
    for sighting in result.sightings:
        assert sighting.first_s <= sighting.best_s <= sighting.last_s
        assert any(r.pts == sighting.best_pts and r.box == sighting.box for r in sighting.reads)
        assert (bundle / sighting.frame).is_file()
    with av.open(str(bundle / "video_lowres.mp4")) as low:
        fps = float(low.streams.video[0].average_rate)
        copied = low.streams.video[0].frames
    assert copied >= 0.99 * result.frames_decoded / (2 if fps > 5 else 1)  # every second of 29 frames a second


def looks_like(bundle: Path, sighting: Sighting, frame: np.ndarray) -> float:
    """Correlation of the crop's middle with the sighting's box in the source frame."""
    crop = cv2.imread(str(layout.find(bundle, sighting.crop)), cv2.IMREAD_GRAYSCALE)
    x0, y0, x1, y1 = (round(v) for v in sighting.box)
    gray = cv2.cvtColor(frame[y0:y1, x0:x1], cv2.COLOR_BGR2GRAY)
    return float(cv2.matchTemplate(crop, gray, cv2.TM_CCOEFF_NORMED).max())


def test_a_plate_that_stands_still_is_one_sighting_and_the_same_bytes_every_time(
    shared: Path, tmp_path: Path, heavy: Heavy, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    paint, text, size = standing_plate(shared)
    clip = write_clip(tmp_path / "stop.mp4", regular(3, 5), size=size, paint=paint, sound="aac")
    bundles = []
    for name in ("one", "two"):
        device = Device(tmp_path / name)
        output = device.run_both(clip, heavy)
        bundles.append(content(device.nas))
    confirmed = [s for s in output.result.sightings if s.confirmed]
    assert [s.text for s in confirmed] == [text]
    assert ", 1 plates" in caplog.text and text not in caplog.text, "a log keeps what is deleted later"
    assert (confirmed[0].first_s, confirmed[0].last_s) == (0.0, pytest.approx(2.8))
    assert bundles[0] == bundles[1]
    files = {"video_lowres.mp4", f"plate_crops/{text}_best_crop.jpg", f"frames/{text}_best_frame.jpg"}
    assert {f"heavy_output/stop/{name}" for name in files} <= set(bundles[0])
    (archive,) = output.publish
    assert archive.task_type == TaskType.ARCHIVE_VIDEO
    assert [(r.type, r.uri) for r in archive.inputs] == [
        ("video", "local:stop.mp4"),
        ("bundle", "indoor_nas:heavy_output/stop"),
        ("hashes", "indoor_nas:heavy_output/stop/manifest.json"),
    ]


def test_without_a_plate_the_record_proves_that_somebody_looked(tmp_path: Path, heavy: Heavy) -> None:
    clip = write_clip(tmp_path / "empty.mp4", regular(2, 10))
    device = Device(tmp_path / "device")
    device.run_both(clip, heavy)
    said = json.loads((device.nas / "heavy_output/empty/detections.json").read_bytes())
    assert said["frames_decoded"] == 20
    assert 6 <= said["frames_looked_at"] <= 11  # every second slot at least, every slot at most, and the last frame
    assert [s for s in said["sightings"] if s["confirmed"]] == []
    assert all(len(sha) == 64 for sha in said["models"].values())


@pytest.mark.parametrize(
    ("data", "least", "damaged"),
    [
        (faststart(mp4(6))[: len(mp4(6)) * 2 // 3], 38, False),
        (with_hole(mp4(6), 20, 35), 40, True),
        (transport(drive(), first_pts_s=2**33 / 90_000 - 2), 60, False),
    ],
    ids=["cut", "hole", "wrapped clock"],
)
def test_what_is_readable_of_a_damaged_clip_is_processed(
    tmp_path: Path, heavy: Heavy, data: bytes, least: int, damaged: bool
) -> None:
    clip = tmp_path / "damaged.MP4"
    clip.write_bytes(data)
    device = Device(tmp_path / "device")
    result = device.run_both(clip, heavy).result
    assert isinstance(result, HeavyResult)
    assert result.frames_decoded >= least
    assert result.frames_looked_at >= least / FPS * 2
    assert not damaged or result.damaged
    copy = list(frames(device.nas / "heavy_output" / "damaged" / "video_lowres.mp4"))
    assert len(copy) == result.frames_decoded
    assert copy[-1].t_s < 6.2


def test_no_decodable_frame_is_a_rejection_and_leaves_nothing_on_the_nas(tmp_path: Path, heavy: Heavy) -> None:
    clip = write_clip(tmp_path / "torn.mp4", regular(1))
    data = bytearray(clip.read_bytes())
    start, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
    data[start:end] = bytes(end - start)
    clip.write_bytes(data)
    device = Device(tmp_path / "device")
    torn = task(TaskType.HEAVY_PROCESS_VIDEO, clip, [InputRef(device="local", path=clip.name)])
    with pytest.raises(Rejected, match=r"torn\.mp4"):
        heavy.run(torn, device.context(clip))
    assert list(device.nas.iterdir()) == []


def test_a_coding_that_this_device_cannot_decode_waits_for_another_device(tmp_path: Path, heavy: Heavy) -> None:
    clip = tmp_path / "new.mp4"
    clip.write_bytes(in_coding(b"evc1"))
    device = Device(tmp_path / "device")
    todo = task(TaskType.HEAVY_PROCESS_VIDEO, clip, [InputRef(device="local", path=clip.name)])
    with pytest.raises(StageError, match=r"new\.mp4 is coded as evc"):
        heavy.run(todo, device.context(clip))
    assert list(device.nas.iterdir()) == []


def test_without_what_preprocessing_found_all_of_the_clip_is_looked_at(tmp_path: Path, heavy: Heavy) -> None:
    clip = write_clip(tmp_path / "night.mp4", regular(4, 10), gop=10)
    device = Device(tmp_path / "device")
    inputs = [InputRef(device="local", path=clip.name), InputRef.of("indoor_nas:candidates.json", "candidates")]
    output = heavy.run(task(TaskType.HEAVY_PROCESS_VIDEO, clip, inputs), device.context(clip))
    assert output.result.frames_decoded == 40


def test_where_preprocessing_saw_nothing_only_keyframes_are_decoded_and_nobody_looks(
    tmp_path: Path, heavy: Heavy
) -> None:
    clip = write_clip(tmp_path / "night.mp4", regular(20, 10), gop=10)
    device = Device(tmp_path / "device")
    verdicts = [
        (True, "moves", False),
        (False, "too dark", False),
        (False, "too dark", True),
        (True, "new view", False),
    ]
    spans = [
        Span(start_s=5.0 * i, end_s=5.0 * i + 5, keep=keep, reason=reason, audit=audit, still=reason == "new view")
        for i, (keep, reason, audit) in enumerate(verdicts)
    ]
    found = Candidates(video_id="night", duration_s=20, keyframes=20, spans=spans)
    (device.nas / "candidates.json").write_text(found.model_dump_json())
    inputs = [InputRef(device="local", path=clip.name), InputRef.of("indoor_nas:candidates.json", "candidates")]
    looked: list[float] = []
    heavy.detector, before = Counted(heavy.detector, looked), heavy.detector
    try:
        output = heavy.run(task(TaskType.HEAVY_PROCESS_VIDEO, clip, inputs), device.context(clip))
    finally:
        heavy.detector = before
    assert output.result.frames_decoded == 50 + 5 + 50 + 5
    bundle = device.nas / "heavy_output" / "night"
    keyframes, all_of_them = [5, 6, 7, 8, 9], [i / 10 for i in range(200)]
    copied = [f.t_s for f in frames(bundle / "video_lowres.mp4")]
    assert copied == pytest.approx([*all_of_them[:50], *keyframes, *all_of_them[100:150], 15, 16, 17, 18, 19])
    assert json.loads((bundle / "frames/times.json").read_bytes())["t_s"] == pytest.approx(all_of_them)
    assert output.result.frames_looked_at == len(looked)
    dark = {int(frame.bgr()[0, 0, 0]) for frame in frames(clip) if 5 <= frame.t_s < 10}
    others = {int(frame.bgr()[0, 0, 0]) for frame in frames(clip) if not 5 <= frame.t_s < 10}
    assert not set(looked) & (dark - others)


class Counted:
    """A detector that also says what it was shown, by the first pixel."""

    def __init__(self, detector: Detector, looked: list[float]) -> None:
        self.name, self.sha256, self.side = detector.name, detector.sha256, detector.side
        self._detector, self._looked = detector, looked

    def detect(self, images, side=None):
        self._looked += [int(image[0, 0, 0]) for image in images]
        return self._detector.detect(images, side)


def test_a_device_whose_card_fails_does_all_on_the_cpu_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clip = write_clip(tmp_path / "a.mp4", regular(2, 10))
    results = []
    for name, gpu in (("plain", None), ("card", GpuSettings(device_id=63, max_batch_size=1))):
        device = Device(tmp_path / name)
        device.settings = DeviceSettings(gpu=gpu)
        with caplog.at_level("INFO"):
            results.append(device.run_both(clip, Heavy(device.settings)).result)
    assert results[0] == results[1]
    said = [record.getMessage() for record in caplog.records if "on the CPU, because" in record.getMessage()]
    assert [any(word in line for line in said) for word in ("detector", "decode", "encode")] == [True] * 3


def test_missing_weights_are_a_failure(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights, match=r"gone\.onnx"):
        Heavy(DeviceSettings(detector_weights=tmp_path / "gone.onnx"))


def test_progress_rises_to_one(tmp_path: Path, heavy: Heavy) -> None:
    clip = write_clip(tmp_path / "a.mp4", regular(2, 10))
    device = Device(tmp_path / "device")
    heard: list[float] = []
    work = task(TaskType.HEAVY_PROCESS_VIDEO, clip, [InputRef(device="local", path=clip.name)])
    heavy.run(work, device.context(clip, heard.append))
    assert heard == sorted(heard)
    assert heard[-1] == 1.0


def differences(a: str, b: str) -> int:
    return sum(x != y for x, y in zip(a, b, strict=True)) if len(a) == len(b) else 9


def content(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
