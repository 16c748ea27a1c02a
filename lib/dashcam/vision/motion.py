"""The cheap look: does anything move, is there light, are there edges. Works on small gray images."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from dashcam.media.images import Image
from dashcam.records import Span

WIDTH = 320
"""Frames are compared at this width in pixels."""
TOO_DARK = 0.04
TOO_BLURRED = 0.0003
STILL = 0.012
"""Below these of `Look` there is nothing for the heavy stage: no street light, no edge, no change."""
FEW = 8
"""A clip with fewer keyframes is not judged: too little was seen of it."""
FIRST_S = 10.0
"""Of a standing car's view at least this much is kept: what is parked there is in it."""


@dataclass(frozen=True)
class Look:
    """One keyframe, numbers from 0 to 1.

    ``brightness`` is that of the 98th percentile, so that a lit plate in the night counts; ``sharpness`` the variance
    of the Laplacian over 255 squared; ``motion`` the share of pixels that changed since the keyframe before.
    """

    t_s: float
    brightness: float
    sharpness: float
    motion: float


def look(t_s: float, gray: Image, before: Image | None) -> Look:
    """Measures one small gray keyframe against the one before; without one before, everything moved."""
    brightness = float(np.percentile(gray, 98)) / 255
    sharpness = min(1.0, float(cv2.Laplacian(gray, cv2.CV_32F).var()) / 255**2)
    if before is None or before.shape != gray.shape:
        return Look(t_s, brightness, sharpness, 1.0)
    return Look(t_s, brightness, sharpness, moved(before, gray))


def moved(before: Image, now: Image) -> float:
    """Share of pixels whose brightness changed by more than noise: a passing car counts, a darkening sky does not."""
    difference = cv2.blur(now, (5, 5)).astype(np.float32) - cv2.blur(before, (5, 5)).astype(np.float32)
    difference -= np.median(difference)
    return float((np.abs(difference) > 12).mean())


def spans(looks: Sequence[Look], duration_s: float) -> list[Span]:
    """The clip in stretches to look at or not, without gaps from 0 to its end.

    A keyframe speaks for the time until the next one; what moves between two keyframes shows in the second, so both
    stretches are kept. Only the hopeless is rejected: when in doubt the heavy stage looks.
    """
    end = max([duration_s, *(x.t_s for x in looks)])
    if len(looks) < FEW:
        return [Span(start_s=0.0, end_s=round(end, 3), keep=True, reason="too few keyframes to judge")]
    verdicts = [_verdict(x, looks[i + 1] if i + 1 < len(looks) else None) for i, x in enumerate(looks)]
    found: list[Span] = []
    for i, (keep, reason) in enumerate(verdicts):
        start = round(looks[i].t_s, 3) if i else 0.0
        stop = round(looks[i + 1].t_s if i + 1 < len(looks) else end, 3)
        if found and (found[-1].keep, found[-1].reason) == (keep, reason):
            found[-1] = found[-1].model_copy(update={"end_s": stop})
        elif stop > start:
            found.append(Span(start_s=start, end_s=stop, keep=keep, reason=reason))
    return found


def _verdict(now: Look, after: Look | None) -> tuple[bool, str]:
    if now.brightness < TOO_DARK and (after is None or after.brightness < TOO_DARK):
        return False, "too dark"
    if now.sharpness < TOO_BLURRED and (after is None or after.sharpness < TOO_BLURRED):
        return False, "too blurred"
    if now.motion >= STILL or (after is not None and after.motion >= STILL):
        return True, "moves"
    if now.t_s < FIRST_S:
        return True, "first seconds"
    return False, "nothing moves"
