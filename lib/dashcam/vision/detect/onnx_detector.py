"""The project's plate detector: a YOLO network whose first class is the plate, in ONNX Runtime."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dashcam.media.images import Image
from dashcam.vision.engines import Detection, load_onnx, shipped_weights

WEIGHTS = "plate-detector.onnx"
INTEGER = "plate-detector-int8.onnx"
VNNI = {"avx512_vnni", "avx_vnni"}
"""Processors without these multiply bytes slower than floats, and less exactly."""
STRIDE = 32
PAD = 114
MIN_SCORE = 0.35
"""Of what the project's networks are less sure of most is no plate (training/JOURNAL.md)."""


def default_weights() -> Path:
    """``models/plate-detector.onnx`` of the checkout. Raises `MissingWeights`."""
    return shipped_weights(WEIGHTS, "restore it from the repository or set detector_weights")


def quickest_weights() -> Path:
    """Of the checkout's weights those for this processor; both find plates alike (benchmarks/JOURNAL.md).

    Raises `MissingWeights`.
    """
    weights = default_weights()
    integer = weights.with_name(INTEGER)
    return integer if integer.is_file() and VNNI & processor_flags() else weights


def processor_flags() -> set[str]:
    """What Linux says an x86 processor can do; nothing elsewhere."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("flags"):
                return set(line.partition(":")[2].split())
    return set()


class OnnxPlateDetector:
    """Letterbox, network, non-maximum suppression.

    ``size`` is the longest side of the network's input in pixels; a frame of more than twice that is given up to half
    as much again, because its far plates are worth it (a 1376 x 1840 clip lost one car of two at 640, none at 960).
    The input is as small as the frame's shape allows, so a 16:9 frame costs 9/16 of a square. The network
    (ultralytics' export) gives ``1 x (4 + classes) x N``, see `plates_of`.
    """

    def __init__(
        self,
        weights: Path | None = None,
        *,
        size: int = 640,
        threads: int = 0,
        min_score: float = MIN_SCORE,
        max_iou: float = 0.5,
    ) -> None:
        path = weights or default_weights()
        self.name = path.stem.removesuffix("-int8")
        self.size = size
        self.min_score = min_score
        self.max_iou = max_iou
        self._session, self.sha256 = load_onnx(path, threads)
        self._input = self._session.get_inputs()[0].name

    def side(self, width: int, height: int) -> int:
        return input_size(width, height, self.size)

    def detect(self, images: Sequence[Image], side: int | None = None) -> list[list[Detection]]:
        # one by one: a batch is no quicker on a CPU and takes its size in memory
        return [self._detect(image, side or self.side(image.shape[1], image.shape[0])) for image in images]

    def _detect(self, image: Image, side: int) -> list[Detection]:
        tensor, frame = letterbox(image, side)
        raw = np.asarray(self._session.run(None, {self._input: tensor})[0])[0]
        return plates_of(raw, frame, self.min_score, self.max_iou)


def input_size(width: int, height: int, size: int) -> int:
    """Longest side of the network's input for this frame: half the frame's, but 1 to 1.5 ``size``, and never more than
    the frame has (enlarged ones cost time and precision: openalpr eu 0.82 instead of 0.93); a multiple of 32."""
    longest = max(width, height)
    wanted: float = min(max(longest / 2, size), 1.5 * size, longest)
    return max(STRIDE, round(wanted / STRIDE) * STRIDE)


@dataclass(frozen=True)
class Letterbox:
    """Where a frame of ``width`` x ``height`` lies in the network's input."""

    scale: float
    left: int
    top: int
    width: int
    height: int


def letterbox(image: Image, size: int, *, square: bool = False) -> tuple[NDArray[np.float32], Letterbox]:
    """``1 x 3 x H x W`` RGB in 0..1, longest side ``size``, padded with 114 to multiples of 32 (or to a square)."""
    height, width = image.shape[:2]
    scale = size / max(height, width)
    new_w, new_h = max(1, round(width * scale)), max(1, round(height * scale))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(image, (new_w, new_h), interpolation=interpolation)
    more_w, more_h = (size - new_w, size - new_h) if square else (-new_w % STRIDE, -new_h % STRIDE)
    left, top = more_w // 2, more_h // 2
    canvas = np.full((new_h + more_h, new_w + more_w, 3), PAD, np.uint8)
    canvas[top : top + new_h, left : left + new_w] = small
    tensor: NDArray[np.float32] = np.ascontiguousarray(canvas[:, :, ::-1].transpose(2, 0, 1)[None], dtype=np.float32)
    tensor /= 255
    return tensor, Letterbox(scale, left, top, width, height)


def plates_of(raw: NDArray[np.float32], frame: Letterbox, min_score: float, max_iou: float) -> list[Detection]:
    """The plates among ``(4 + classes) x N`` raw answers (``cx, cy, w, h`` in input pixels, then a score for each
    class, plates first): those sure enough, without their doubles, in pixels of the frame, best first."""
    raw = raw[:5, raw[4] >= min_score]
    if not raw.shape[1]:
        return []
    cx, cy, w, h, score = raw
    x0, y0 = (cx - w / 2 - frame.left) / frame.scale, (cy - h / 2 - frame.top) / frame.scale
    boxes = np.stack([x0, y0, w / frame.scale, h / frame.scale], axis=1)
    keep = cv2.dnn.NMSBoxes(boxes.tolist(), score.tolist(), min_score, max_iou)
    found = [inside(boxes[i], float(score[i]), frame.width, frame.height) for i in np.asarray(keep).flatten()]
    return sorted((d for d in found if d), key=lambda d: (-d.score, d.box))


def inside(xywh: NDArray[np.float32], score: float, width: int, height: int) -> Detection | None:
    """The part of a box that lies in the frame; None when next to nothing does."""
    x, y, w, h = (float(v) for v in xywh)
    x0, y0 = max(0.0, x), max(0.0, y)
    x1, y1 = min(float(width), x + w), min(float(height), y + h)
    return Detection((x0, y0, x1, y1), score) if x1 - x0 >= 2 and y1 - y0 >= 2 else None
