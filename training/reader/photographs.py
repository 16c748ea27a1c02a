"""Photographed crops with their texts: people's and confirmed labels, and a teacher's on crops without any.

Nothing of ``openalpr-endtoend`` and ``vn_cz_hr`` is read, and plates that the measurements ask for are left out
wherever they turn up. Of every set a part, chosen by the file name's hash, is kept for validation.
"""

import csv
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from training.reader.degrade import Grey, Random, degraded, fitted
from training.reader.plates import Sample, SlotTargets
from training.reader.shapes import ALPHABET

HELD_OUT = {
    "plate-crops-us": 0.2,
    "plate-crops-world/br_openalpr": 0.1,
    "plate-crops-world/eu_machine_read": 0.1,
    "plate-crops-world/eu_twoline": 0.5,
    "plate-crops-world/ar": 0.3,
    "plate-crops-world/cn_ccpd": 0.1,
}
BOXED = (
    "plates-street/train", "plates-street/valid", "incar-romania",
    "plates-world/openlpr", "plates-world/openlpr_more", "plates-world/kaggle_car",
)  # fmt: skip
TAUGHT_FROM = 0.6
"""A teacher's label counts when its mean over three looks gives each character at least this; doubts are taught too."""
TIGHT = ("plate-crops-us",)
"""Crops of whole plates with much small print: people, and some detectors, box only the band with the characters."""
AROUND = 0.2
"""Share of a box's width and height that a taught crop keeps on every side: detectors box frames and dealers too."""
ASKED_FOR = ("LT23CGK", "DX17ZWH", "BR07AAC", "B577PRO")


@dataclass(frozen=True)
class Photograph:
    """``image`` is grey, at most 80 rows of plate; ``slots`` a teacher's 10 x 37 probabilities, None when people said
    it; ``around`` the share of the plate's width and height that the image holds beside it on every side."""

    source: str
    image: Grey
    text: str
    held_out: bool
    slots: SlotTargets | None = None
    around: float = 0

    def sample(self, rng: Random, harm: float) -> Sample:
        """What the network learns from this crop."""
        return Sample(fitted(self.worse(rng, harm)), self.text, None, self.slots)

    @property
    def plate(self) -> Grey:
        """The image without what is around the plate."""
        rows, columns = self.image.shape
        y, x = (round(side * self.around / (1 + 2 * self.around)) for side in (rows, columns))
        return self.image[y : rows - y, x : columns - x]

    def worse(self, rng: Random, harm: float, near: float | None = None) -> Grey:
        """The crop a little askew and worse than it was, at ``near`` of its height (None: any), 13 rows at least."""
        crop = _askew(self.image, rng, self.source in TIGHT and rng.random() < 0.4, self.around)
        near = float(np.exp(-rng.uniform(0, 1.6 * harm))) if near is None else near
        return degraded(crop, rng, max(13, crop.shape[0] * near), harm)


@dataclass(frozen=True)
class ListedPhotograph:
    source: str
    image: Path
    text: str
    held_out: bool


