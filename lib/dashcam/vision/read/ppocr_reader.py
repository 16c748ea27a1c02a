"""PP-OCR's text recogniser on plates, run directly in ONNX Runtime from the weights inside RapidOCR's wheel."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dashcam.media.images import Image
from dashcam.vision.engines import MissingWeights, PlateText, load_onnx
from dashcam.vision.read.decoding import ctc_decode, fold, plate_columns

WEIGHTS = "PP-OCRv6_rec_small.onnx"
HEIGHT = 48
MAX_WIDTH = 480
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


def _tensor(crop: Image) -> NDArray[np.float32]:
    height, width = crop.shape[:2]
    new_width = int(np.clip(round(width * HEIGHT / height), 16, MAX_WIDTH))
    interpolation = cv2.INTER_AREA if height > HEIGHT else cv2.INTER_CUBIC
    resized = cv2.resize(crop, (new_width, HEIGHT), interpolation=interpolation)
    tensor = resized.astype(np.float32).transpose(2, 0, 1)[None] / 127.5 - 1
    return np.ascontiguousarray(tensor)
