"""EasyOCR's recogniser on plates: the second opinion on doubtful tracks where a GPU is. Needs the extra ``gpu``."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dashcam.media.images import Image
from dashcam.vision.engines import MissingWeights, PlateText
from dashcam.vision.read.decoding import ctc_decode, fold, plate_columns

WEIGHTS = "english_g2.pth"
HEIGHT = 64
MAX_WIDTH = 640
CALIBRATION = 0.99, -4.27
"""As `ppocr_reader.CALIBRATION`: a mean probability of 0.97 is right one time in five."""
QUIET = 0.35
"""Rows with less than this share of the busiest row's strokes are not the main line."""


class EasyOcrReader:
    """``N x 1 x 64 x W`` grey in -1..1 to ``N x T x classes``; decoded as `ppocr_reader.PpOcrReader`'s answers are, so
    that every character keeps its distribution, over the letters and digits of plates alone.

    EasyOCR reads every text on a plate, small ones badly: a crop is enlarged to 64 rows, and the surer of the whole
    and its main line counts. ``folder`` holds ``english_g2.pth``.
    """

    def __init__(
        self, folder: Path, *, device: str | None = None, calibration: tuple[float, float] = CALIBRATION
    ) -> None:
        self._calibration = calibration
        try:
            import torch
            from easyocr import config
            from easyocr.recognition import get_recognizer
        except ImportError as error:
            raise MissingWeights(f"The engine easyocr needs the extra 'gpu' ({error.name} is missing).") from error
        path = folder / WEIGHTS
        if not path.is_file():
            raise MissingWeights(f"{path} is not there; put EasyOCR's english_g2 weights into {folder}.")
        self.name = "easyocr-english_g2"
        self.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        self._device = device or ("cuda:0" if torch.cuda.is_available() else "cpu")
        known = config.recognition_models["gen2"]["english_g2"]
        shape = {"input_channel": 1, "output_channel": 256, "hidden_size": 256}
        self._network, self._converter = get_recognizer(
            "generation2", shape, known["characters"], {}, {"en": ""}, str(path), device=self._device, quantize=False
        )
        self._network.eval()
        self._columns = plate_columns(["", *known["characters"]])

    def read(self, crops: Sequence[Image]) -> list[PlateText]:
        return [self._surer(crop) for crop in crops]

    def _surer(self, crop: Image) -> PlateText:
        if min(crop.shape[:2]) < 4:
            return PlateText("", 0.0, [])
        grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY) if crop.ndim == 3 else crop
        return max((self._read(look) for look in (grey, main_line(grey))), key=lambda found: found.confidence)

    def _read(self, grey: Image) -> PlateText:
        import torch

        with torch.inference_mode():
            given = torch.from_numpy(_tensor(grey)).to(self._device)
            chances = self._network(given, None).softmax(2).float().cpu().numpy()[0]
        return ctc_decode(fold(chances, self._columns), *self._calibration)


def main_line(grey: Image) -> Image:
    """The rows with most upright strokes in one piece: the number, without state, slogan and stickers."""
    strokes = np.abs(np.diff(cv2.GaussianBlur(grey, (3, 3), 0).astype(np.float32), axis=1)).mean(axis=1)
    strokes = cv2.blur(strokes[:, None], (1, max(1, grey.shape[0] // 12)))[:, 0]
    busy = strokes >= QUIET * strokes.max()
    middle = int(strokes.argmax())
    first, last = middle, middle
    while first > 0 and busy[first - 1]:
        first -= 1
    while last < len(busy) - 1 and busy[last + 1]:
        last += 1
    more = round(0.08 * (last - first + 1))
    return grey[max(0, first - more) : last + 1 + more]


def _tensor(grey: Image) -> NDArray[np.float32]:
    width = int(np.clip(round(grey.shape[1] * HEIGHT / grey.shape[0]), 32, MAX_WIDTH))
    interpolation = cv2.INTER_AREA if grey.shape[0] > HEIGHT else cv2.INTER_CUBIC
    resized = cv2.resize(grey, (width, HEIGHT), interpolation=interpolation)
    tensor: NDArray[np.float32] = resized.astype(np.float32)[None, None] / np.float32(127.5) - 1
    return tensor
