"""Where plates and vehicles may be, from a small picture of each keyframe: coarse, cheap, where an engine is."""

import math
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from dashcam.config import DeviceSettings
from dashcam.config.model import CoralSettings
from dashcam.media.images import Image
from dashcam.records import Proposals, ProposedRegion, RegionKind
from dashcam.vision.detect.onnx_detector import PAD
from dashcam.vision.detect.tflite_detector import TfliteNetwork, has_driver, weights_for
from dashcam.vision.engines import MissingWeights

MIN_SCORE, MAX_IOU = 0.25, 0.5
KINDS: tuple[RegionKind, ...] = get_args(RegionKind)


class PlateProposer:
    """The integer network on as many squares as the picture is long. Raises `MissingWeights`, `EngineLost`."""

    def __init__(
        self, weights: Path, *, edge_tpu: bool = False, coral: CoralSettings | None = None, threads: int = 1
    ) -> None:
        self._network = TfliteNetwork(weights, edge_tpu=edge_tpu, coral=coral, threads=threads)
        self.engine: Proposals = "edgetpu" if edge_tpu else "tflite-cpu"
        self.sha256 = self._network.sha256

    def regions(self, picture: Image, scale: float) -> list[ProposedRegion]:
        """Plates and vehicles in an RGB picture, surest first; boxes are divided by ``scale``, its size over the
        source's."""
        size = self._network.size
        height, width = picture.shape[:2]
        more = (0, max(0, size - height), 0, max(0, size - width))
        padded = np.asarray(cv2.copyMakeBorder(picture, *more, cv2.BORDER_CONSTANT, value=(PAD, PAD, PAD)), np.uint8)
        boxes, scores = [], []
        for x, y in squares(padded.shape[1], padded.shape[0], size):
            square = padded[y : y + size, x : x + size]
            found, sure = self._network.answers(np.ascontiguousarray(square.transpose(2, 0, 1)[None]))
            likely = sure.max(axis=0) >= MIN_SCORE
            corners = found[:2, likely] - found[2:, likely] / 2 + np.array([[x], [y]], np.float32)
            boxes.append(np.concatenate([corners, found[2:, likely]]))
            scores.append(sure[:, likely])
        return _chosen(np.concatenate(boxes, axis=1), np.concatenate(scores, axis=1), (width, height), scale)


def proposer_of(device: DeviceSettings) -> PlateProposer | None:
    """The engine that the device's ``proposals`` asks for.

    ``auto``: the Coral where the device has a ``coral`` section, or where driver, stick and compiled network are found;
    else LiteRT on the CPU where it is installed; else none. A Coral that was asked for and does not answer raises
    `MissingWeights`.
    """
    wanted, named = device.proposals, device.detector_weights
    if wanted == "none":
        return None
    if wanted == "edgetpu" or (wanted == "auto" and device.coral is not None):
        return PlateProposer(weights_for(named, edge_tpu=True), edge_tpu=True, coral=device.coral)
    if wanted == "auto":
        if find_spec("ai_edge_litert") is None:
            return None
        if has_driver() and weights_for(named, edge_tpu=True).is_file():
            try:
                return PlateProposer(weights_for(named, edge_tpu=True), edge_tpu=True)
            except MissingWeights:  # a driver without a stick
                pass
    return PlateProposer(weights_for(named, edge_tpu=False), threads=device.threads or 1)


def squares(width: int, height: int, size: int) -> list[tuple[int, int]]:
    """Upper left corners of the squares of that size that cover the picture, evenly spread."""
    return [(x, y) for y in _steps(height, size) for x in _steps(width, size)]


def _steps(length: int, size: int) -> list[int]:
    count = math.ceil(length / size)
    return [round(i * (length - size) / max(1, count - 1)) for i in range(count)]


def _chosen(
    xywh: NDArray[np.float32], scores: NDArray[np.float32], size: tuple[int, int], scale: float
) -> list[ProposedRegion]:
    """Plates and vehicles without their doubles: ``4 x N`` corners and sizes, ``classes x N`` scores."""
    found = []
    for kinds in (range(1), range(1, scores.shape[0])):
        best = scores[kinds.start : kinds.stop].max(axis=0)
        for i in np.asarray(cv2.dnn.NMSBoxes(xywh.T.tolist(), best.tolist(), MIN_SCORE, MAX_IOU)).flatten():
            x, y, w, h = (float(value) for value in xywh[:, i])
            x0, y0, x1, y1 = max(0.0, x), max(0.0, y), min(size[0], x + w), min(size[1], y + h)
            if x1 > x0 and y1 > y0:
                kind = KINDS[kinds.start + int(scores[kinds.start : kinds.stop, i].argmax())]
                box = (round(x0 / scale, 1), round(y0 / scale, 1), round(x1 / scale, 1), round(y1 / scale, 1))
                found.append(ProposedRegion(kind=kind, box=box, score=round(float(best[i]), 3)))
    return sorted(found, key=lambda region: (-region.score, region.box))
