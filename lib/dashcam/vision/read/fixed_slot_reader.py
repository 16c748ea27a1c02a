"""The project's own plate reader (training/reader): one distribution per character slot, in ONNX Runtime."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dashcam.media.images import Image
from dashcam.vision.engines import MissingWeights, PlateText, load_onnx, shipped_weights
from dashcam.vision.read.decoding import ALPHABET, leading
from dashcam.vision.read.quality import calibrated
from dashcam.vision.read.rectify import rectified

WEIGHTS = "plate-reader.onnx"
BLANK = len(ALPHABET)
Probabilities = NDArray[np.floating[Any]]
SCALE_KEY, SHIFT_KEY = "confidence_scale", "confidence_shift"
"""The weights' metadata: how the product of the characters' probabilities becomes P(whole text right)."""
TRIM = (0.03, 0.05)
"""Shares of width and height that the second look leaves off on every side and the third adds."""
RECTIFY_BELOW = 0.9
"""Product of the characters' probabilities under which a crop is read once more, rectified: as good on held-out
crops as reading all of them twice, for a third of the work."""


def default_weights() -> Path:
    """``models/plate-reader.onnx`` of the checkout. Raises `MissingWeights`."""
    return shipped_weights(WEIGHTS, "make it with 'make train-reader' or choose another reader")


class FixedSlotReader:
    """``grey`` N x H x W, 8 bits, crops stretched to it, to ``slots`` N x 10 x 37 after softmax (0-9, A-Z, blank) and
    ``places`` N x 10 x 2, the characters' middles as shares of width and height. One line and two lines are read alike,
    top line first. A text's confidence is how likely it is right as a whole."""

    def __init__(self, weights: Path | None = None, *, threads: int = 0) -> None:
        path = weights or default_weights()
        self.name = path.stem
        self._session, self.sha256 = load_onnx(path, threads)
        given = self._session.get_inputs()[0]
        if given.name != "grey" or [o.name for o in self._session.get_outputs()] != ["slots", "places"]:
            raise MissingWeights(f"The weights {path} are not those of a fixed-slot reader; use models/{WEIGHTS}.")
        known = self._session.get_modelmeta().custom_metadata_map
        try:
            self._calibration = float(known[SCALE_KEY]), float(known[SHIFT_KEY])
        except (KeyError, ValueError) as error:
            raise MissingWeights(f"The weights {path} are not calibrated; use models/{WEIGHTS}.") from error
        self._height, self._width = int(given.shape[1]), int(given.shape[2])

    def read(self, crops: Sequence[Image]) -> list[PlateText]:
        readable = [i for i, crop in enumerate(crops) if min(crop.shape[:2]) >= 4]
        found = [PlateText("", 0.0, [])] * len(crops)
        if readable:
            for i, probabilities in zip(readable, self._probabilities([grey(crops[i]) for i in readable]), strict=True):
                found[i] = text_of(probabilities, *self._calibration)
        return found

    def _probabilities(self, crops: Sequence[Image]) -> Probabilities:
        """Of each crop the mean of its augmentations, doubtful ones' with those at what `rectified` makes of them."""
        probabilities, places = self._inferred(crops)
        doubtful = [int(i) for i in np.flatnonzero(probabilities.max(axis=2).prod(axis=1) < RECTIFY_BELOW)]
        level = {i: rectified(crops[i], places[i][probabilities[i].argmax(axis=1) != BLANK]) for i in doubtful}
        again = {i: crop for i, crop in level.items() if crop is not None}
        if again:
            rows = list(again)
            probabilities[rows] = (probabilities[rows] + self._inferred(list(again.values()))[0]) / 2
        return probabilities

    def _inferred(self, crops: Sequence[Image]) -> tuple[Probabilities, Probabilities]:
        """Probabilities as the mean of three augmentations, places of the first."""
        batch = np.stack([self._stretched(one) for crop in crops for one in augmented(crop)])
        probabilities, places = (np.asarray(part) for part in self._session.run(None, {"grey": batch}))
        return probabilities.reshape(-1, 3, *probabilities.shape[1:]).mean(axis=1), places[::3]

    def _stretched(self, crop: Image) -> Image:
        interpolation = cv2.INTER_AREA if crop.shape[0] > self._height else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(crop, (self._width, self._height), interpolation=interpolation), dtype=np.uint8)


def grey(crop: Image) -> Image:
    """``crop`` without its colours."""
    return np.asarray(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY) if crop.ndim == 3 else crop, dtype=np.uint8)


def augmented(crop: Image) -> tuple[Image, Image, Image]:
    """The crop, a little less and a little more than it: boxes are never cut twice alike, and the mean of three is
    right more often (held-out crops: 65.5 % instead of 61.7 half way through training)."""
    height, width = crop.shape[:2]
    dx, dy = round(width * TRIM[0]), round(height * TRIM[1])
    wider = cv2.copyMakeBorder(crop, dy, dy, dx, dx, cv2.BORDER_REPLICATE)
    return crop, crop[dy : height - dy, dx : width - dx], np.asarray(wider, dtype=np.uint8)


def text_of(probabilities: Probabilities, scale: float = 1.0, shift: float = 0.0) -> PlateText:
    """The best text of ``S x 37`` distributions, blank last. Its confidence is the product of the winners'
    probabilities, blanks included, calibrated: that the length is right is a part of the text being right."""
    winners = probabilities.argmax(axis=1)
    signs = [int(i) for i in np.flatnonzero(winners != BLANK)]
    if not signs:
        return PlateText("", 0.0, [])
    sureness = calibrated(float(probabilities.max(axis=1).prod()), scale, shift)
    text = "".join(ALPHABET[winners[i]] for i in signs)
    return PlateText(text, round(sureness, 4), [leading(probabilities[i, :BLANK]) for i in signs])
