"""Characters as masks, from whatever typefaces lie in a folder."""

import re
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from training.reader.shapes import ALPHABET

Mask = NDArray[np.uint8]
HEIGHT = 64
UNLIKE_PLATES = re.compile(
    r"italic|oblique|-it\.|bdita|thin|hairline|light|outline|symbol|math|serif|roman|bookman|c059|p052|z003|d05|"
    r"ocrbs|-(100|200|300)-|ext-|cyrillic|greek|vietnam|-book|demioblique",
    re.IGNORECASE,
)
WORDS = (
    "CALIFORNIA Texas Ohio NEW YORK Florida dmv.org Lone Star State GARDEN STATE Sunshine TAXI REPUBLICA ARGENTINA "
    "BRASIL SAO PAULO BA-SALVADOR RIO DE JANEIRO MERCOSUR Oregon Washington Evergreen State Virginia Arizona GRAND "
    "CANYON Discover MOTORS honda.com TOYOTA Auto-Haus www.ford.de Dealer Sales Famous Potatoes JAN FEB 09 2014 "
    "Land of Lincoln First in Flight Live Free or Die Peach State GEORGIA ILLINOIS Pennsylvania Keystone ALASKA "
    "COLORADO Nevada"
).split()


def typefaces(folder: Path) -> list[Mapping[str, Mask]]:
    """For each upright, bold enough face below ``folder`` its 36 characters, 0..255, 64 rows each, tightly cut; all of
    them once more `squared`."""
    files = [p for p in sorted(folder.rglob("*")) if p.suffix in {".ttf", ".otf", ".woff"}]
    found = [_characters(p, ALPHABET) for p in files if not UNLIKE_PLATES.search(p.name)]
    faces = [face for face in found if face]
    if not faces:
        raise SystemExit(f"There are no typefaces in {folder}: run training/fonts.sh {folder} first.")
    return faces + [squared(face, 0.25 + 0.25 * (i % 5) / 4) for i, face in enumerate(faces)]


def squared(face: Mapping[str, Mask], corner: float) -> Mapping[str, Mask]:
    """``face`` with O, 0, Q and D as most countries' plates have them (Mandatory, Charles Wright, DIN 1451): a rounded
    frame, the same for O and zero, a tail for Q, square corners at D's left; ``corner`` is the radius in widths."""
    wide = max(20, face["D"].shape[1])
    stroke = int(np.clip((face["L"][20] > 127).sum(), 5, wide // 3))
    ring = _frame(wide, round(corner * wide), 0) - _frame(wide, round(corner * wide), stroke)
    bow = ring.copy()
    left = round(corner * wide) + stroke
    bow[:, :left] = (_frame(wide, 0, 0) - _frame(wide, 0, stroke))[:, :left]
    tailed = ring.copy()
    cv2.line(tailed, (round(wide * 0.55), round(HEIGHT * 0.72)), (wide - 2, HEIGHT - 2), 255, max(4, stroke * 3 // 4))
    return {**face, "O": ring, "0": ring, "Q": tailed, "D": bow}


def _frame(wide: int, corner: int, inset: int) -> Mask:
    """A filled rounded rectangle ``inset`` pixels inside a character's box."""
    mask = np.zeros((HEIGHT, wide), np.uint8)
    radius = max(0, corner - inset)
    x0, y0, x1, y1 = inset, inset, wide - 1 - inset, HEIGHT - 1 - inset
    cv2.rectangle(mask, (x0 + radius, y0), (x1 - radius, y1), 255, -1)
    cv2.rectangle(mask, (x0, y0 + radius), (x1, y1 - radius), 255, -1)
    for x in (x0 + radius, x1 - radius):
        for y in (y0 + radius, y1 - radius):
            cv2.circle(mask, (x, y), radius, 255, -1)
    return mask


def words(folder: Path) -> list[Mask]:
    """Small print: states, slogans, dealers; 24 rows each."""
    faces = [p for p in sorted(folder.rglob("*.ttf")) if re.search(r"Regular|Bold|Condensed|Italic", p.name)]
    drawn = [_word(faces[(7 * i) % len(faces)], f"{a} {b}" if i % 2 else a) for i, (a, b) in enumerate(_pairs())]
    return [word for word in drawn if word is not None]


def _pairs() -> list[tuple[str, str]]:
    return [(a, WORDS[(i * step + 5) % len(WORDS)]) for step in (1, 3, 5) for i, a in enumerate(WORDS)]


def _characters(path: Path, signs: str) -> dict[str, Mask]:
    masks: dict[str, Mask] = {}
    for sign in signs:
        mask = _drawn(path, sign, 88)
        if mask is None:
            return {}
        size = max(6, round(mask.shape[1] * HEIGHT / mask.shape[0])), HEIGHT
        masks[sign] = np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.BOX))
    # a face of another script draws the same empty box for most characters
    return masks if len({mask.tobytes() for mask in masks.values()}) >= len(signs) - 2 else {}


def _word(path: Path, text: str) -> Mask | None:
    mask = _drawn(path, text, 30)
    if mask is None:
        return None
    return np.asarray(Image.fromarray(mask).resize((max(4, round(mask.shape[1] * 24 / mask.shape[0])), 24)))


def _drawn(path: Path, text: str, size: int) -> Mask | None:
    try:
        face = ImageFont.truetype(str(path), size)
    except OSError:
        return None
    page = Image.new("L", (size * (len(text) + 2), 2 * size))
    ImageDraw.Draw(page).text((size // 2, size // 3), text, font=face, fill=255)
    box = page.getbbox()
    return None if box is None else np.asarray(page.crop(box))
