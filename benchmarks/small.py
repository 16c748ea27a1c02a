"""``python -m benchmarks.small``: how many plates of 12 to 24 pixels' height are read rightly, singly and voted.

Each drawn plate goes by over eight looks, in front of a drawn background and through the codec. Where it is is given,
as a detector would, a little beside the truth; reading, the second reader and the vote are the heavy stage's own.
"""

import argparse
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import process_time

import av
import cv2
import numpy as np

from dashcam.evaluate.engines import Engines, engines
from dashcam.evaluate.measure import calibration_error, reliability
from dashcam.media.images import Image
from dashcam.media.picture import Picture
from dashcam.records import Box
from dashcam.sample.drive import START_LOCAL, encode
from dashcam.sample.plates import STYLES, draw_plate, make_text, plain
from dashcam.vision.engines import Detection
from dashcam.vision.track.pipeline import TrackingPipeline
from dashcam.vision.track.sightings import MergedTrack, sightings

HEIGHTS = ((12, 15), (15, 18), (18, 24))
LOOKS = 8
FPS = 5
SIZE = (320, 180)
OVERSAMPLE = 4


class Given:
    """A detector that is told, look by look, where the plate is."""

    name = "given"
    sha256 = ""

    def __init__(self, boxes: Sequence[Box]) -> None:
        self._boxes = iter(boxes)

    def side(self, width: int, height: int) -> int:
        return max(width, height)

    def detect(self, images: Sequence[Image], side: int | None = None) -> list[list[Detection]]:
        return [[Detection(next(self._boxes), 0.9)] for _ in images]


@dataclass(frozen=True)
class Passing:
    """A plate that goes by: the frames as decoded, and where a detector finds it in each."""

    text: str
    frames: list[Image]
    boxes: list[Box]


def passing(rng: np.random.Generator, height: float) -> Passing:
    """A plate ``height`` pixels high, give or take what it nears, smeared and noisy as a car's camera sees it."""
    style = list(STYLES.values())[rng.integers(len(STYLES))]
    text = make_text(style, rng)
    plate = draw_plate(text, style, OVERSAMPLE * height / style.height_m)
    street = cv2.resize(rng.integers(40, 200, (9, 16, 3)).astype(np.uint8), SIZE, interpolation=cv2.INTER_CUBIC)
    shear, slope = rng.uniform(-0.15, 0.15), rng.uniform(-0.06, 0.06)
    out_of_focus, smear, noise = rng.uniform(0.4, 0.9), rng.uniform(0, 2), rng.uniform(2, 7)
    x, y = rng.uniform(40, 120), rng.uniform(50, 100)
    frames, boxes = [], []
    for look in range(LOOKS):
        scale = 0.93 + 0.02 * look
        x, y = x + rng.uniform(2, 9), y + rng.uniform(-2, 2)
        frames.append(look_at(plate, street, np.array([[scale, scale * shear, x], [scale * slope, scale, y]])))
        light = rng.uniform(0.9, 1.1)
        seen = cv2.GaussianBlur(frames[-1], (0, 0), out_of_focus) * light
        seen = cv2.GaussianBlur(seen, (9, 1), 0.1 + smear * rng.uniform(0, 1))
        frames[-1] = np.clip(seen + rng.normal(0, noise, seen.shape), 0, 255).astype(np.uint8)
        wide, high = plate.shape[1] / OVERSAMPLE * scale, plate.shape[0] / OVERSAMPLE * scale
        left, right = x + min(0, shear * high), x + wide + max(0, shear * high)
        top, bottom = y + min(0, slope * wide), y + high + max(0, slope * wide)
        jitter = rng.normal(0, 0.04, 4) * high
        boxes.append((left - 1 + jitter[0], top - 1 + jitter[1], right + 1 + jitter[2], bottom + 1 + jitter[3]))
    return Passing(plain(text), list(decoded(frames)), boxes)


def look_at(plate: Image, street: Image, place: np.ndarray) -> Image:
    """The street with the plate on it where ``place``, an affine map of whole pixels, puts it."""
    large = (SIZE[0] * OVERSAMPLE, SIZE[1] * OVERSAMPLE)
    placed = place * np.array([1, 1, OVERSAMPLE])
    canvas = cv2.resize(street, large, interpolation=cv2.INTER_LINEAR)
    cv2.warpAffine(plate, placed, large, dst=canvas, borderMode=cv2.BORDER_TRANSPARENT)
    return np.asarray(cv2.resize(canvas, SIZE, interpolation=cv2.INTER_AREA), np.uint8)


def decoded(frames: Sequence[Image]) -> Iterator[Image]:
    """The frames after the codec, each of the drive's quality."""
    with av.open(io.BytesIO(encode(iter(frames), SIZE, FPS, START_LOCAL))) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="bgr24")


def seen(plate: Passing, used: Engines) -> list[MergedTrack]:
    """The sightings that the heavy stage makes of it."""
    pipeline = TrackingPipeline(Given(plate.boxes), used.reader, FPS, lambda picture: None, used.second)
    for look, frame in enumerate(plate.frames):
        pipeline.full_frame([Picture.of(round(1000 * look / FPS), look / FPS, frame)])
    return sightings(pipeline.finish())


def measure(low: int, high: int, tracks: int, seed: int, used: Engines) -> list[tuple[float, bool]]:
    """Prints one band of heights; the votes' confidences, and whether they are right."""
    rng = np.random.default_rng((seed, low))
    count: Counter[str] = Counter()
    answers = []
    spent = 0.0
    for _ in range(tracks):
        plate = passing(rng, rng.uniform(low, high))
        began = process_time()
        found = seen(plate, used)
        spent += process_time() - began
        best = max(found, key=lambda one: len(one.evidence), default=None)
        if best:
            answers.append((best.vote.confidence, best.vote.text == plate.text))
        count["right"] += best is not None and best.vote.text == plate.text
        count["confirmed"] += any(one.confirmed for one in found)
        count["wrongly"] += any(one.confirmed and one.vote.text != plate.text for one in found)
        own = [e.read.text for one in found for e in one.evidence if e.read.reader is None]
        count["reads"] += LOOKS
        count["single"] += own.count(plate.text)
    print(
        f"{low} to {high} px: {tracks} tracks, single reads {count['single'] / count['reads']:.3f} right, "
        f"voted {count['right'] / tracks:.3f} ({tracks - count['right']} wrong), {count['confirmed']} confirmed, "
        f"{count['wrongly']} wrongly, {1000 * spent / tracks:.0f} ms of CPU a track",
        flush=True,
    )
    return answers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tracks", type=int, default=60, help="drawn for each band of heights")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    used = engines("auto")
    bands = reliability([one for low, high in HEIGHTS for one in measure(low, high, args.tracks, args.seed, used)])
    print(f"calibration error {100 * (calibration_error(bands) or 0):.1f} %")


if __name__ == "__main__":
    main()
