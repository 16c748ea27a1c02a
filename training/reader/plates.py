"""Plates drawn in the manner of many countries, with the place of every character known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.reader.degrade import Grey, Random, degraded, fitted
from training.reader.fonts import Mask
from training.reader.shapes import ALPHABET

SlotTargets = NDArray[np.float32]
Page = NDArray[np.float32]
"""A plate while it is drawn."""
DIGITS, LETTERS = ALPHABET[:10], ALPHABET[10:]
MISTAKEN_LETTERS, MISTAKEN_DIGITS = "OOOQDIVUGBSZ", "0015"
"""Drawn more often: people's and readers' labels lack them, because who is unsure leaves the plate out."""
ROWS = 96
"""Height in pixels at which plates are drawn."""


@dataclass(frozen=True)
class Family:
    """A way plates look. Formats: ``L`` letter, ``D`` digit, ``*`` either, ``-`` a gap or mark, ``/`` the next line.
    Ranges: width to height of the plate, height of the characters to the plate's, their middle."""

    formats: Sequence[str]
    aspect: tuple[float, float]
    tall: tuple[float, float]
    middle: tuple[float, float] = (0.47, 0.55)
    band: float = 0.0
    print_above: float = 0.1
    print_below: float = 0.1
    dark: float = 0.1
    sign: float = 0.0
    frame: float = 0.0
    stickers: float = 0.1
    expiry: float = 0.0


US = (
    "LLL-DDDD LLLDDDD DLLLDDD LLL-DDD DDD-LLL LLDDDDD DDDDLL LDDDLL LL-DDDD LLLLLL LLLLLLL D*LLDDD LLDDLL "
    "DDL-DDDD L*D-*DL DDDDD LDDDD LLDDD DDDDDD DDD-DDD DDDDDL DDDLLL LLD-DDL"
).split()
EU = (
    "LL-DDDLL L-DDDDD LLDDD-LL LL-DDD-LL L-LLDDD LLL-LLDD L-LLDD LL-LLDDDD LLL-DDD DDD-LLL DDDD-LLL DLD-DDDD LL-DDDD "
    "D-LLL-DDD LL-DD-LL DD-LL-LL LL-LLL-D DDDDLLDD LL-DD-LLL LLDDDDD LLDDDDLL L-DDDD-LL L-DDDLLL LDDDDDD LL-DDDLL "
    "LL-DDDD-LL"
).split()
INDIA = "LL-DD-LL-DDDD LLDDLLDDDD LLDD-LL-DDDD LL-DD-L-DDDD LLDDLDDDD LLDL-LL-DDDD DD-LL-DDDD-L".split()
INDONESIA = "L-DDDD-LL L-DDDD-LLL LL-DDDD-LL L-DDDD-L LL-DDDD-L L-DDD-LL L-DDD-LLL LL-DDDD LL-DDD-LL".split()
TWO = (
    "LLL/DDDD LL/DDDD LL/DDDLL LLL/LDDD LLD/LLL LL*/LLDD LDD/LDD DDDL/DDD DDL-D/DDDD LLDD/LLL LLL/DL-DD L/DDDLL "
    "LLL/DDD DDL-D/DDD-DD DDL-L/DDDD LL/DD-DD LLL/DDL DL/DDDD DLD/DDDD LLD/*** LLL/L-DD LDDD/LLL LL-DD/LLL "
    "DD-L/DDD-DD LLL/DLDD "
    + "DDL-D/DDD-DD DDLD/DDDDD DDL-D/DDDDD DD-LD/DDD-DD DDLL/DDD-DD " * 3
    + "LL-DD/LL-DDDD LLDD-LL/DDDD LLDDL/DDDD LLDDLL/DDDD LL-DD-L/DDDD LL-DD/DDDD L-DDDD/LL L-DDDD/LLL DD/DDD DDD/LL"
).split()


