"""One folder as ultralytics wants it, from the labelled photographs: links to the pictures, one label file each.

Plates have people's boxes; cars, motorcycles, buses and trucks those that the COCO network sees. Nothing of
``openalpr-endtoend`` is read.
"""

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ultralytics import YOLO

CLASSES = ("plate", "car", "motorcycle", "bus", "truck")
COCO = {2: 1, 3: 2, 5: 3, 7: 4}
"""The COCO network's classes to ours."""
SURE = 0.4
SOURCES = (
    "plates-street/train", "plates-street/valid", "plates-street/test", "incar-romania", "plates-world/openlpr",
    "plates-world/openlpr_more", "plates-world/openimages_plates", "plates-world/kaggle_car",
)  # fmt: skip
HELD_OUT = {"plates-street/test": 1.0, "incar-romania": 0.2, "plates-world/openimages_plates": 0.2}
"""Share kept for measuring, of the rest a tenth; of a drive its end, because neighbours in time are nearly the same."""


@dataclass(frozen=True)
class Picture:
    source: str
    image: Path
    label: Path
    held_out: bool

    @property
    def name(self) -> str:
        return f"{self.source.replace('/', '-')}-{self.image.stem}"


def pictures(data: Path) -> list[Picture]:
    """Every photograph with a label file."""
    return [picture for source in SOURCES for picture in _of(data, source)]


def gathered(data: Path, folder: Path, coco: Path, *, threads_batch: int = 16) -> Path:
    """Fills ``folder`` and gives the path of its ``data.yaml``; what is there from an earlier run is kept."""
    listing = folder / "data.yaml"
    if listing.exists():
        return listing
    parts: dict[str, list[Picture]] = {"train": [], "val": []}
    for picture in pictures(data):
        parts["val" if picture.held_out else "train"].append(picture)
    network = YOLO(coco)
    for part, chosen in parts.items():
        for kind in ("images", "labels"):
            (folder / kind / part).mkdir(parents=True, exist_ok=True)
        for i in range(0, len(chosen), threads_batch):
            some = chosen[i : i + threads_batch]
            for picture, vehicles in zip(some, _vehicles(network, some), strict=True):
                _place(picture, vehicles, folder, part)
    names = "".join(f"  {i}: {name}\n" for i, name in enumerate(CLASSES))
    listing.write_text(f"path: {folder.absolute()}\ntrain: images/train\nval: images/val\nnames:\n{names}")
    return listing


def _of(data: Path, source: str) -> Iterator[Picture]:
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
            yield Picture(source, image, label, held_out)


def _vehicles(network: YOLO, some: Sequence[Picture]) -> list[list[str]]:
    """YOLO label lines of the vehicles in each picture."""
    found = network.predict([p.image for p in some], imgsz=512, conf=SURE, classes=list(COCO), verbose=False)
    return [
        [
            f"{COCO[int(kind)]} " + " ".join(f"{v:.5f}" for v in box)
            for kind, box in zip(result.boxes.cls.tolist(), result.boxes.xywhn.tolist(), strict=True)
        ]
        for result in found
    ]


def _place(picture: Picture, vehicles: Sequence[str], folder: Path, part: str) -> None:
    plates = ["0 " + " ".join(line.split()[1:5]) for line in picture.label.read_text().splitlines() if line.strip()]
    link = folder / "images" / part / f"{picture.name}{picture.image.suffix}"
    link.unlink(missing_ok=True)
    link.symlink_to(picture.image.absolute())
    (folder / "labels" / part / f"{picture.name}.txt").write_text("\n".join([*plates, *vehicles]) + "\n")
