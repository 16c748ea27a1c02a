"""The engines see what is there, in the source's own pixels, and say so when their weights are missing."""

from math import prod
from pathlib import Path

import cv2
import numpy as np
import pytest

from dashcam.vision.detect import onnx_detector as plate_detector
from dashcam.vision.detect.onnx_detector import (
    INTEGER,
    WEIGHTS,
    Letterbox,
    OnnxPlateDetector,
    default_weights,
    input_size,
    letterbox,
    plates_of,
    quickest_weights,
)  # fmt: skip
from dashcam.vision.engines import SUMS, MissingWeights, PlateText, hash_of, iou
from dashcam.vision.read import ppocr_reader as plate_reader
from dashcam.vision.read.decoding import ALPHABET, ctc_decode, fold, plate_columns
from dashcam.vision.read.ppocr_reader import PpOcrReader
from dashcam.vision.read.quality import legibility, sharpness, touches_border

COMPILED = {"plate-detector-int8_edgetpu.tflite"}
"""Made where it is used."""


@pytest.fixture(scope="module")
def detector() -> OnnxPlateDetector:
    return OnnxPlateDetector()


@pytest.fixture(scope="module")
def reader() -> PpOcrReader:
    return PpOcrReader()


def labelled(shared: Path, country: str, name: str) -> tuple[np.ndarray, tuple[int, int, int, int], str]:
    folder = shared / "data" / "openalpr-endtoend" / country
    file, x, y, w, h, text = (folder / f"{name}.txt").read_text().strip().split("\t")
    return cv2.imread(str(folder / file)), (int(x), int(y), int(x) + int(w), int(y) + int(h)), text


@pytest.mark.parametrize("name", ["car1", "us6", "wts-lg-000027", "wts-lg-000165"])
def test_a_plate_is_found_where_it_is_and_read(
    shared: Path, detector: OnnxPlateDetector, reader: PpOcrReader, name: str
) -> None:
    image, truth, text = labelled(shared, "us", name)
    best = detector.detect([image])[0][0]
    assert overlap(best.box, truth) > 0.5
    x0, y0, x1, y1 = (round(v) for v in best.box)
    found = reader.read([image[y0:y1, x0:x1]])[0]
    assert sum(a == b for a, b in zip(found.text, text, strict=False)) >= len(text) - 1
    assert [max(slot, key=lambda sign: slot[sign]) for slot in found.probabilities] == list(found.text)


def test_an_empty_street_has_no_plate(detector: OnnxPlateDetector) -> None:
    assert detector.detect([np.full((720, 1280, 3), 120, np.uint8)]) == [[]]


def test_letterbox_keeps_the_shape_and_pads_to_multiples_of_32() -> None:
    tensor, frame = letterbox(np.zeros((720, 1280, 3), np.uint8), 640)
    assert (tensor.shape, frame) == ((1, 3, 384, 640), Letterbox(0.5, 0, 12, 1280, 720))
    assert tensor[0, 0, 0, 0] == pytest.approx(114 / 255)


def test_of_several_classes_only_plates_are_given_in_the_frames_own_pixels() -> None:
    raw = np.array([[320, 320, 60], [192, 192, 60], [100, 102, 20], [50, 50, 20], [0.9, 0.8, 0.1], [0, 0, 0.9]])
    (only,) = plates_of(raw.astype(np.float32), Letterbox(0.5, 0, 12, 1280, 720), 0.25, 0.5)
    assert only.box == pytest.approx((540, 310, 740, 410)) and only.score == pytest.approx(0.9)


@pytest.mark.parametrize(("longest", "size"), [(400, 384), (640, 640), (1280, 640), (1840, 928), (3840, 960)])
def test_large_frames_are_given_a_larger_input_up_to_a_limit(longest: int, size: int) -> None:
    assert input_size(longest, 9, 640) == input_size(9, longest, 640) == size


