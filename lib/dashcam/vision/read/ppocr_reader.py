"""PP-OCR's text recogniser on plates, run directly in ONNX Runtime from the weights inside RapidOCR's wheel."""

from collections.abc import Sequence
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dashcam.media.images import Image
from dashcam.records import CharacterProbabilities
from dashcam.vision.engines import MissingWeights, PlateText, load_onnx
from dashcam.vision.read.quality import calibrated

WEIGHTS = "PP-OCRv6_rec_small.onnx"
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
HEIGHT = 48
MAX_WIDTH = 480
TOP = 5
"""Characters kept per slot."""
CALIBRATION = 1.06, -3.45
"""Scale and shift (`quality.calibrated`) from the characters' mean probability to the share of texts that are right, on
held-out crops of one line (``training.reader.votes --second``): 0.97 is right three times in five."""
TRIM = 0.155
"""Share of the height taken off above and below for the second look."""
WHOLE_CROP_FROM = 0.9
"""From here on the whole crop's reading is kept without a second look: right as often on held-out crops and on
openalpr's, and nearly half of these looks saved."""


def default_weights() -> Path:
    """The recogniser inside the installed ``rapidocr`` wheel, found without importing it. Raises `MissingWeights`."""
    spec = find_spec("rapidocr")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(folder) / "models" / WEIGHTS).is_file():
            return path
    raise MissingWeights(f"{WEIGHTS} of the package rapidocr is missing; install rapidocr 3.10 or later.")


class PpOcrReader:
    """PP-OCRv6 "small" (PaddleOCR, Apache-2.0): ``N x 3 x 48 x W`` BGR in -1..1 to ``N x T x classes`` after softmax.

    Class 0 is the CTC blank, the rest are the characters in the weights' own metadata, then a space.
    """

    def __init__(
        self, weights: Path | None = None, *, threads: int = 0, calibration: tuple[float, float] = CALIBRATION
    ) -> None:
        self._calibration = calibration
        path = weights or default_weights()
        self.name = path.stem
        self._session, self.sha256 = load_onnx(path, threads)
        self._input = self._session.get_inputs()[0].name
        listed = self._session.get_modelmeta().custom_metadata_map.get("character")
        if not listed:
            raise MissingWeights(f"The weights {path} do not name their characters; use RapidOCR's recogniser.")
        self._columns = plate_columns(["", *listed.split("\n")])

    def read(self, crops: Sequence[Image]) -> list[PlateText]:
        # one by one: padding a batch to its widest crop changes what the narrow ones read
        return [self._surer(crop) for crop in crops]

    def _surer(self, crop: Image) -> PlateText:
        """The surer of the whole crop and its middle: small print (a state, a dealer) above or below the characters
        spoils the whole. On every second image of openalpr's sets: us 42 of 55 right instead of 29, br the same, eu 21
        instead of 24 of 27."""
        whole = self._read(crop)
        if whole.confidence >= WHOLE_CROP_FROM:
            return whole
        trim = round(crop.shape[0] * TRIM)
        return max(whole, self._read(crop[trim : crop.shape[0] - trim]), key=lambda found: found.confidence)

    def _read(self, crop: Image) -> PlateText:
        if min(crop.shape[:2]) < 4:
            return PlateText("", 0.0, [])
        probabilities = np.asarray(self._session.run(None, {self._input: _tensor(crop)})[0])[0]
        return ctc_decode(fold(probabilities, self._columns), *self._calibration)


def plate_columns(characters: Sequence[str]) -> NDArray[np.intp]:
    """For each class its column after folding: 0 blank, 1..36 the alphabet (either case), 37 anything else."""
    columns = [0]
    for character in characters[1:]:
        place = ALPHABET.find(character.upper()) if len(character) == 1 else -1
        columns.append(place + 1 if place >= 0 else 37)
    return np.asarray(columns, dtype=np.intp)


def fold(probabilities: NDArray[np.float32], columns: NDArray[np.intp]) -> NDArray[np.float64]:
    """``T x classes`` to ``T x 38``: blank, the 36 plate characters with both cases summed, and the rest."""
    folded = np.zeros((probabilities.shape[0], 38))
    known = min(probabilities.shape[1], len(columns))
    for column in range(37):
        folded[:, column] = probabilities[:, :known][:, columns[:known] == column].sum(axis=1)
    folded[:, 37] = np.clip(1 - folded[:, :37].sum(axis=1), 0, 1)
    return folded


def ctc_decode(folded: NDArray[np.float64], scale: float = 1.0, shift: float = 0.0) -> PlateText:
    """Best path (Graves 2006): runs of the same winner are one character, blanks and foreign signs separate.

    A slot's distribution is that of the step where its character is surest, over the 36 characters; the confidence is
    the geometric mean of the winners' probabilities before that normalisation, calibrated. Where the characters claim
    more than that together, a part of each slot goes to "something else".
    """
    winners = folded.argmax(axis=1)
    probabilities: CharacterProbabilities = []
    sureness: list[float] = []
    text = ""
    step = 0
    while step < len(winners):
        end = step
        while end < len(winners) and winners[end] == winners[step]:
            end += 1
        column = int(winners[step])
        if 1 <= column <= 36:
            peak = step + int(folded[step:end, column].argmax())
            text += ALPHABET[column - 1]
            sureness.append(float(folded[peak, column]))
            probabilities.append(leading(folded[peak, 1:37]))
        step = end
    if not sureness:
        return PlateText("", 0.0, [])
    mean = float(np.exp(np.mean(np.log(np.clip(sureness, 1e-6, 1)))))
    confidence = calibrated(mean, scale, shift)
    claimed = prod(slot[sign] for slot, sign in zip(probabilities, text, strict=True))
    keep = min(1.0, (confidence / max(claimed, 1e-6)) ** (1 / len(text)))
    told = [{sign: round(share * keep, 4) for sign, share in slot.items()} for slot in probabilities]
    return PlateText(text, round(confidence, 4), told)


def leading(distribution: NDArray[np.floating[Any]]) -> dict[str, float]:
    """The likeliest few of the 36 characters, their shares taken of the 36 alone."""
    shares = distribution / max(float(distribution.sum()), 1e-9)
    best = sorted(range(36), key=lambda i: (-shares[i], i))[:TOP]
    return {ALPHABET[i]: round(float(shares[i]), 4) for i in best if shares[i] >= 0.001}


def _tensor(crop: Image) -> NDArray[np.float32]:
    height, width = crop.shape[:2]
    new_width = int(np.clip(round(width * HEIGHT / height), 16, MAX_WIDTH))
    interpolation = cv2.INTER_AREA if height > HEIGHT else cv2.INTER_CUBIC
    resized = cv2.resize(crop, (new_width, HEIGHT), interpolation=interpolation)
    tensor = resized.astype(np.float32).transpose(2, 0, 1)[None] / 127.5 - 1
    return np.ascontiguousarray(tensor)