def listed(data: Path) -> Iterator[ListedPhotograph]:
    """What the folders of crops with ``labels.csv`` hold, but the plates that the measurements ask for."""
    asked = _asked(data)
    for source, share in HELD_OUT.items():
        with (data / source / "labels.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                text = re.sub(r"[^0-9A-Z]", "", row["text"].upper())
                if 2 <= len(text) <= 10 and text not in asked:
                    yield ListedPhotograph(
                        source, data / source / "images" / row["file"], text, _held_out(row["file"], share)
                    )


def labelled(data: Path) -> list[Photograph]:
    """Those crops as the reader sees them."""
    found = []
    for crop in listed(data):
        image = cv2.imread(str(crop.image), cv2.IMREAD_GRAYSCALE)
        if image is not None:
            found.append(Photograph(crop.source, _small(image), crop.text, crop.held_out))
    return found


def taught(data: Path, teacher: Path) -> Iterator[Photograph]:
    """Crops of the detector's sets, where the teacher (fast-plate-ocr's network) is sure of every character."""
    session = onnxruntime.InferenceSession(str(teacher), providers=["CPUExecutionProvider"])
    asked = _asked(data)
    for source in BOXED:
        for picture in sorted((data / source / "images").iterdir()):
            image = cv2.imread(str(picture))
            label = data / source / "labels" / f"{picture.stem}.txt"
            for crop, around in _boxes(image, label) if image is not None and label.exists() else ():
                text, slots = _teach(session, crop)
                if 4 <= len(text) <= 10 and not any(_close(text, plate) for plate in asked):
                    grey = _small(cv2.cvtColor(around, cv2.COLOR_BGR2GRAY), round(80 * (1 + 2 * AROUND)))
                    yield Photograph(f"taught/{source}", grey, text, _held_out(picture.name, 0.05), slots, AROUND)


def _asked(data: Path) -> set[str]:
    files = (data / "openalpr-endtoend").rglob("*.txt")
    return {f.read_text().split("\t")[5].strip() for f in files} | set(ASKED_FOR)


def _close(text: str, plate: str) -> bool:
    return text == plate or (len(text) == len(plate) and sum(a != b for a, b in zip(text, plate, strict=True)) <= 2)


def _held_out(name: str, share: float) -> bool:
    return zlib.crc32(name.encode()) % 1000 < 1000 * share


def _small(image: Grey, rows: int = 80) -> Grey:
    if image.shape[0] <= rows:
        return image
    return cv2.resize(image, (round(image.shape[1] * rows / image.shape[0]), rows), interpolation=cv2.INTER_AREA)


def _boxes(image: NDArray[np.uint8], label: Path) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Each labelled plate, a little looser than its box, and with `AROUND`."""
    rows, columns = image.shape[:2]
    for line in label.read_text().splitlines():
        _, cx, cy, w, h = (float(v) for v in line.split()[:5])
        x0, x1 = round((cx - 0.52 * w) * columns), round((cx + 0.52 * w) * columns)
        y0, y1 = round((cy - 0.53 * h) * rows), round((cy + 0.53 * h) * rows)
        crop = image[max(0, y0) : y1, max(0, x0) : x1]
        if crop.shape[0] >= 14 and crop.shape[1] >= 24:
            share = 1 + 2 * AROUND
            size = (round(w * columns * share), round(h * rows * share))
            # beyond the photograph's edge its last pixels are repeated
            yield crop, cv2.getRectSubPix(image, size, (cx * columns - 0.5, cy * rows - 0.5))


def _teach(session: onnxruntime.InferenceSession, crop: NDArray[np.uint8]) -> tuple[str, SlotTargets]:
    looks = [crop[y : crop.shape[0] - y, x : crop.shape[1] - x] for x, y in ((0, 0), (1, 1), (2, 0))]
    given = np.stack([cv2.cvtColor(cv2.resize(look, (128, 64)), cv2.COLOR_BGR2RGB) for look in looks])
    slots: SlotTargets = np.asarray(session.run(["plate"], {"input": given})[0]).mean(0).astype(np.float32)
    if slots.max(1).min() < TAUGHT_FROM:
        return "", slots
    return "".join((ALPHABET + "_")[i] for i in slots.argmax(1)).rstrip("_").replace("_", "?"), slots


def _askew(image: Grey, rng: Random, tight: bool, around: float) -> Grey:
    rows, columns = image.shape
    source = np.array([(0, 0), (columns, 0), (columns, rows), (0, rows)], np.float32)
    turn, lean = rng.normal(0, 0.025), rng.normal(0, 0.06)
    moved = source + rng.normal(0, 0.02, (4, 2)) * rows
    moved[:, 1] += (moved[:, 0] - columns / 2) * turn
    moved[:, 0] += (moved[:, 1] - rows / 2) * lean
    # most boxes fit, a detector's now and then hold a fifth too much
    cut = rng.uniform(-0.02, 0.08 if rng.random() < 0.8 else 0.2, 4) * (columns, rows, columns, rows)
    if tight:
        cut -= rng.uniform(0, (0.05, 0.2, 0.05, 0.2)) * np.array((columns, rows, columns, rows))
    share = 1 + 2 * around
    cut = (cut - np.array((columns, rows, columns, rows)) * around) / share
    moved = (moved + cut[:2]) * ((columns, rows) / (np.array([columns, rows]) + cut[:2] + cut[2:])) / share
    matrix = cv2.getPerspectiveTransform(source, moved.astype(np.float32))
    size = (round(columns / share), round(rows / share))
    return cv2.warpPerspective(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
