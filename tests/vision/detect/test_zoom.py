"""What a detector doubts is looked at once more, zoomed in, what it is sure of is not."""

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashcam.config import DeviceSettings
from dashcam.evaluate.engines import engines
from dashcam.evaluate.measure import matched, scaled
from dashcam.media.images import Image
from dashcam.vision.detect.onnx_detector import OnnxPlateDetector, quickest_weights
from dashcam.vision.detect.zoom import AROUND, DOUBTED, MOST_ZOOMED, ZOOM_SIDE, ZoomedDetector, zoom_window
from dashcam.vision.engines import Detection
from dashcam.vision.factory import detector_of
from training.detector.pictures import pictures

WIDTH, HEIGHT = 1000, 600
FRAME = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
BOX = (400.0, 300.0, 460.0, 320.0)
PART = zoom_window(BOX, WIDTH, HEIGHT)


class Says:
    """A detector that answers a whole frame with ``first`` and each part of it with ``then``."""

    name, sha256 = "says", "0"

    def __init__(self, first: list[Detection], then: Callable[[Image], list[Detection]]) -> None:
        self.first, self.then, self.parts = first, then, 0

    def side(self, width: int, height: int) -> int:
        return 640

    def detect(self, images: Sequence[Image], side: int | None = None) -> list[list[Detection]]:
        if images[0].shape == FRAME.shape:
            return [self.first for _ in images]
        assert side == ZOOM_SIDE
        self.parts += len(images)
        return [self.then(image) for image in images]


def within_part(score: float, shift: float = 0.0) -> list[Detection]:
    x0, y0, x1, y1 = BOX
    return [Detection((x0 - PART[0] + shift, y0 - PART[1], x1 - PART[0] + shift, y1 - PART[1]), score)]


def test_a_sure_box_is_not_looked_at_again() -> None:
    says = Says([Detection(BOX, 0.9)], lambda part: [])
    assert ZoomedDetector(says).detect([FRAME]) == [[Detection(BOX, 0.9)]]
    assert says.parts == 0


def test_a_box_in_doubt_gets_the_mean_of_both_looks_and_the_place_of_the_second() -> None:
    (found,) = ZoomedDetector(Says([Detection(BOX, 0.2)], lambda part: within_part(0.8, 3))).detect([FRAME])
    assert [d.score for d in found] == [pytest.approx(0.5)]
    assert found[0].box == pytest.approx((403, 300, 463, 320))


@pytest.mark.parametrize("then", [[], within_part(0.9, 200)], ids=["nothing", "something else"])
def test_what_is_not_seen_again_is_no_plate(then: list[Detection]) -> None:
    assert ZoomedDetector(Says([Detection(BOX, 0.65)], lambda part: then)).detect([FRAME]) == [[]]


def test_the_likeliest_few_are_looked_at_and_the_rest_keeps_its_score() -> None:
    many = [Detection((20.0 + 90 * i, 50, 80 + 90 * i, 70), 0.6 - 0.02 * i) for i in range(10)]
    says = Says(many, lambda part: [])
    (found,) = ZoomedDetector(says).detect([FRAME])
    assert says.parts == MOST_ZOOMED
    assert found == many[MOST_ZOOMED:]


def test_a_box_that_moves_onto_another_plates_is_told_once() -> None:
    sure = Detection((BOX[0] + 4, BOX[1], BOX[2] + 4, BOX[3]), 0.95)
    says = Says([sure, Detection(BOX, 0.5)], lambda part: within_part(0.9))
    assert ZoomedDetector(says).detect([FRAME]) == [[sure]]


@given(
    st.tuples(st.floats(0, 990), st.floats(0, 590), st.floats(2, 1000), st.floats(2, 600)).map(
        lambda b: (b[0], b[1], min(WIDTH, b[0] + b[2]), min(HEIGHT, b[1] + b[3]))
    )
)
def test_the_surroundings_hold_the_box_and_lie_in_the_picture(box: tuple[float, float, float, float]) -> None:
    x0, y0, x1, y1 = zoom_window(box, WIDTH, HEIGHT)
    assert 0 <= x0 < x1 <= WIDTH and 0 <= y0 < y1 <= HEIGHT
    assert x0 <= box[0] and y0 <= box[1] and x1 >= int(box[2]) and y1 >= int(box[3])
    assert x1 - x0 <= AROUND * max(box[2] - box[0], 2 * (box[3] - box[1])) + 1


def test_on_real_pictures_it_finds_as_many_plates_and_takes_less_for_one(shared: Path) -> None:
    """The end of each in-car drive and the street photographs kept aside, in floats, so that every processor agrees."""
    plain = OnnxPlateDetector()
    zoomed = ZoomedDetector(OnnxPlateDetector(min_score=DOUBTED))
    counts = {plain: [0, 0], zoomed: [0, 0]}
    for picture in pictures(shared / "data"):
        if not picture.held_out or picture.source not in ("incar-romania", "plates-street/test"):
            continue
        image = cv2.imread(str(picture.image))
        lines = [[float(v) for v in line.split()[1:5]] for line in picture.label.read_text().splitlines() if line]
        boxes = [scaled((x - w / 2, y - h / 2, x + w / 2, y + h / 2), image) for x, y, w, h in lines]
        for detector, count in counts.items():
            found, spurious = matched(boxes, detector.detect([image])[0])
            count[0] += sum(found)
            count[1] += spurious
    assert counts[zoomed][0] >= counts[plain][0]
    assert counts[zoomed][1] < counts[plain][1]


def test_the_pipeline_and_the_evaluation_look_twice(shared: Path) -> None:
    weights = quickest_weights()
    twice = ZoomedDetector(OnnxPlateDetector(weights, threads=1, min_score=DOUBTED))
    pipeline = detector_of(DeviceSettings(threads=1))
    files = [p.image for p in pictures(shared / "data") if p.held_out and p.source == "incar-romania"][:20]
    images = [cv2.imread(str(file)) for file in files]
    expected = twice.detect(images)
    assert pipeline.detect(images) == expected
    assert engines("own", threads=1).detector.detect(images) == expected
    assert OnnxPlateDetector(weights, threads=1).detect(images) != expected
    assert ZoomedDetector(OnnxPlateDetector(weights, threads=1)).detect(images) != expected
