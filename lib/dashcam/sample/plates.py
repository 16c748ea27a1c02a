"""Number plates as their countries lay them out, drawn with the typeface inside the Pillow wheel.

The texts are invented. Characters that readers and people mix up (0/O, 1/I, 8/B, 5/S, 2/Z, 6/G, D, Q) are left out, so
that a wrong character is the reader's fault.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Bgr = tuple[int, int, int]
Drawing = NDArray[np.uint8]

LETTERS = "ACEFHJKLMNPRTUVWXY"
DIGITS = "34679"
EU_BLUE: Bgr = (150, 55, 10)


@dataclass(frozen=True)
class PlateStyle:
    """Sizes in metres. ``pattern``: ``L`` letter, ``9`` digit; ``-`` is drawn and no character, a space is a gap."""

    country: str
    pattern: str
    paper: Bgr = (236, 238, 238)
    ink: Bgr = (22, 20, 20)
    band: str = "left"
    """Blue country band: ``left``, ``both``, ``top`` or empty."""
    width_m: float = 0.52
    height_m: float = 0.113


STYLES = {
    style.country: style
    for style in (
        PlateStyle("NL", "LL-999-L", paper=(40, 190, 245)),
        PlateStyle("D", "LL LL 999"),
        PlateStyle("F", "LL-999-LL", band="both"),
        PlateStyle("GB", "LL99 LLL", paper=(60, 205, 245), band=""),
        PlateStyle("B", "9-LLL-999", ink=(40, 25, 150)),
        PlateStyle("PL", "LL 9999L"),
        PlateStyle("BR", "LLL9L99", band="top", width_m=0.40, height_m=0.13),
    )
}


TextMaker = Callable[[PlateStyle, np.random.Generator], str]


def make_text(style: PlateStyle, rng: np.random.Generator) -> str:
    """A plate text in the style's pattern, separators included; no character comes twice."""
    pools = {
        "L": [str(sign) for sign in rng.permutation(list(LETTERS))],
        "9": [str(sign) for sign in rng.permutation(list(DIGITS))],
    }
    return "".join(pools[sign].pop() if sign in pools else sign for sign in style.pattern)


def plain(text: str) -> str:
    """The text as it is searched for: letters and digits alone."""
    return "".join(sign for sign in text if sign.isalnum())


@cache
def _glyph(sign: str) -> Drawing:
    """The sign as a tight alpha mask, about 200 px high."""
    font = ImageFont.load_default(280)
    image = Image.new("L", (420, 420))
    ImageDraw.Draw(image).text((60, 40), sign, fill=255, font=font, stroke_width=9)
    mask = np.asarray(image)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return np.ascontiguousarray(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _stamp(canvas: Drawing, sign: str, box: tuple[float, float, float, float], ink: Bgr) -> None:
    """Draw ``sign`` to fill ``box`` = (x0, y0, x1, y1) pixels; narrow signs keep their proportions."""
    x0, y0, x1, y1 = (round(value) for value in box)
    mask = _glyph(sign)
    width = min(x1 - x0, max(2, round(mask.shape[1] * (y1 - y0) / mask.shape[0])))
    x0 += (x1 - x0 - width) // 2
    alpha = cv2.resize(mask, (width, y1 - y0), interpolation=cv2.INTER_AREA)[..., None].astype(np.float32) / 255
    region = canvas[y0:y1, x0 : x0 + width]
    region[:] = (region * (1 - alpha) + np.array(ink, np.float32) * alpha).astype(np.uint8)


def _bands(canvas: Drawing, style: PlateStyle) -> tuple[float, float, float]:
    """Paint the country band(s); returns where text may start and end, and its top, as fractions of the plate."""
    height, width = canvas.shape[:2]
    if style.band == "top":
        canvas[: round(height * 0.24)] = EU_BLUE
        return 0.05, 0.95, 0.31
    if not style.band:
        return 0.045, 0.955, 0.14
    band = round(width * 0.075)
    sides = (0, width - band) if style.band == "both" else (0,)
    for x in sides:
        canvas[:, x : x + band] = EU_BLUE
        cv2.circle(canvas, (x + band // 2, round(height * 0.3)), band // 4, (40, 200, 240), 1, cv2.LINE_AA)
    cell = band * 0.7 / len(style.country)
    for index, sign in enumerate(style.country):
        left = band * 0.15 + index * cell
        _stamp(canvas, sign, (left, height * 0.66, left + cell * 0.9, height * 0.84), (215, 205, 200))
    return 0.115, 0.885 if style.band == "both" else 0.975, 0.15


def draw_plate(text: str, style: PlateStyle, px_per_m: float) -> Drawing:
    """The plate as a BGR picture at ``px_per_m``; drawn four times larger and averaged down."""
    oversample = 4
    width = round(style.width_m * px_per_m * oversample)
    height = round(style.height_m * px_per_m * oversample)
    canvas = np.full((height, width, 3), style.paper, np.uint8)
    start, end, top = _bands(canvas, style)
    cells = [0.42 if not sign.isalnum() else 1.0 for sign in text]
    pitch = min((end - start) * width / sum(cells), height * 0.56)
    x = (start + end) / 2 * width - pitch * sum(cells) / 2
    for sign, cell in zip(text, cells, strict=True):
        if sign.isalnum():
            _stamp(canvas, sign, (x + pitch * 0.1, height * top, x + pitch * 0.9, height * 0.86), style.ink)
        elif sign == "-":
            y = round(height * (top + 0.86) / 2)
            cv2.line(canvas, (round(x + pitch * 0.1), y), (round(x + pitch * 0.32), y), style.ink, max(2, height // 14))
        x += pitch * cell
    cv2.rectangle(canvas, (0, 0), (width - 1, height - 1), (60, 60, 60), max(2, height // 22), cv2.LINE_AA)
    size = (width // oversample, height // oversample)
    return np.asarray(cv2.resize(canvas, size, interpolation=cv2.INTER_AREA), np.uint8)
