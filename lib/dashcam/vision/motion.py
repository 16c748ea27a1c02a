"""What changed between two looks at the same scene, on small gray images."""

import cv2
import numpy as np

from dashcam.media.images import Image

LEVELS = 12
"""Gray levels; less is noise of the sensor or of the encoder."""


def moved(before: Image, now: Image) -> float:
    """Share of the picture that the largest thing takes whose brightness changed by more than noise.

    A passing car counts, in its old and its new place; leaves in the wind, rain and grain are many small things, and a
    darkening sky changes everything alike.
    """
    if before.shape != now.shape:
        return 1.0
    difference = cv2.subtract(cv2.blur(now, (5, 5)), cv2.blur(before, (5, 5)), dtype=cv2.CV_16S)
    difference -= np.int16(np.median(difference[::4, ::4]))
    changed = (np.abs(difference) > LEVELS).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(changed, connectivity=8)
    return float(stats[1:, cv2.CC_STAT_AREA].max() / changed.size) if count > 1 else 0.0