def test_missing_and_damaged_weights_are_errors_that_name_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingWeights, match=r"gone\.onnx"):
        OnnxPlateDetector(tmp_path / "gone.onnx")
    (tmp_path / "torn.onnx").write_bytes(b"half of it")
    with pytest.raises(MissingWeights, match=r"torn\.onnx"):
        PpOcrReader(tmp_path / "torn.onnx")
    monkeypatch.setattr(plate_detector, "WEIGHTS", "other.onnx")
    with pytest.raises(MissingWeights, match=r"models/other\.onnx"):
        OnnxPlateDetector()
    monkeypatch.setattr(plate_reader, "find_spec", lambda name: None)
    with pytest.raises(MissingWeights, match="install rapidocr"):
        PpOcrReader()


def steps(path: str, probability: float = 0.9) -> np.ndarray:
    """One step per sign; ``_`` is the blank, ``.`` a sign outside the alphabet."""
    folded = np.full((len(path), 38), (1 - probability) / 37)
    for row, sign in zip(folded, path, strict=True):
        row[0 if sign == "_" else 37 if sign == "." else 1 + ALPHABET.index(sign)] = probability
    return folded


@pytest.mark.parametrize(
    ("path", "text"),
    [("AAB__B1", "ABB1"), ("A.A", "AA"), ("__", ""), ("..", ""), ("_A_A_", "AA"), ("O00O", "O0O")],
)
def test_ctc_joins_runs_and_lets_blanks_and_foreign_signs_separate(path: str, text: str) -> None:
    found = ctc_decode(steps(path))
    assert found.text == text
    assert len(found.probabilities) == len(text)
    assert found.confidence == pytest.approx(0.9 if text else 0)


def test_characters_claim_no_more_than_the_text_is_worth() -> None:
    """A reader that is sure of each character and seldom of the whole must not outvote one that knows."""
    proud, humble = ctc_decode(steps("A_B_1_2", 0.99)), ctc_decode(steps("A_B_1_2", 0.99), 1.0, -4.0)
    claims = [
        prod(slot[sign] for slot, sign in zip(read.probabilities, read.text, strict=True)) for read in (proud, humble)
    ]
    assert humble.confidence < 0.7 < proud.confidence
    assert claims[0] > 0.95 and claims[1] == pytest.approx(humble.confidence, abs=0.01)


def test_lower_case_counts_as_upper_and_the_rest_as_something_else() -> None:
    columns = plate_columns(["", "A", "a", "-", "口", "ss"])
    folded = fold(np.array([[0.1, 0.3, 0.4, 0.1, 0.05, 0.05]], np.float32), columns)
    assert folded[0, 1 + ALPHABET.index("A")] == pytest.approx(0.7)
    assert folded[0, 37] == pytest.approx(0.2)
    assert ctc_decode(folded).text == "A"


def test_a_crop_too_small_to_read_is_read_as_nothing(reader: PpOcrReader) -> None:
    assert reader.read([np.zeros((3, 40, 3), np.uint8), np.zeros((0, 0, 3), np.uint8)]) == [PlateText("", 0.0, [])] * 2


def test_only_what_is_not_sure_is_looked_at_again(reader: PpOcrReader, monkeypatch: pytest.MonkeyPatch) -> None:
    crop = np.full((48, 200, 3), 255, np.uint8)
    cv2.putText(crop, "AB12CDE", (8, 38), cv2.FONT_HERSHEY_SIMPLEX, 1.3, (0, 0, 0), 3, cv2.LINE_AA)
    heights: list[int] = []
    read = reader._read
    monkeypatch.setattr(reader, "_read", lambda crop: heights.append(len(crop)) or read(crop))
    assert reader.read([crop])[0].text == "AB12CDE"
    assert heights == [48]
    reader.read([cv2.GaussianBlur(crop, (0, 0), 12)])
    assert heights == [48, 48, 34]


