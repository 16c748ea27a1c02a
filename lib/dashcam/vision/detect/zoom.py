"""The zoomed second detection of what a detector doubts: a plate stays one at another scale, a head lamp, a sticker or
a sign seldom does."""

from collections.abc import Sequence

import numpy as np

from dashcam.media.images import Image
from dashcam.records import Box
from dashcam.vision.detect.onnx_detector import MIN_SCORE
from dashcam.vision.engines import Detection, Detector, iou

DOUBTED, TRUSTED = 0.15, 0.7
"""Scores between which a box is looked at again."""
MOST_ZOOMED = 4
"""Boxes of a picture that are, the likeliest."""
AROUND, TALL = 5.0, 0.6
"""Width of the part that is looked at, in widths of the box (or twice its heights), and its height to that. A square of
320 pixels decides alike from a score of 0.35 on and costs the stage twice as much."""
ZOOM_SIDE = 288
"""Pixels that its width has for the network."""
SAME_IOU = 0.4
"""IoU from which the second look speaks of the same thing."""
DUPLICATE_IOU = 0.5
"""IoU of two boxes from which they are one plate."""


class ZoomedDetector:
    """A `Detector` around another one, which has to tell everything from a score of `DOUBTED` on. The score of a box in
    doubt is the mean of both looks', its place that of the second."""

    def __init__(self, detector: Detector, min_score: float = MIN_SCORE) -> None:
        self._detector = detector
        self._min_score = min_score
        self.name, self.sha256 = detector.name, detector.sha256

    def side(self, width: int, height: int) -> int:
        return self._detector.side(width, height)

    def detect(self, images: Sequence[Image], side: int | None = None) -> list[list[Detection]]:
        found = self._detector.detect(images, side)
        return [self._decided(image, of_it) for image, of_it in zip(images, found, strict=True)]

    def _decided(self, image: Image, found: Sequence[Detection]) -> list[Detection]:
        sure = [one for one in found if one.score >= TRUSTED]
        doubted = [one for one in found if one.score < TRUSTED]
        told = [*sure, *(self._zoomed(image, one) for one in doubted[:MOST_ZOOMED]), *doubted[MOST_ZOOMED:]]
        kept: list[Detection] = []
        for one in sorted(told, key=lambda d: (-d.score, d.box)):
            if one.score >= self._min_score and all(iou(one.box, other.box) < DUPLICATE_IOU for other in kept):
                kept.append(one)
        return kept

    def _zoomed(self, image: Image, one: Detection) -> Detection:
        x0, y0, x1, y1 = zoom_window(one.box, image.shape[1], image.shape[0])
        (found,) = self._detector.detect([np.ascontiguousarray(image[y0:y1, x0:x1])], ZOOM_SIDE)
        same = [d for d in (f.moved(x0, y0) for f in found) if iou(d.box, one.box) >= SAME_IOU]
        second = max(same, key=lambda d: d.score, default=Detection(one.box, 0.0))
        return Detection(second.box, (one.score + second.score) / 2)


def zoom_window(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """What is around ``box``, as far as it lies in a picture of that size: x0, y0, x1, y1."""
    dx = max(box[2] - box[0], 2 * (box[3] - box[1])) * AROUND / 2
    dy = dx * TALL
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return int(max(0, x - dx)), int(max(0, y - dy)), int(min(width, x + dx)), int(min(height, y + dy))