def free(rng: Random) -> str:
    """A form of two to ten characters, every length as often: groups of one kind, now and then in two lines."""
    left, form, split = int(rng.integers(2, 11)), "", rng.random() < 0.8
    while left:
        group = min(left, int(rng.integers(1, 6)))
        form += "DDDLL*"[rng.integers(6)] * group
        left -= group
        if left and rng.random() < 0.7:
            form, split = (form + "-", split) if split or left < 2 else (form + "/", True)
    return form


FREE = [free(np.random.default_rng(seed)) for seed in range(2000)]
FAMILIES: Mapping[str, tuple[float, Family]] = {
    "us": (0.15, Family(US, (1.8, 3.2), (0.36, 0.8), (0.46, 0.58), 0.0, 0.8, 0.6, 0.2, frame=0.35, stickers=0.5)),
    "eu": (0.13, Family(EU, (3.6, 5.0), (0.58, 0.86), band=0.75, dark=0.1)),
    "uk": (0.04, Family(["LLDD-LLL", "LDDD-LLL", "LLL-DDDL"], (3.9, 5.0), (0.6, 0.82), (0.45, 0.52), 0.3, 0.0, 0.3)),
    "br": (0.13, Family(["LLL-DDDD"], (2.4, 3.3), (0.42, 0.62), (0.56, 0.66), 0.0, 0.9, 0.0, 0.25)),
    "mercosur": (0.04, Family(["LLLDLDD", "LL-DDD-LL"], (2.6, 3.3), (0.5, 0.66), (0.58, 0.66), 0.3, 0.8, 0.0, 0.1)),
    "ar": (0.03, Family(["LLL-DDD", "LL-DDD-LL"], (1.9, 2.9), (0.45, 0.6), (0.48, 0.58), 0.0, 0.6, 0.1, 0.6)),
    "cn": (0.03, Family(["L-DDDDD", "L-*D*DD", "L-L*DDD", "L-*DDDD"], (2.9, 4.0), (0.55, 0.8), sign=1.0, dark=0.85)),
    "in": (0.06, Family(INDIA, (3.4, 5.4), (0.42, 0.75), band=0.2, dark=0.2)),
    "id": (0.08, Family(INDONESIA, (2.6, 3.9), (0.38, 0.58), (0.36, 0.46), dark=0.65, expiry=0.9)),
    "two": (0.18, Family(TWO, (1.1, 2.2), (0.3, 0.42), (0.46, 0.56), 0.25, 0.15, 0.15, 0.15, expiry=0.15)),
    "free": (0.13, Family(FREE, (1.5, 4.8), (0.36, 0.7), print_above=0.3, print_below=0.3, dark=0.3, expiry=0.15)),
}


@dataclass(frozen=True)
class Sample:
    """``image`` as the network takes it; ``places`` are (x, y) of the characters' middles in 0..1, None if unknown;
    ``slots`` a teacher's 10 x 37 probabilities in place of the bare text."""

    image: Grey
    text: str
    places: list[tuple[float, float]] | None
    slots: SlotTargets | None = None


@dataclass(frozen=True)
class Drawn:
    """A clean plate; ``places`` are (x, y) of the characters' middles in its pixels."""

    plate: Grey
    text: str
    places: list[tuple[float, float]]

    def seen(self, rng: Random, harm: float) -> Sample:
        """Through a camera; ``harm`` 0 (studio) to 1 (night, rain, far)."""
        crop, places = photographed(self.plate, self.places, rng)
        height = float(np.exp(rng.uniform(np.log(62 - 48 * harm), np.log(64))))
        return Sample(fitted(degraded(crop, rng, height, harm)), self.text, places)


