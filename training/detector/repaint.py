"""Other plates on the cars of a training picture: photographed crops of many countries, in boxes that people drew."""

from bisect import bisect_left
from collections import defaultdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.detector.weather import Pixels
from training.reader.photographs import listed

SHARE = 0.25
"""Of the plates that get another's face."""
SMALLEST = 16
"""Pixels; a narrower plate shows nothing of its country."""
NEAR = 1.3
"""How much wider or narrower, against its height, the other plate may be."""


class OtherPlates:
    """A transform of ultralytics' pipeline: ``labels["img"]`` is H x W x 3 BGR, boxes stay where they are.

    None of the crops is one that the reader's measurements hold back, and none is of openalpr-endtoend.
    """

    def __init__(self, data: Path) -> None:
        self._of: dict[str, list[tuple[float, Path]]] = defaultdict(list)
        """Of each source its crops with their width to height, narrowest first."""
        for crop in listed(data):
            if not crop.held_out:
                width, height = Image.open(crop.image).size
                self._of[crop.source].append((width / height, crop.image))
        for crops in self._of.values():
            crops.sort()

    def __call__(self, labels: dict[str, Any]) -> dict[str, Any]:
        rng = np.random.default_rng(int(np.random.randint(2**31)))
        height, width = labels["img"].shape[:2]
        boxes = labels["instances"]
        boxes.convert_bbox("xyxy")
        boxes.denormalize(width, height)
        self.paint(labels["img"], boxes.bboxes[labels["cls"].flatten() == 0], rng)
        return labels

    def paint(self, image: Pixels, plates: NDArray[np.floating[Any]], rng: np.random.Generator) -> None:
        """Changes ``image`` inside some of the boxes (N x 4: x0, y0, x1, y1 in pixels)."""
        height, width = image.shape[:2]
        for box in plates[rng.random(len(plates)) < SHARE]:
            x0, y0, x1, y1 = (int(v) for v in np.clip(np.rint(box), 0, (width, height, width, height)))
            if x1 - x0 >= SMALLEST and y1 - y0 >= SMALLEST / 3:
                self._repaint(image[y0:y1, x0:x1], rng)

    def _repaint(self, place: Pixels, rng: np.random.Generator) -> None:
        rows, columns = place.shape[:2]
        fitting = [found for crops in self._of.values() if (found := _near(crops, columns / rows))]
        if not fitting:
            return
        crops = fitting[rng.integers(len(fitting))]
        crop = cv2.imread(str(crops[rng.integers(len(crops))][1]))
        small = cv2.resize(crop, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
        small *= np.clip(place.mean() / max(small.mean(), 1), 0.4, 1.8)
        border = min(rows, columns) // 10
        mask = np.zeros((rows, columns, 1), np.float32)
        mask[border : rows - border, border : columns - border] = 1
        mask = cv2.blur(mask, (2 * border + 1, 2 * border + 1))[:, :, None]
        place[:] = np.clip(small * mask + place * (1 - mask), 0, 255).astype(np.uint8)


def _near(crops: list[tuple[float, Path]], aspect: float) -> list[tuple[float, Path]]:
    return crops[bisect_left(crops, (aspect / NEAR,)) : bisect_left(crops, (aspect * NEAR,))]
