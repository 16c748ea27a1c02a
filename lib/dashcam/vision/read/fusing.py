"""The crops of one small plate as one picture: laid over each other and averaged.

What all looks show stays; noise, smear and the codec's blocks, which each look has its own of, fade. Every pixel is a
mean of pixels that the camera took; none is made up. Laid over each other by the enhanced correlation coefficient
(Evangelidis and Psarakis 2008), which does not mind that one look is lighter than another.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dashcam.media.images import Image

HEIGHT = 48
"""Rows of the fused picture, those that PP-OCR reads at: of 180 drawn plates 5 are misread; at 32 rows 9, at 64, which
takes half as long again to align, 5."""
SAME = 0.5
"""Correlation under which a crop shows something else, or was laid wrongly, and is left out."""
STEPS = cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 1e-3
BLUR = 5
"""Pixels that are smoothed over while crops are aligned; what is averaged is not smoothed."""
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class PlateLook:
    """``image`` with the plate in ``place`` of it (x0, y0, x1, y1) and something around."""

    image: Image
    place: tuple[int, int, int, int]


def fused(looks: Sequence[PlateLook]) -> tuple[Image, int]:
    """The plate as all looks have it together, placed as in the first of them, and how many of them fit."""
    x0, y0, x1, y1 = looks[0].place
    size = max(1, round((x1 - x0) * HEIGHT / (y1 - y0))), HEIGHT
    first = _laid(looks[0], _by_place(looks[0], size), size)
    layers = [first]
    wanted = cv2.cvtColor(first, cv2.COLOR_BGR2GRAY)
    for look in looks[1:]:
        try:
            alike, moved = cv2.findTransformECC(
                wanted, cv2.cvtColor(look.image, cv2.COLOR_BGR2GRAY).astype(np.float32), _by_place(look, size),
                cv2.MOTION_AFFINE, STEPS, None, BLUR,
            )  # fmt: skip
        except cv2.error:  # no common ground was found
            continue
        if alike >= SAME:
            layers.append(_laid(look, np.asarray(moved, np.float32), size))
    return np.clip(np.mean(layers, axis=0), 0, 255).astype(np.uint8), len(layers)


def _by_place(look: PlateLook, size: tuple[int, int]) -> Floats:
    """Where in the look a pixel of the fused picture is, by its box alone."""
    x0, y0, x1, y1 = look.place
    x, y = (x1 - x0) / size[0], (y1 - y0) / size[1]
    return np.array([(x, 0, x0 + (x - 1) / 2), (0, y, y0 + (y - 1) / 2)], np.float32)


def _laid(look: PlateLook, place: Floats, size: tuple[int, int]) -> Floats:
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    laid = cv2.warpAffine(look.image.astype(np.float32), place, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(laid, np.float32)