def test_legibility_grows_with_size_sharpness_and_confidence_and_falls_when_cut() -> None:
    near, far = (0, 0, 120, 30), (0, 0, 40, 10)
    assert legibility(near, 0.5, 0.9, False) > legibility(far, 0.5, 0.9, False)
    assert legibility(near, 0.9, 0.9, False) > legibility(near, 0.2, 0.9, False)
    assert legibility(near, 0.5, 0.95, False) > legibility(near, 0.5, 0.5, False)
    assert legibility(near, 0.5, 0.9, False) >= 9 * legibility(near, 0.5, 0.9, True)


def test_a_blurred_crop_is_less_sharp(shared: Path) -> None:
    image, (x0, y0, x1, y1), _ = labelled(shared, "us", "us6")
    crop = image[y0:y1, x0:x1]
    assert sharpness(crop) > 1.5 * sharpness(cv2.blur(crop, (25, 1)))


def test_a_box_at_the_edge_is_cut() -> None:
    assert touches_border((0, 50, 90, 80), 1280, 720)
    assert touches_border((1190, 50, 1279, 80), 1280, 720)
    assert not touches_border((10, 50, 90, 80), 1280, 720)


def overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(0.0, w) * max(0.0, h)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


INTEGERS = default_weights().with_name(INTEGER)


@pytest.mark.parametrize(("flags", "name"), [({"avx2", "avx512_vnni"}, INTEGER), ({"avx2"}, WEIGHTS), (set(), WEIGHTS)])
def test_integers_are_for_processors_that_multiply_them_quickly(
    monkeypatch: pytest.MonkeyPatch, flags: set[str], name: str
) -> None:
    monkeypatch.setattr(plate_detector, "processor_flags", lambda: flags)
    assert quickest_weights().name == name


def test_in_integers_the_same_main_plates_are_found(shared: Path, detector: OnnxPlateDetector) -> None:
    integer = OnnxPlateDetector(INTEGERS)
    assert integer.name == detector.name
    assert integer.sha256 != detector.sha256
    for name in ("car1", "us6", "wts-lg-000027", "wts-lg-000165"):
        image, *_ = labelled(shared, "us", name)
        ours, theirs = detector.detect([image])[0][0], integer.detect([image])[0][0]
        assert iou(ours.box, theirs.box) > 0.8
        assert abs(ours.score - theirs.score) < 0.15


def test_a_small_copy_is_looked_at_as_the_whole_frame_is(shared: Path, detector: OnnxPlateDetector) -> None:
    """A frame of twice the size is worth more pixels than one of the small copy's size, and the copy has them."""
    image, *_ = labelled(shared, "us", "wts-lg-000165")
    big = cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    side = detector.side(big.shape[1], big.shape[0])
    scale = side / max(big.shape[:2])
    small = cv2.resize(big, (round(big.shape[1] * scale), round(big.shape[0] * scale)), interpolation=cv2.INTER_AREA)
    ours, theirs = detector.detect([big])[0][0], detector.detect([small], side)[0][0]
    assert iou(ours.box, tuple(v / scale for v in theirs.box)) > 0.95
    assert abs(ours.score - theirs.score) < 0.02


def test_weights_of_which_a_bit_has_flipped_are_refused(tmp_path: Path) -> None:
    """They load and find plates; only not the same ones."""
    for name in (WEIGHTS, SUMS):
        (tmp_path / name).write_bytes((default_weights().parent / name).read_bytes())
    data = bytearray((tmp_path / WEIGHTS).read_bytes())
    data[len(data) // 2] ^= 0x10
    (tmp_path / WEIGHTS).write_bytes(data)
    with pytest.raises(MissingWeights, match="are not those that SHA256SUMS beside them tells of"):
        OnnxPlateDetector(tmp_path / WEIGHTS)
    (tmp_path / SUMS).unlink()
    OnnxPlateDetector(tmp_path / WEIGHTS)


def test_the_shipped_weights_are_those_of_the_list() -> None:
    folder = default_weights().parent
    listed = {line.split()[1] for line in (folder / SUMS).read_text().splitlines()}
    assert listed == {one.name for one in folder.iterdir() if one.suffix in (".onnx", ".pt", ".tflite")} - COMPILED
    for name in listed:
        hash_of(folder / name, (folder / name).read_bytes())
