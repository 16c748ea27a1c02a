"""The engines of other devices answer as the CPU does. Run by `make test-torch`: extras gpu and jetson."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from dashcam.evaluate.layouts import labelled
from dashcam.evaluate.measure import edits
from dashcam.media.images import Image
from dashcam.vision.detect.onnx_detector import OnnxPlateDetector, default_weights
from dashcam.vision.engines import Detection, iou

pytest.importorskip("torch", reason="the extra gpu is not installed: make test-torch")
pytest.importorskip("ai_edge_litert", reason="the extra jetson is not installed: make test-torch")

from dashcam.vision.detect.tflite_detector import TfliteDetector
from dashcam.vision.detect.ultralytics_detector import UltralyticsDetector
from dashcam.vision.read.easyocr_reader import EasyOcrReader, main_line

MODELS = default_weights().parent


@pytest.fixture(scope="module")
def pictures(shared: Path) -> list[Image]:
    files = sorted((shared / "data/openalpr-endtoend/eu").rglob("*.jpg"))[:24]
    return [image for file in files if (image := cv2.imread(str(file))) is not None]


@pytest.fixture(scope="module")
def told(pictures: list[Image]) -> list[list[Detection]]:
    return OnnxPlateDetector().detect(pictures)


def test_ultralytics_on_torch_answers_as_onnx_does(pictures: list[Image], told: list[list[Detection]]) -> None:
    torch_ones = UltralyticsDetector(MODELS / "plate-detector.pt", device="cpu", batch=4).detect(pictures)
    for ours, theirs in zip(told, torch_ones, strict=True):
        sure = [d for d in ours if d.score >= 0.3]
        assert len(sure) <= len(theirs)
        for mine in sure:
            other = max(theirs, key=lambda d: iou(d.box, mine.box))
            assert np.abs(np.subtract(other.box, mine.box)).max() <= 2
            assert abs(other.score - mine.score) <= 0.02


def test_the_integer_network_finds_the_same_main_plates(pictures: list[Image], told: list[list[Detection]]) -> None:
    integer = TfliteDetector(MODELS / "plate-detector-int8.tflite").detect(pictures)
    mains = [(ours[0], theirs) for ours, theirs in zip(told, integer, strict=True) if ours and ours[0].score >= 0.5]
    assert len(mains) >= 15
    hits = [any(iou(mine.box, d.box) >= 0.5 for d in theirs) for mine, theirs in mains]
    assert sum(hits) >= 0.9 * len(hits)


@pytest.fixture(scope="module")
def easyocr(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> EasyOcrReader:
    folder = tmp_path_factory.mktemp("easyocr")
    made = subprocess.run([sys.executable, shared / "tools/easyocr_weights.py", folder], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr[-500:]
    return EasyOcrReader(folder, device="cpu")


def test_easyocr_is_of_use_on_plates(shared: Path, easyocr: EasyOcrReader) -> None:
    """Plain EasyOCR reads 13 % of these whole (../shared/data/README.md)."""
    truths = labelled(shared / "data/openalpr-endtoend/br").pictures[:40]
    wrong = []
    for truth in truths:
        x0, y0, x1, y1 = (round(v) for v in truth.boxes[0])
        image = cv2.imread(str(truth.file))
        (found,) = easyocr.read([image[y0:y1, x0:x1]])
        assert [max(slot, key=lambda sign: slot[sign]) for slot in found.probabilities] == list(found.text)
        wrong.append(edits(found.text, truth.text or ""))
    assert sum(w == 0 for w in wrong) >= 0.3 * len(wrong), wrong
    assert sum(w <= 2 for w in wrong) >= 0.6 * len(wrong), wrong


def test_the_main_line_is_the_number_not_the_state() -> None:
    plate = np.full((100, 200), 230, np.uint8)
    cv2.putText(plate, "STATE", (70, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.4, 20, 1)
    cv2.putText(plate, "ABC1234", (12, 70), cv2.FONT_HERSHEY_SIMPLEX, 1.4, 20, 4)
    line = main_line(plate)
    assert 30 <= line.shape[0] <= 60
