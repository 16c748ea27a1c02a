"""One folder as ultralytics wants it, from the labelled photographs: links to the pictures, one label file each.

Plates have people's boxes; cars, motorcycles, buses and trucks those that the COCO network sees. Nothing of
``openalpr-endtoend`` is read.
"""

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from dashcam.records import Box
from dashcam.vision.engines import Detector, iou

CLASSES = ("plate", "car", "motorcycle", "bus", "truck")
COCO = {2: 1, 3: 2, 5: 3, 7: 4}
"""The COCO network's classes to ours."""
VEHICLE_FROM = 0.4
"""Score from which the COCO network's vehicles are taught."""
SOURCES = (
    "plates-street/train", "plates-street/valid", "plates-street/test", "incar-romania", "plates-world/openlpr",
    "plates-world/openlpr_more", "plates-world/openimages_plates", "plates-world/kaggle_car",
)  # fmt: skip
HELD_OUT = {"plates-street/test": 1.0, "incar-romania": 0.2, "plates-world/openimages_plates": 0.2}
"""Share kept for measuring, of the rest a tenth; of a drive its end, because neighbours in time are nearly the same."""
OFTEN = {"plates-world/openimages_plates": 3, "plates-world/kaggle_car": 2}
"""How often a picture comes in an epoch, against 1: few, but of cars and places that the others lack."""
LOOSE = ("incar-romania", "plates-world/openlpr", "plates-world/openlpr_more")
"""Boxes here are a tenth too wide and a sixth too tall, far plates more so (a network that learnt from them missed IoU
0.5 on 9 of 165 openalpr plates that it had found): where the teacher sees the same plate, its box is taken."""
SAME_IOU = 0.4


@dataclass(frozen=True)
class TrainingPicture:
    source: str
    image: Path
    label: Path
    held_out: bool

    @property
    def name(self) -> str:
        return f"{self.source.replace('/', '-')}-{self.image.stem}"


def pictures(data: Path) -> list[TrainingPicture]:
    """Every photograph with a label file."""
    return [picture for source in SOURCES for picture in _of(data, source)]


def gathered(data: Path, folder: Path, coco: Path, teacher: Detector, *, batch: int = 16) -> Path:
    """Fills ``folder`` and gives the path of its ``data.yaml``; what is there from an earlier run is kept."""
    listing = folder / "data.yaml"
    if listing.exists():
        return listing
    parts: dict[str, list[TrainingPicture]] = {"train": [], "val": []}
    for picture in pictures(data):
        parts["val" if picture.held_out else "train"].append(picture)
    from ultralytics import YOLO

    network = YOLO(coco)
    for part, chosen in parts.items():
        for kind in ("images", "labels"):
            (folder / kind / part).mkdir(parents=True, exist_ok=True)
        for i in range(0, len(chosen), batch):
            some = chosen[i : i + batch]
            for picture, vehicles in zip(some, _vehicles(network, some), strict=True):
                _place(picture, [*_plates(picture, teacher), *vehicles], folder, part)
    lines = [f"./images/train/{p.name}{p.image.suffix}\n" * OFTEN.get(p.source, 1) for p in parts["train"]]
    (folder / "train.txt").write_text("".join(lines))
    names = "".join(f"  {i}: {name}\n" for i, name in enumerate(CLASSES))
    listing.write_text(f"path: {folder.absolute()}\ntrain: train.txt\nval: images/val\nnames:\n{names}")
    return listing


def _of(data: Path, source: str) -> Iterator[TrainingPicture]:
    images = sorted((data / source / "images").iterdir())
    share = HELD_OUT.get(source, 0.1)
    for i, image in enumerate(images):
        label = data / source / "labels" / f"{image.stem}.txt"
        drive = re.match(r"(.+)_\d+$", image.stem) if source == "incar-romania" else None
        if drive:
            ride = [other for other in images if other.stem.startswith(drive[1])]
            held_out = ride.index(image) >= (1 - share) * len(ride)
        else:
            held_out = zlib.crc32(images[i].name.encode()) % 1000 < 1000 * share
        if label.exists():
            yield TrainingPicture(source, image, label, held_out)


def _vehicles(network: Any, some: Sequence[TrainingPicture]) -> list[list[str]]:
    """YOLO label lines of the vehicles in each picture."""
    found = network.predict([p.image for p in some], imgsz=512, conf=VEHICLE_FROM, classes=list(COCO), verbose=False)
    return [
        [
            f"{COCO[int(kind)]} " + " ".join(f"{v:.5f}" for v in box)
            for kind, box in zip(result.boxes.cls.tolist(), result.boxes.xywhn.tolist(), strict=True)
        ]
        for result in found
    ]


def _plates(picture: TrainingPicture, teacher: Detector) -> list[str]:
    """YOLO label lines of the plates."""
    lines = [line.split()[1:5] for line in picture.label.read_text().splitlines() if line.strip()]
    boxes = [(x - w / 2, y - h / 2, x + w / 2, y + h / 2) for x, y, w, h in (map(float, line) for line in lines)]
    if picture.source in LOOSE:
        image = cv2.imread(str(picture.image))
        rows, columns = image.shape[:2]
        seen = [
            (d.box[0] / columns, d.box[1] / rows, d.box[2] / columns, d.box[3] / rows)
            for d in teacher.detect([image])[0]
        ]
        boxes = [_nearest(box, seen) for box in boxes]
    return [f"0 {(a + c) / 2:.6f} {(b + d) / 2:.6f} {c - a:.6f} {d - b:.6f}" for a, b, c, d in boxes]


def _nearest(box: Box, seen: Sequence[Box]) -> Box:
    return max((s for s in seen if iou(s, box) >= SAME_IOU), key=lambda s: iou(s, box), default=box)


def _place(picture: TrainingPicture, lines: Sequence[str], folder: Path, part: str) -> None:
    link = folder / "images" / part / f"{picture.name}{picture.image.suffix}"
    link.unlink(missing_ok=True)
    link.symlink_to(picture.image.absolute())
    (folder / "labels" / part / f"{picture.name}.txt").write_text("\n".join(lines) + "\n")
