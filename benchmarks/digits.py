"""``python -m benchmarks.digits``: how many plates of digits alone are confirmed, and what else of digits is.

Drives are drawn whose plates have four to seven digits each (Gulf, Israel, trailers). Photographs of streets with
labelled plates are moved past as if driven by: what is confirmed of digits alone and lies on no plate is false.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from dashcam.evaluate.clips import evaluate_clips
from dashcam.evaluate.engines import Engines, engines
from dashcam.evaluate.layouts import LabelledPicture, labelled
from dashcam.media.images import Image
from dashcam.media.picture import Picture
from dashcam.records import Box
from dashcam.sample.drive import write_drive
from dashcam.sample.plates import PlateStyle
from dashcam.vision.track.pipeline import TrackingPipeline
from dashcam.vision.track.sightings import MergedTrack, sightings

PHOTOGRAPHS = ("plates-street/valid", "plates-street/test", "photos-in-nl", "plates-world/openimages_plates")
FRAMES = 8
STEP = 0.02
"""Of the picture's width, that it moves from frame to frame."""
FPS = 5.0


def numbers(style: PlateStyle, rng: np.random.Generator) -> str:
    """Four to seven digits, whatever the country."""
    return "".join(str(digit) for digit in rng.integers(0, 10, rng.integers(4, 8)))


def drives(seeds: Sequence[int], folder: Path) -> None:
    """Prints, for each drawn drive, how many of its plates are read and confirmed, and who was confirmed wrongly."""
    for seed in seeds:
        write_drive(folder / str(seed), seed=seed, text=numbers)
        report = evaluate_clips(folder / str(seed))
        right = round(report.exact_voted * report.plates)
        confirmed = round(report.confirmed * report.plates)
        print(
            f"drive {seed}: {right} of {report.plates} read rightly, {confirmed} confirmed, "
            f"{report.wrong_confirmed} wrongly",
            flush=True,
        )


def passing(image: Image) -> Iterator[Image]:
    """The picture as it goes by: each frame lies ``STEP`` further to the left and is a little larger."""
    height, width = image.shape[:2]
    for index in range(FRAMES):
        scale = 1 + 0.01 * index
        move = np.array([[scale, 0, -STEP * index * width], [0, scale, -0.005 * index * height]], np.float32)
        yield cv2.warpAffine(image, move, (width, height), borderMode=cv2.BORDER_REPLICATE)


def tracked(image: Image, used: Engines) -> list[MergedTrack]:
    """The sightings of a photograph that goes by."""
    pipeline = TrackingPipeline(used.detector, used.reader, FPS, lambda picture: None, used.second)
    for index, frame in enumerate(passing(image)):
        pipeline.full_frame([Picture.of(round(1000 * index / FPS), index / FPS, frame)])
    return sightings(pipeline.finish())


def on_a_plate(box: Box, t_s: float, truth: LabelledPicture, size: tuple[int, int]) -> bool:
    """Whether the box's middle, put back to where it was in the photograph, lies in a labelled plate."""
    width, height = size
    index = t_s * FPS
    scale = 1 + 0.01 * index
    x = ((box[0] + box[2]) / 2 + STEP * index * width) / scale
    y = ((box[1] + box[3]) / 2 + 0.005 * index * height) / scale
    return any(x0 * width <= x <= x1 * width and y0 * height <= y <= y1 * height for x0, y0, x1, y1 in truth.boxes)


def photographs(data: Path) -> None:
    """Prints what of digits alone is confirmed on each set, on a plate and beside one."""
    used = engines("auto")
    for name in PHOTOGRAPHS:
        pictures = labelled(data / name).pictures
        on, beside = 0, []
        for truth in pictures:
            image = cv2.imread(str(truth.file))
            assert image is not None, truth.file
            for one in tracked(image, used):
                if one.confirmed and one.vote.text.isdigit():
                    read = one.best.read
                    if on_a_plate(read.box, read.t_s, truth, (image.shape[1], image.shape[0])):
                        on += 1
                    else:
                        beside.append(f"{one.vote.text} in {truth.file.name}")
        print(f"{name}: {len(pictures)} photographs, {on} on plates, {len(beside)} beside: {beside}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="how many drives are drawn")
    shared = Path(os.environ.get("DASHCAM_SHARED") or "../shared")
    parser.add_argument("--data", type=Path, default=shared / "data")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        drives(range(1, 1 + args.seeds), Path(folder))
    photographs(args.data)


if __name__ == "__main__":
    main()
