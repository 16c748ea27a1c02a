"""How well a crop can be read: numbers from 0 to 1 that rank and weigh, before and after reading."""

from math import exp, log

import cv2
import numpy as np

from dashcam.media.images import Image
from dashcam.records import Box

READ_HEIGHT = 32
"""Crops are compared at this height in pixels, so that sharpness does not depend on distance."""
STROKES = np.array([[1.0, -2.0, 1.0]], dtype=np.float32)


def sharpness(crop: Image) -> float:
    """0 (smear) to 1 (crisp strokes): how much of the brightness's variance changes from pixel to pixel along a line.

    The Laplacian's horizontal half, at one height: a moving car smears sideways, which leaves a plate's long edges
    sharp.
    """
    gray = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY) if crop.ndim == 3 else crop
    width = max(8, round(gray.shape[1] * READ_HEIGHT / max(1, gray.shape[0])))
    small = cv2.resize(gray, (min(width, 8 * READ_HEIGHT), READ_HEIGHT), interpolation=cv2.INTER_AREA).astype(
        np.float32
    )
    detail = float(cv2.filter2D(small, -1, STROKES).var()) / (float(small.var()) + 50)
    return detail / (detail + 0.2)


def size_term(box: Box) -> float:
    """0 at 8 pixels of height, 1 from 28 on; strokes of a plate are about a tenth of its height."""
    return float(np.clip((box[3] - box[1] - 8) / 20, 0, 1))


def touches_border(box: Box, width: int, height: int, margin: float = 2) -> bool:
    """Whether the frame's edge cuts the box, so that what is read may be a fragment."""
    return box[0] <= margin or box[1] <= margin or box[2] >= width - margin or box[3] >= height - margin


def crop_quality(box: Box, crop_sharpness: float, score: float) -> float:
    """How well a crop will be read, before it is; ranks the crops of one track."""
    return score * crop_sharpness * (0.05 + size_term(box)) * float(np.sqrt(max(0.0, box[3] - box[1])))


def legibility(box: Box, crop_sharpness: float, confidence: float, cut: bool) -> float:
    """The weight of a read in a vote: size, sharpness and the reader's confidence; a cut plate counts a tenth."""
    value = (0.1 + 0.9 * size_term(box)) * float(np.sqrt(crop_sharpness)) * confidence**2
    return round(min(1.0, value) * (0.1 if cut else 1.0), 4)


def calibrated(chance: float, scale: float, shift: float) -> float:
    """``chance``, a product of probabilities, as the share that comes true: a line in log-odds (Platt 1999)."""
    kept = min(max(chance, 1e-6), 1 - 1e-6)
    return 1 / (1 + exp(-(scale * log(kept / (1 - kept)) + shift)))
