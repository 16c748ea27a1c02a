"""The detectors and readers that can be measured, by name, and the reference pair that others would use."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dashcam.evaluate.layouts import Unusable
from dashcam.media.images import Image
from dashcam.vision.detect.onnx_detector import OnnxPlateDetector, quickest_weights
from dashcam.vision.detect.zoom import DOUBTED, ZoomedDetector
from dashcam.vision.engines import Detection, Detector, MissingWeights, PlateReader, PlateText, load_onnx
from dashcam.vision.read.fixed_slot_reader import FixedSlotReader, text_of
from dashcam.vision.read.ppocr_reader import PpOcrReader
from dashcam.vision.track.pipeline import READ_MARGIN

PEER_DETECTOR = "yolo-v9-t-416-license-plates-end2end1.onnx"
PEER_READER = "cct_xs_v2_global.onnx"


@dataclass(frozen=True)
class Engines:
    """``margin``: what is added around a found box before it is read, shares of its width and height. ``second`` is
    asked where the reader doubts."""

    detector: Detector
    reader: PlateReader
    margin: tuple[float, float]
    second: PlateReader | None = None


def engines(name: str, threads: int = 0) -> Engines:
    """``auto`` is what the pipeline uses, ``own`` the same without a second reader.

    Raises `Unusable` for a name that is not known, `MissingWeights`.
    """
    if name not in ENGINES:
        raise Unusable(f"There is no engine {name!r}: the engines are {', '.join(ENGINES)}.")
    return ENGINES[name](threads)


def _ppocr(threads: int) -> Engines:
    return Engines(OnnxPlateDetector(threads=threads), PpOcrReader(threads=threads), READ_MARGIN)


def _auto(threads: int) -> Engines:
    return replace(_own(threads), second=PpOcrReader(threads=threads))


def _own(threads: int) -> Engines:
    detector = ZoomedDetector(OnnxPlateDetector(quickest_weights(), threads=threads, min_score=DOUBTED))
    return Engines(detector, FixedSlotReader(threads=threads), READ_MARGIN)


def _peer(threads: int) -> Engines:
    folder = Path(os.environ.get("DASHCAM_SHARED") or Path(__file__).parents[4] / "shared") / "models"
    if not folder.is_dir():
        raise MissingWeights(f"The reference weights are not at {folder}: set DASHCAM_SHARED to the shared folder.")
    return Engines(PeerDetector(folder / PEER_DETECTOR, threads), PeerReader(folder / PEER_READER, threads), (0, 0))


ENGINES: Mapping[str, Callable[[int], Engines]] = {"auto": _auto, "own": _own, "ppocr": _ppocr, "peer": _peer}


class PeerDetector:
    """open-image-models' YOLOv9-t: ``1 x 3 x 416 x 416`` RGB in 0..1, letterboxed, to ``n x 7``
    (batch, x0, y0, x1, y1, class, score), after non-maximum suppression."""

    def __init__(self, weights: Path, threads: int = 0, size: int = 416, min_score: float = 0.25) -> None:
        self.name = weights.stem
        self._size, self._min_score = size, min_score
        self._session, self.sha256 = load_onnx(weights, threads)
        self._input = self._session.get_inputs()[0].name

    def side(self, width: int, height: int) -> int:
        return self._size

    def detect(self, images: Sequence[Image], side: int | None = None) -> list[list[Detection]]:
        return [self._detect(image) for image in images]

    def _detect(self, image: Image) -> list[Detection]:
        tensor, scale, left, top = _square(image, self._size)
        height, width = image.shape[:2]
        found = []
        for row in np.asarray(self._session.run(None, {self._input: tensor})[0]):
            x0, y0, x1, y1 = ((float(v) - pad) / scale for v, pad in zip(row[1:5], (left, top, left, top), strict=True))
            box = max(0.0, x0), max(0.0, y0), min(float(width), x1), min(float(height), y1)
            if row[6] >= self._min_score and box[2] > box[0] and box[3] > box[1]:
                found.append(Detection(box, float(row[6])))
        return sorted(found, key=lambda d: (-d.score, d.box))


class PeerReader:
    """fast-plate-ocr's CCT-XS v2: ``N x 64 x 128 x 3`` RGB, 8 bits, stretched, to ``plate`` N x 10 x 37 (0-9A-Z_)."""

    def __init__(self, weights: Path, threads: int = 0) -> None:
        self.name = weights.stem
        self._session, self.sha256 = load_onnx(weights, threads)

    def read(self, crops: Sequence[Image]) -> list[PlateText]:
        return [self._read(crop) for crop in crops]

    def _read(self, crop: Image) -> PlateText:
        given = cv2.cvtColor(cv2.resize(crop, (128, 64)), cv2.COLOR_BGR2RGB)[None]
        return text_of(np.asarray(self._session.run(["plate"], {"input": given})[0])[0])


def _square(image: Image, size: int) -> tuple[NDArray[np.float32], float, int, int]:
    height, width = image.shape[:2]
    scale = size / max(height, width)
    new_w, new_h = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (size - new_w) // 2, (size - new_h) // 2
    canvas = np.full((size, size, 3), 114, np.uint8)
    canvas[top : top + new_h, left : left + new_w] = cv2.resize(image, (new_w, new_h))
    tensor = np.ascontiguousarray(canvas[:, :, ::-1].transpose(2, 0, 1)[None], dtype=np.float32) / np.float32(255)
    return tensor, scale, left, top
