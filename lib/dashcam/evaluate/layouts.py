"""Labelled pictures in the three layouts that public sets come in."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dashcam import Explained
from dashcam.records import Box

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


class Unusable(Explained):
    """The labelled data is not there or not as it should be. The message is one plain sentence."""


@dataclass(frozen=True)
class LabelledPicture:
    """One picture. ``boxes`` are pixels, or shares of the picture when ``relative``; without one the picture is a
    plate's crop. ``text`` is A-Z and 0-9 only, None where nobody wrote it down."""

    file: Path
    boxes: tuple[Box, ...] = ()
    relative: bool = False
    text: str | None = None


@dataclass(frozen=True)
class Labelled:
    """``plates``: whole pictures, each with a plate and its text; ``boxes``: only places; ``crops``: only texts."""

    layout: Literal["plates", "boxes", "crops"]
    pictures: Sequence[LabelledPicture]


def labelled(data: Path) -> Labelled:
    """What lies in ``data``: ``labels.csv`` beside ``images/`` (crops), ``labels/`` beside ``images/`` (YOLO), or text
    files of OpenALPR's benchmark at any depth. Raises `Unusable`."""
    if not data.is_dir():
        raise Unusable(f"There is no folder {data}: name one with labelled pictures.")
    if (data / "labels.csv").is_file():
        found = Labelled("crops", _crops(data))
    elif (data / "labels").is_dir() and (data / "images").is_dir():
        found = Labelled("boxes", _yolo(data))
    else:
        found = Labelled("plates", [t for file in sorted(data.rglob("*.txt")) for t in _openalpr(file)])
    if not found.pictures:
        raise Unusable(
            f"{data} holds no labelled pictures: wanted are labels.csv, images/ with labels/ (YOLO), or .txt files "
            "with 'file x y w h text', tab-separated."
        )
    return found


def plain(text: str) -> str:
    """As plates are compared: capital letters and digits alone."""
    return re.sub(r"[^0-9A-Z]", "", text.upper())


def _openalpr(file: Path) -> list[LabelledPicture]:
    truths = []
    for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        parts = line.split("\t")
        if len(parts) < 6:
            continue
        try:
            x, y, w, h = (float(part) for part in parts[1:5])
        except ValueError as error:
            raise Unusable(f"{file}, line {number}: the box is no four numbers.") from error
        # the name alone: a label must not lead out of its folder
        truths.append(LabelledPicture(file.parent / Path(parts[0]).name, ((x, y, x + w, y + h),), text=plain(parts[5])))
    return truths


def _yolo(data: Path) -> list[LabelledPicture]:
    truths = []
    for picture in sorted(p for p in (data / "images").iterdir() if p.suffix.lower() in PICTURES):
        label = data / "labels" / f"{picture.stem}.txt"
        if label.is_file():
            truths.append(LabelledPicture(picture, tuple(_yolo_boxes(label)), relative=True))
    return truths


def _yolo_boxes(label: Path) -> list[Box]:
    boxes: list[Box] = []
    for number, line in enumerate(label.read_text().splitlines(), 1):
        if line.strip():
            try:
                cx, cy, w, h = (float(part) for part in line.split()[1:5])
            except ValueError as error:
                raise Unusable(f"{label}, line {number}: wanted is 'class cx cy w h'.") from error
            boxes.append((cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2))
    return boxes


def _crops(data: Path) -> list[LabelledPicture]:
    table = data / "labels.csv"
    with table.open(newline="", encoding="utf-8", errors="replace") as file:
        rows = csv.DictReader(file)
        if not {"file", "text"} <= set(rows.fieldnames or ()):
            raise Unusable(f"{table} needs the columns 'file' and 'text'.")
        return [
            LabelledPicture(data / "images" / Path(row["file"]).name, text=plain(row["text"] or "")) for row in rows
        ]
