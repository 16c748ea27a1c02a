"""The sample drive is what it says it is: readable plates where truth.json puts them, positions, Viofo's names."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from dashcam.gps.novatek import read as read_fixes
from dashcam.media import boxes, names
from dashcam.media.identity import video_id
from dashcam.sample import Truth, drive, short_clips, write_drive
from dashcam.sample.plates import STYLES, draw_plate, make_text, plain
from dashcam.sample.route import Route
from dashcam.sample.scene import Camera
from dashcam.sample.traffic import SCRIPTS, Traffic


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    """A drive of three one-second clips: the same code as the long one, in a few seconds."""
    folder = tmp_path_factory.mktemp("drive")
    parts: list[float] = []
    truth = write_drive(folder, duration_s=1, progress=parts.append)
    assert parts == sorted(parts)
    assert parts[-1] == pytest.approx(1)
    return folder, truth


def test_names_and_truth_file(written: tuple[Path, Truth]) -> None:
    folder, truth = written
    assert Truth.model_validate_json((folder / "truth.json").read_bytes()) == truth
    assert [clip.file for clip in truth.clips] == [
        "2026_0628_133416_000001F.MP4",
        "2026_0628_133417_000002F.MP4",
        "2026_0628_133417_000003R.MP4",
    ]
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [*(clip.file for clip in truth.clips), "truth.json"]
    )
    for clip in truth.clips:
        assert names.parse(clip.file).camera == clip.camera


def test_clips_are_whole_h264_and_hold_the_true_positions(written: tuple[Path, Truth]) -> None:
    folder, truth = written
    for clip in truth.clips:
        path = folder / clip.file
        assert boxes.check(path) == boxes.Check("ok", 30, 30)
        with av.open(str(path)) as container:
            pictures = [(frame.pts * frame.time_base, frame.width, frame.height) for frame in container.decode(video=0)]
            assert container.streams.video[0].codec_context.name == "h264"
        assert len(pictures) == 30
        assert pictures[0] == (0, 1280, 720)
        fixes = read_fixes(path)
        assert [fix.t_s for fix in fixes] == [fix.t_s for fix in clip.fixes]
        for ours, theirs in zip(fixes, clip.fixes, strict=True):
            assert ours.utc == theirs.utc
            assert abs(ours.lat - theirs.lat) * 111_195 < 0.6


def test_plates_are_drawn_where_the_truth_says(written: tuple[Path, Truth]) -> None:
    """In each true box there is a plate: bright paper with dark strokes on it."""
    folder, truth = written
    seen = 0
    for clip in truth.clips:
        with av.open(str(folder / clip.file)) as container:
            pictures = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
        for plate in clip.plates:
            for place in plate.boxes:
                x0, y0, x1, y1 = (round(value) for value in place.box)
                inside = pictures[round(place.t_s * 30)][y0:y1, x0:x1]
                assert np.percentile(inside, 80) - np.percentile(inside, 10) > 70
                seen += 1
    assert seen >= 4


def test_the_same_seed_gives_the_same_bytes_and_another_one_other_plates() -> None:
    def clip(seed: int) -> bytes:
        take = drive.Take(1, rear=False, start_s=3, duration_s=0.2)
        director = drive.Director(take, Route(20), Traffic(20, seed), drive.Camera(drive.SIZE, take.rear, seed))
        return drive.encode(director.frames(lambda part: None), drive.SIZE, drive.FPS, take.start_local)

    assert clip(7) == clip(7)
    plates = [{look.plate for _, look, _ in Traffic(20, seed).vehicles} for seed in (7, 8)]
    assert not plates[0] & plates[1]


def test_every_pixel_of_the_street_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a bend a row between sky and ground kept what memory held, and every drive was another one."""
    director = drive.Director(drive.takes(10)[0], Route(20), Traffic(20, 7), Camera(drive.SIZE, False, 7))
    for t_s in np.arange(3.5, 6.5, 0.1):
        view, _ = director.moment(float(t_s))
        found = []
        for held in (0, 255):
            with monkeypatch.context() as memory:
                memory.setattr(np, "empty", lambda shape, dtype, held=held: np.full(shape, held, dtype))
                found.append(director.camera.street.draw(view))
        assert np.array_equal(*found), f"at {t_s:.1f} s"


def test_every_vehicle_of_the_default_drive_shows_its_plate() -> None:
    """The books of all three clips together name every plate of the script, each long enough to be read."""
    route, traffic = Route(20), Traffic(20, 7)
    cameras = {rear: drive.Camera(drive.SIZE, rear, 7) for rear in (False, True)}
    seen: dict[str, int] = {}
    for take in drive.takes(10):
        director = drive.Director(take, route, traffic, cameras[take.rear])
        for index in range(300):
            director.note(index / 30, *director.moment(index / 30))
        for plate in director.truth([]).plates:
            seen[plate.text] = seen.get(plate.text, 0) + round((plate.last_s - plate.first_s) * 30) + 1
    assert set(seen) == {plain(look.plate) for _, look, _ in traffic.vehicles}
    assert len(seen) == len(SCRIPTS)
    assert min(seen.values()) >= 12


def test_drive_stops_once_and_never_jumps() -> None:
    route = Route(20)
    poses = [route.at(t / 10) for t in range(200)]
    speeds = [pose.speed_mps for pose in poses]
    assert min(speeds) == 0
    assert max(speeds) < 15
    assert np.abs(np.diff(speeds)).max() < 1
    assert np.abs(np.diff([pose.lat for pose in poses])).max() * 111_195 < 1.5


@pytest.mark.parametrize("country", STYLES)
def test_a_plate_is_read_back_exactly(country: str) -> None:
    """RapidOCR's recogniser, the reader that the pipeline starts with, reads each layout at 24 px height."""
    ort = pytest.importorskip("onnxruntime")
    rapidocr = pytest.importorskip("rapidocr")
    session = ort.InferenceSession(str(Path(rapidocr.__file__).parent / "models/PP-OCRv6_rec_small.onnx"))
    signs = ["", *session.get_modelmeta().custom_metadata_map["character"].splitlines(), " "]
    text = make_text(STYLES[country], np.random.default_rng(7))
    picture = draw_plate(text, STYLES[country], 24 / STYLES[country].height_m)
    picture = cv2.copyMakeBorder(picture, 2, 2, 3, 3, cv2.BORDER_CONSTANT, value=(21, 21, 21))  # its holder
    large = cv2.resize(picture, (48 * picture.shape[1] // picture.shape[0], 48), interpolation=cv2.INTER_CUBIC)
    tensor = (large.transpose(2, 0, 1)[None].astype(np.float32) / 255 - 0.5) / 0.5
    best = session.run(None, {"x": tensor})[0][0].argmax(1)
    read = "".join(signs[sign] for index, sign in enumerate(best) if sign and (index == 0 or best[index - 1] != sign))
    assert plain(read).upper() == plain(text)


def test_short_clips_are_different_videos(tmp_path: Path) -> None:
    paths = short_clips(tmp_path, 30, 0.5)
    assert len({video_id(path) for path in paths}) == 30
    assert len({names.parse(path).start_local for path in paths}) == 30
    assert all(boxes.check(path) == boxes.Check("ok", 15, 15) for path in paths)
