"""The cheap look at a clip: a few numbers per keyframe, and from them the stretches that may hold a plate.

A car that drives is kept whole. For one that stands (or whose speed nobody knows) what moves and what is new in the
view is kept. Only the hopeless is rejected: when in doubt the heavy stage looks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np

from dashcam.config import PreprocessSettings
from dashcam.media.images import Image
from dashcam.records import Box, KeyframeMeasures, ProposedRegion, Span
from dashcam.vision.engines import iou
from dashcam.vision.motion import moved

SHARPNESS_WIDTH = 320
"""Sharpness is measured at this width in pixels, so that it does not depend on the camera."""
TILE = 16
"""Side of a tile in pixels, and the gray levels its brightness must vary by to count as structure."""
VARIES = 6.0
FEW = 8
"""A clip with fewer looks is not judged: too little was seen of it."""
FAR_S = 4.0
"""What happens between two looks that are further apart is not known, so such a stretch is kept."""
VIEWS = 4
"""So many views are remembered: what stands there when a car has passed is not new."""
SAME_IOU = 0.3
"""Two regions that overlap by this (intersection over union) are one thing."""


@dataclass(eq=False)
class _View:
    """What a standing car saw, and how long already. The picture stays the first: many small changes are a big one."""

    gray: Image
    seen_s: float = 0.0
    things: list[Box] = field(default_factory=list)


@dataclass(frozen=True)
class _Mark:
    """A keyframe: looked at, or passed over because the car drives."""

    t_s: float
    drives: bool
    look: KeyframeMeasures | None


class _Verdict(NamedTuple):
    """Of `Span`."""

    keep: bool
    reason: str
    still: bool = False


class Triage:
    """Takes a clip's keyframes in order, then says which stretches to keep."""

    def __init__(self, settings: PreprocessSettings = PreprocessSettings()) -> None:
        self._settings = settings
        self.looks: list[KeyframeMeasures] = []
        self._marks: list[_Mark] = []
        self._before: Image | None = None
        self._views: list[_View] = []

    def passed_over(self, t_s: float) -> None:
        """A keyframe that was not decoded, because the car drives."""
        self._marks.append(_Mark(t_s, True, None))

    def look(
        self, t_s: float, gray: Image, regions: Sequence[ProposedRegion] = (), drives: bool = False
    ) -> KeyframeMeasures:
        """Measures one small gray keyframe against what was seen before it; the first one does not move."""
        motion = 0.0 if self._before is None else moved(self._before, gray)
        fresh = self._fresh(t_s, gray, motion, [r.box for r in regions if r.score >= self._settings.region_score])
        light, focus, parts = brightness(gray), sharpness(gray), structure(gray)
        found = KeyframeMeasures(
            t_s=round(t_s, 3),
            brightness=round(light, 4),
            sharpness=round(focus, 5),
            structure=round(parts, 4),
            motion=round(motion, 5),
            fresh=fresh,
            score=round(keyframe_score(light, focus, parts, motion, regions), 3),
            regions=list(regions),
        )
        self._before = gray
        self.looks.append(found)
        self._marks.append(_Mark(t_s, drives, found))
        return found

    def _fresh(self, t_s: float, gray: Image, motion: float, things: list[Box]) -> bool:
        """Whether the view since the look before stood still and had not been seen for long; remembers it."""
        if motion >= self._settings.still:
            return False
        known = next((view for view in self._views if moved(view.gray, gray) < self._settings.still), None)
        if known is None:
            known = _View(gray, things=things)
        else:
            self._views.remove(known)
            new = [box for box in things if all(iou(box, old) < SAME_IOU for old in known.things)]
            if new:
                known.seen_s = 0.0
                known.things += new
        self._views = [known, *self._views[: VIEWS - 1]]
        fresh = known.seen_s < self._settings.new_view_s
        known.seen_s += t_s - self.looks[-1].t_s if self.looks else 0.0
        return fresh

    def spans(self, duration_s: float) -> list[Span]:
        """The clip in stretches to look at or not, without gaps from 0 to its end; `FEW` looks are not judged."""
        end_s = max([duration_s, *(mark.t_s for mark in self._marks)])
        if len(self._marks) < FEW:
            return [Span(start_s=0.0, end_s=round(end_s, 3), keep=True, reason="too few keyframes to judge")]
        found: list[Span] = []
        for i, (now, after) in enumerate(pairwise([*self._marks, None])):
            assert now is not None
            verdict = self._verdict(now, after)
            start = round(now.t_s, 3) if i else 0.0
            stop = round(after.t_s if after else end_s, 3)
            if found and (found[-1].keep, found[-1].reason) == (verdict.keep, verdict.reason):
                found[-1] = found[-1].model_copy(update={"end_s": stop})
            elif stop > start:
                found.append(Span(start_s=start, end_s=stop, **verdict._asdict()))
        return found

    def _verdict(self, now: _Mark, after: _Mark | None) -> _Verdict:
        """About the stretch from one keyframe to the next; a thing is in it when it shows at either end."""
        marks = [mark for mark in (now, after) if mark is not None]
        looks = [mark.look for mark in marks if mark.look is not None]
        if any(mark.drives for mark in marks) or not looks:
            return _Verdict(True, "drives")
        if marks[-1].t_s - now.t_s > FAR_S:
            return _Verdict(True, "keyframes too far apart")
        if reason := self._hopeless(looks):
            seen = any(region.score >= self._settings.region_score for look in looks for region in look.regions)
            return _Verdict(True, f"{reason}, but something like a plate") if seen else _Verdict(False, reason)
        if looks[-1].motion >= self._settings.still:
            return _Verdict(True, "moves")
        return _Verdict(True, "new view", still=True) if looks[-1].fresh else _Verdict(False, "nothing moves")

    def _hopeless(self, looks: Sequence[KeyframeMeasures]) -> str:
        if all(look.brightness < self._settings.too_dark for look in looks):
            return "too dark"
        if all(look.structure < self._settings.no_structure for look in looks):
            return "nothing to see"
        return "too blurred" if all(look.sharpness < self._settings.too_blurred for look in looks) else ""


def brightness(gray: Image) -> float:
    return float(np.percentile(gray, 99.9)) / 255


def sharpness(gray: Image) -> float:
    height, width = gray.shape
    if width > SHARPNESS_WIDTH:
        size = (SHARPNESS_WIDTH, max(1, round(height * SHARPNESS_WIDTH / width)))
        gray = np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return min(1.0, float(cv2.Laplacian(gray, cv2.CV_32F).var()) / 255**2)


def structure(gray: Image) -> float:
    height, width = (max(1, side // TILE) for side in gray.shape)
    exact = gray.astype(np.float32)
    mean = cv2.resize(exact, (width, height), interpolation=cv2.INTER_AREA)
    square = cv2.resize(exact * exact, (width, height), interpolation=cv2.INTER_AREA)
    return float((square - mean * mean > VARIES**2).mean())


def keyframe_score(light: float, focus: float, parts: float, motion: float, regions: Sequence[ProposedRegion]) -> float:
    """0 (hopeless) to 1: each of light, focus and structure is needed; what moves or may be a plate doubles."""
    seen = max((region.score for region in regions), default=0.0)
    visible = min(1.0, light / 0.3) * focus / (focus + 0.002) * min(1.0, parts / 0.2)
    return visible * (0.5 + 0.5 * max(min(1.0, motion / 0.05), seen))
