"""A plate's crop, cut and turned by where its characters stand."""

import cv2
import numpy as np
from numpy.typing import NDArray

from dashcam.media.images import Image

Points = NDArray[np.floating]
"""N x 2: x and y."""
FEWEST = 4
"""Characters that tell where a plate's lines are."""
BESIDE, ABOVE = 1.2, 1.8
"""What is kept beside the outermost characters' middles, and above and below the lines', in distances from one
character to the next. Closer cuts characters: of 376 American crops 81 % are right at 1.1 and 1.3
alone, 86 % at 1.3 and 1.6."""
STEEPEST = 0.5
SMALLEST = 6
"""Pixels of a side under which nothing is left to read."""


def rectified(crop: Image, places: Points) -> Image | None:
    """``crop`` (H x W) with its lines level and little beside them; ``places`` are the characters' middles in reading
    order, as shares of its width and height. None where these are too few, or no one or two lines."""
    if len(places) < FEWEST:
        return None
    height, width = crop.shape[:2]
    x, y = places[:, 0] * width, places[:, 1] * height
    lines = lines_of(x)
    if len(lines) > 2 or min(len(line) for line in lines) < 2:
        return None
    slope = float(np.clip(slope_of(x, y, lines), -STEEPEST, STEEPEST))
    middle = float(x.min() + x.max()) / 2
    level = y - slope * (x - middle)
    apart = float(np.mean(np.concatenate([np.diff(x[line]) for line in lines])))
    x0, x1 = int(max(0, x.min() - BESIDE * apart)), int(min(width, np.ceil(x.max() + BESIDE * apart)))
    y0 = int(max(0, level[lines[0]].mean() - ABOVE * apart))
    y1 = int(min(height, np.ceil(level[lines[-1]].mean() + ABOVE * apart)))
    if min(x1 - x0, y1 - y0) < SMALLEST:
        return None
    shear = np.array([(1, 0, 0), (-slope, 1, slope * middle)])
    turned = cv2.warpAffine(crop, shear, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned[y0:y1, x0:x1], dtype=np.uint8)


def lines_of(x: Points) -> list[NDArray[np.intp]]:
    """The characters of each line: a new one begins where the next does not stand to the right."""
    return np.split(np.arange(len(x)), np.flatnonzero(np.diff(x) <= 0) + 1)


def slope_of(x: Points, y: Points, lines: list[NDArray[np.intp]]) -> float:
    """The slope that all lines have in common (least squares)."""
    along = [x[line] - x[line].mean() for line in lines]
    down = [y[line] - y[line].mean() for line in lines]
    return float(sum((a * d).sum() for a, d in zip(along, down, strict=True)) / sum((a * a).sum() for a in along))