class Printer:
    """Draws plates with these typefaces and this small print."""

    def __init__(self, faces: Sequence[Mapping[str, Mask]], words: Sequence[Mask]) -> None:
        self._faces = faces
        self._words = words

    def draw(self, rng: Random) -> Drawn:
        """A clean plate of any family."""
        names = list(FAMILIES)
        family = FAMILIES[names[rng.choice(len(names), p=[FAMILIES[n][0] for n in names])]][1]
        lines = [filled(f, rng) for f in family.formats[rng.integers(len(family.formats))].split("/")]
        columns = round(ROWS * rng.uniform(*family.aspect))
        light, dark = rng.uniform(150, 255), rng.uniform(0, 100)
        paper, ink = (dark, light) if rng.random() < family.dark else (light, dark)
        plate = np.full((ROWS, columns), paper, np.float32)
        if rng.random() < 0.25:
            self._scenery(plate, rng, paper, ink)
        left = self._band(plate, rng, ink) if rng.random() < family.band else columns * rng.uniform(0.01, 0.05)
        self._print(plate, rng, family, ink)
        tall = ROWS * rng.uniform(*family.tall) * (1 if len(lines) == 1 or family.tall[1] < 0.45 else 0.6)
        middle = ROWS * rng.uniform(*family.middle)
        gap = tall * rng.uniform(1.08, 1.25)
        places: list[tuple[float, float]] = []
        face = self._faces[rng.integers(len(self._faces))]
        span = left, columns * 0.985
        if rng.random() < family.stickers:
            span = stickers(plate, rng, face, span)
        for i, line in enumerate(lines):
            y = middle + gap * (i - (len(lines) - 1) / 2)
            size = tall * (rng.uniform(0.6, 1.1) if i == 0 and len(lines) == 2 else 1)
            indent = span[0] * (i == 0 or len(lines) == 1)
            places += _line(plate, rng, face, line, (indent, span[1]), y, size, ink, family.sign)
        if rng.random() < family.expiry:
            expiry(plate, rng, face, middle + gap * (len(lines) - 1) / 2 + tall / 2, ink)
        if rng.random() < 0.5:
            _edge(plate, rng, ink)
        if rng.random() < 0.3:
            _dirt(plate, rng)
        if rng.random() < family.frame:
            plate, places = self._framed(plate, places, rng)
        text = "".join(sign for line in lines for sign in line if sign != "-")
        return Drawn(np.clip(plate, 0, 255).astype(np.uint8), text, places)

    def _print(self, plate: Page, rng: Random, family: Family, ink: float) -> None:
        for share, y in ((family.print_above, rng.uniform(0.07, 0.16)), (family.print_below, rng.uniform(0.86, 0.95))):
            if rng.random() < share:
                word = self._words[rng.integers(len(self._words))]
                rows = round(ROWS * rng.uniform(0.08, 0.19))
                columns = round(word.shape[1] * rows / 24 * rng.uniform(0.8, 1.2))
                x = plate.shape[1] * rng.uniform(0.4, 0.6) - columns / 2
                _ink(plate, word, x, y * ROWS - rows / 2, columns, rows, ink + rng.normal(0, 40))

    def _framed(
        self, plate: Page, places: list[tuple[float, float]], rng: Random
    ) -> tuple[Page, list[tuple[float, float]]]:
        """A dealer's frame around it, with his name above or below."""
        above, below, beside = (round(ROWS * share) for share in rng.uniform((0.04, 0.04, 0.02), (0.25, 0.25, 0.1)))
        shade = float(rng.uniform(0, 255))
        framed = cv2.copyMakeBorder(plate, above, below, beside, beside, cv2.BORDER_CONSTANT, value=shade)
        for y, rows in ((above / 2, above), (framed.shape[0] - below / 2, below)):
            if rows > 8 and rng.random() < 0.7:
                word = self._words[rng.integers(len(self._words))]
                tall = rows * rng.uniform(0.5, 0.9)
                columns = min(0.95 * plate.shape[1], word.shape[1] * tall / 24 * rng.uniform(0.9, 2))
                ink = shade + (rng.uniform(60, 200) if shade < 128 else -rng.uniform(60, 200))
                _ink(framed, word, (framed.shape[1] - columns) / 2, y - tall / 2, columns, tall, ink)
        return framed, [(x + beside, y + above) for x, y in places]

    def _band(self, plate: Page, rng: Random, ink: float) -> float:
        """A country's band: at the left, or above as Mercosur's. The x at which characters may begin."""
        shade = rng.uniform(20, 160)
        if plate.shape[1] < 3.35 * ROWS and rng.random() < 0.6:
            plate[: round(ROWS * rng.uniform(0.15, 0.27))] = shade
            return plate.shape[1] * 0.03
        width = round(ROWS * rng.uniform(0.22, 0.5))
        plate[:, :width] = shade
        face = self._faces[rng.integers(len(self._faces))]
        for i in range(rng.integers(0, 4)):
            size = ROWS * rng.uniform(0.12, 0.2)
            sign = face[LETTERS[rng.integers(26)]]
            _ink(plate, sign, 2 + i * width / 4, ROWS * 0.72, width / 4.5, size, shade + rng.uniform(70, 150))
        cv2.circle(plate, (width // 2, round(ROWS * 0.3)), round(width * 0.3), shade + 60, 2)
        return width + 2.0

    def _scenery(self, plate: Page, rng: Random, paper: float, ink: float) -> None:
        for _ in range(rng.integers(1, 6)):
            at = int(rng.integers(plate.shape[1])), int(rng.integers(ROWS))
            axes = int(rng.integers(4, plate.shape[1] // 2)), int(rng.integers(4, ROWS // 2))
            shade = paper + (ink - paper) * rng.uniform(-0.2, 0.45)
            cv2.ellipse(plate, at, axes, float(rng.uniform(0, 180)), 0, 360, float(shade), -1)


def filled(form: str, rng: Random) -> str:
    """A form with its characters chosen."""
    signs = {"L": LETTERS + MISTAKEN_LETTERS, "D": DIGITS + MISTAKEN_DIGITS, "*": ALPHABET}
    return "".join(signs[kind][rng.integers(len(signs[kind]))] if kind in signs else kind for kind in form)


def photographed(plate: Grey, places: list[tuple[float, float]], rng: Random) -> tuple[Grey, list[tuple[float, float]]]:
    """The plate held askew and cut out as loosely as a detector does; places in 0..1 of the result."""
    rows, columns = plate.shape
    if rng.random() < 0.5:
        thickness = int(rng.integers(2, 12))
        shade = float(rng.uniform(0, 255))
        plate = cv2.copyMakeBorder(plate, thickness, thickness, thickness, thickness, cv2.BORDER_CONSTANT, value=shade)
        places = [(x + thickness, y + thickness) for x, y in places]
        rows, columns = plate.shape
    source = np.array([(0, 0), (columns, 0), (columns, rows), (0, rows)], np.float32)
    turn, lean = rng.normal(0, 0.05), rng.normal(0, 0.08)
    moved = source + rng.normal(0, 0.025, (4, 2)) * (rows, rows)
    moved[:, 1] += (moved[:, 0] - columns / 2) * turn
    moved[:, 0] += (moved[:, 1] - rows / 2) * lean
    moved[:, 0] *= rng.uniform(0.75, 1.15)
    low, high = moved.min(0), moved.max(0)
    size = high - low
    low = low - size * rng.uniform(-0.03, 0.1, 2)
    high = high + size * rng.uniform(-0.03, 0.1, 2)
    scale = 64 / (high[1] - low[1])
    target = ((moved - low) * scale).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(source, target)
    shape = max(24, round(float(high[0] - low[0]) * scale)), 64
    shade = float(rng.uniform(0, 255))
    crop = cv2.warpPerspective(plate, matrix, shape, flags=cv2.INTER_AREA, borderValue=shade)
    points = cv2.perspectiveTransform(np.array([places], np.float32), matrix)[0] / shape
    return crop, [(float(x), float(y)) for x, y in points]


def _line(
    plate: Page, rng: Random, face: Mapping[str, Mask], line: str, span: tuple[float, float], y: float,
    tall: float, ink: float, sign: float,
) -> list[tuple[float, float]]:  # fmt: skip
    """Sets one line of characters; their middles."""
    space, mark = tall * rng.uniform(0.04, 0.22), tall * rng.uniform(0.15, 1.0)
    squeeze = rng.uniform(0.75, 1.15)
    monospaced = rng.random() < 0.3
    widths = [mark if c == "-" else tall * squeeze * _wide(face[c], monospaced) for c in line]
    extra = tall * 0.75 if rng.random() < sign else 0.0
    total = sum(widths) + space * (len(line) - 1) + extra
    room = (span[1] - span[0]) * rng.uniform(0.84, 0.97)
    shrink = min(1.0, room / total)
    x = span[0] + (span[1] - span[0] - total * shrink) * (0.5 + rng.normal(0, 0.06))
    if extra:
        _ideogram(plate, rng, x, y, extra * 0.9 * shrink, tall, ink)
        x += extra * shrink
    places = []
    for character, width in zip(line, widths, strict=True):
        width *= shrink
        if character == "-":
            _mark(plate, rng, x, y, width, tall, ink)
        else:
            mask = face[character]
            shown = min(width, tall * squeeze * shrink * mask.shape[1] / mask.shape[0])
            _ink(plate, mask, x + (width - shown) / 2, y - tall / 2, shown, tall, ink)
            places.append((x + width / 2, y))
        x += width + space * shrink
    return places


def stickers(plate: Page, rng: Random, face: Mapping[str, Mask], span: tuple[float, float]) -> tuple[float, float]:
    """Month and year tabs and seals with small characters of their own, in corners or at an end of the line; what of
    ``span`` they leave to the line."""
    for _ in range(rng.integers(1, 4)):
        tall = ROWS * rng.uniform(0.13, 0.3)
        wide = tall * rng.uniform(0.8, 1.7)
        right, in_line = rng.random() < 0.5, rng.random() < 0.3
        x = span[1] - wide - 1 if right else span[0] + 1
        y = ROWS * rng.uniform(0.35, 0.6) if in_line else (2.0 if rng.random() < 0.5 else ROWS - tall - 2)
        shade = float(rng.uniform(20, 240))
        cv2.rectangle(plate, (round(x), round(y)), (round(x + wide), round(y + tall)), shade, -1)
        signs = [ALPHABET[rng.integers(10 if rng.random() < 0.7 else 36)] for _ in range(rng.integers(0, 4))]
        ink = shade + (rng.uniform(60, 200) if shade < 128 else -rng.uniform(60, 200))
        for i, sign in enumerate(signs):
            cell = wide / len(signs)
            _ink(plate, face[sign], x + (i + 0.1) * cell, y + tall * 0.2, cell * 0.8, tall * 0.6, ink)
        if in_line:
            span = (span[0], x - 2) if right else (x + wide + 2, span[1])
    return span


def expiry(plate: Page, rng: Random, face: Mapping[str, Mask], above: float, ink: float) -> None:
    """A small month and year under the serial, which ends at ``above``: no second line."""
    tall = ROWS * rng.uniform(0.1, 0.2)
    y = min(above + tall * rng.uniform(0.65, 1.3), ROWS - tall * 0.4)
    span = plate.shape[1] * rng.uniform(0, 0.6), plate.shape[1] * 0.98
    _line(plate, rng, face, filled("DD-DD", rng), span, y, tall, ink + rng.normal(0, 25), 0)


def _wide(mask: Mask, monospaced: bool) -> float:
    return 0.62 if monospaced else mask.shape[1] / mask.shape[0]


def _ink(plate: Page, mask: Mask, x: float, y: float, width: float, height: float, ink: float) -> None:
    """Blends a mask in, as far as it lies on the plate."""
    columns, rows = max(2, round(width)), max(2, round(height))
    stamp = cv2.resize(mask, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    x0, y0 = round(x), round(y)
    left, top = max(0, -x0), max(0, -y0)
    part = plate[y0 + top : y0 + rows, x0 + left : x0 + columns]
    stamp = stamp[top : top + part.shape[0], left : left + part.shape[1]]
    part += (np.float32(ink) - part) * stamp


def _mark(plate: Page, rng: Random, x: float, y: float, width: float, tall: float, ink: float) -> None:
    """What stands between groups: nothing, a dash, a dot, seals one above the other, an emblem."""
    middle = round(x + width / 2), round(y + tall * rng.normal(0, 0.04))
    kind = rng.random()
    if kind < 0.3:
        half = max(1, round(width * 0.4)), max(1, round(tall * rng.uniform(0.03, 0.07)))
        cv2.rectangle(
            plate, (middle[0] - half[0], middle[1] - half[1]), (middle[0] + half[0], middle[1] + half[1]), ink, -1
        )
    elif kind < 0.5:
        cv2.circle(plate, middle, max(1, round(tall * rng.uniform(0.04, 0.1))), ink, -1)
    elif kind < 0.7:
        for dy in (-0.28, 0.28)[: rng.integers(1, 3)]:
            at = middle[0], round(y + dy * tall)
            cv2.circle(plate, at, max(2, round(min(width, tall * 0.4) * 0.5)), float(rng.uniform(40, 220)), -1)
            cv2.circle(plate, at, max(1, round(min(width, tall * 0.4) * 0.25)), float(rng.uniform(40, 220)), 1)
    elif kind < 0.8:
        for _ in range(4):
            size = max(2, round(width * rng.uniform(0.2, 0.6))), max(2, round(tall * rng.uniform(0.1, 0.5)))
            shade = float(rng.uniform(40, 220))
            cv2.ellipse(plate, middle, size, float(rng.uniform(0, 180)), 0, float(rng.uniform(90, 360)), shade, -1)


def _ideogram(plate: Page, rng: Random, x: float, y: float, width: float, tall: float, ink: float) -> None:
    """Strokes like a Chinese sign's, which is not to be read."""
    for _ in range(rng.integers(5, 10)):
        ends = [(round(x + width * rng.random()), round(y + tall * (rng.random() - 0.5))) for _ in range(2)]
        flat = rng.random()
        start, end = ends[0], (ends[1][0], ends[0][1]) if flat < 0.45 else (ends[0][0], ends[1][1])
        cv2.line(plate, start, ends[1] if flat > 0.85 else end, float(ink), max(1, round(tall * 0.07)))


def _edge(plate: Page, rng: Random, ink: float) -> None:
    inset = int(rng.integers(0, 5))
    corner = plate.shape[1] - 1 - inset, ROWS - 1 - inset
    cv2.rectangle(plate, (inset, inset), corner, float(ink), int(rng.integers(1, 4)))
    if rng.random() < 0.5:
        for x in (rng.uniform(0.1, 0.3), rng.uniform(0.7, 0.9)):
            at = round(plate.shape[1] * x), round(ROWS * (0.08 if rng.random() < 0.6 else 0.93))
            cv2.circle(plate, at, int(rng.integers(2, 5)), float(rng.uniform(0, 200)), -1)


def _dirt(plate: Page, rng: Random) -> None:
    """Mud and worn paint: a coarse noise that covers in places."""
    coarse = rng.random((rng.integers(3, 12), rng.integers(3, 20))).astype(np.float32)
    cover = cv2.resize(coarse, (plate.shape[1], ROWS), interpolation=cv2.INTER_CUBIC)
    amount = np.clip((cover - rng.uniform(0.6, 0.95)) * 4, 0, rng.uniform(0.2, 0.7))
    plate += (np.float32(rng.uniform(20, 220)) - plate) * amount
