"""Plates are followed though they jump, and the best few crops of each are kept, spread in time."""

import numpy as np
import pytest

from dashcam.media.picture import Picture
from dashcam.records import Box
from dashcam.vision.engines import Detection, PlateText
from dashcam.vision.read.voting import vote
from dashcam.vision.track.pipeline import KEPT_CROPS, NEW, SECOND_READS, SMALL, TrackingPipeline, Tracklet, cut_out
from dashcam.vision.track.tracker import PlateTracker

FRAME = np.random.default_rng(0).integers(0, 255, (720, 1280, 3), dtype=np.uint8)


def frame(index: int) -> Picture:
    return Picture.of(index * 3000, index / 5, FRAME)


def follow(boxes_by_time: dict[float, list[Box]]) -> list[list[int | None]]:
    tracker = PlateTracker(5)
    return [tracker.update(t, [Detection(b, 0.8) for b in boxes]) for t, boxes in boxes_by_time.items()]


def moved(x: float, y: float = 300) -> Box:
    return (x, y, x + 90, y + 25)


def test_a_plate_that_jumps_by_its_own_width_is_one_track() -> None:
    numbers = follow({i / 5: [moved(100 + 80 * i)] for i in range(8)})
    assert numbers[0] == [None]
    assert {n[0] for n in numbers[1:]} == {numbers[1][0]} != {None}


def test_two_plates_side_by_side_keep_their_numbers() -> None:
    numbers = follow({i / 5: [moved(100 + 20 * i), moved(700 - 20 * i)] for i in range(8)})[1:]
    left, right = {n[0] for n in numbers}, {n[1] for n in numbers}
    assert len(left) == len(right) == 1
    assert left != right


def test_a_plate_hidden_for_a_moment_keeps_its_number() -> None:
    numbers = follow({i / 5: [moved(300)] if i not in (4, 5) else [] for i in range(9)})
    assert numbers[3] == numbers[8]


def test_a_second_without_it_is_forgotten_only_by_the_tracker() -> None:
    numbers = follow({0.0: [moved(300)], 0.2: [moved(300)], 9.0: [moved(300)], 9.2: [moved(300)]})
    assert numbers[1] != numbers[3]


def test_few_crops_are_kept_the_promising_ones_and_spread() -> None:
    tracklet = Tracklet()
    for i in range(60):
        tracklet.offer(cut_out(frame(i), (100, 100, 190, 125 + (i == 33)), 0.95 if i == 33 else 0.6))
    times = [c.t_s for c in tracklet.crops]
    assert len(times) == KEPT_CROPS
    assert 33 / 5 in times
    assert max(times) - min(times) > 6


def test_a_crop_holds_the_frame_that_is_read_and_not_the_frame_itself() -> None:
    crop = cut_out(frame(1), (100, 100, 200, 140), 0.9)
    assert np.array_equal(crop.to_read(), FRAME[100:140, 100:200])
    assert crop.shown.shape[1] > crop.to_read().shape[1]
    assert crop.shown.base is None


class _Painted:
    """A detector of one box per frame, and a reader that says when it is asked."""

    name, sha256 = "painted", "0" * 64

    def __init__(self) -> None:
        self.most_crops = 0

    def side(self, width, height):
        return 640

    def detect(self, images, side=None):
        return [[Detection(moved(300), 0.9)] for _ in images]

    def read(self, crops):
        self.most_crops = max(self.most_crops, len(crops))
        return [PlateText("AB12CDE", 0.9, [{sign: 0.9} for sign in "AB12CDE"]) for _ in crops]


def test_a_plate_that_stands_for_a_minute_is_read_a_few_times() -> None:
    engine, frames = _Painted(), []
    pipeline = TrackingPipeline(engine, engine, 5, lambda picture: frames.append(picture.pts))
    news = [pipeline.full_frame([frame(i)])[0] for i in range(300)]
    found = pipeline.finish()
    assert [len(t.seen) for t in found] == [1, 299]  # a track starts with its second detection
    assert engine.most_crops == KEPT_CROPS
    assert {e.read.pts for t in found for e in t.evidence} <= set(frames)
    assert found[1].last_s == pytest.approx(59.8)
    assert news == [True] * NEW + [False] * (300 - NEW)


class _Second(_Painted):
    name = "second"


@pytest.mark.parametrize(
    ("confidence", "height", "asked"), [(0.99, 35, 0), (0.6, 35, SECOND_READS), (0.6, 75, 0)], ids=str
)
def test_a_second_reader_is_asked_about_doubtful_tracks_of_one_line_alone(
    confidence: float, height: float, asked: int
) -> None:
    class Primary(_Painted):
        def detect(self, images, side=None):
            return [[Detection((300, 300, 390, 300 + height), 0.9)] for _ in images]

        def read(self, crops):
            return [PlateText("AB12CDE", confidence, [{sign: confidence} for sign in "AB12CDE"]) for _ in crops]

    second = _Second()
    pipeline = TrackingPipeline(Primary(), Primary(), 5, lambda picture: None, second)
    pipeline.full_frame([frame(i) for i in range(9)])
    *_, followed = pipeline.finish()
    assert sum(e.read.reader == "second" for e in followed.evidence) == asked
    assert len({e.read.pts for e in followed.evidence}) == KEPT_CROPS


def test_reads_that_contradict_each_other_are_doubtful_however_sure_each_is() -> None:
    class Primary(_Painted):
        def read(self, crops):
            texts = ["AB12CDE", "AB18CDE"] * KEPT_CROPS
            return [
                PlateText(text, 0.97, [{sign: 0.99} for sign in text]) for text, _ in zip(texts, crops, strict=False)
            ]

    pipeline = TrackingPipeline(Primary(), Primary(), 5, lambda picture: None, _Second())
    pipeline.full_frame([frame(i) for i in range(9)])
    *_, followed = pipeline.finish()
    assert sum(e.read.reader == "second" and e.read.looks == 1 for e in followed.evidence) == SECOND_READS


@pytest.mark.parametrize(("looks", "height", "together"), [(9, SMALL - 4, 8), (3, SMALL - 4, 0), (9, SMALL + 4, 0)])
def test_a_small_plate_is_read_from_its_crops_as_one_picture_too_and_that_counts_as_often_as_it_has_crops(
    looks: int, height: float, together: int
) -> None:
    class Primary(_Painted):
        def detect(self, images, side=None):
            return [[Detection((300, 300, 390, 300 + height), 0.9)] for _ in images]

    class Second(_Painted):
        name = "second"

        def read(self, crops):
            return [PlateText("AB12CDF", 0.99, [{sign: 0.99} for sign in "AB12CDF"]) for _ in crops]

    pipeline = TrackingPipeline(Primary(), Primary(), 5, lambda picture: None, Second())
    pipeline.full_frame([frame(i) for i in range(looks)])
    *_, followed = pipeline.finish()
    fused = [e for e in followed.evidence if e.read.looks > 1]
    assert [e.read.looks for e in fused] == [together] * (together > 0)
    assert {e.read.pts for e in fused} <= {e.read.pts for e in followed.evidence if e.read.looks == 1}
    if together:
        assert vote([e.read for e in followed.evidence]).text == "AB12CDF"


def test_what_was_found_in_the_small_copy_is_cut_from_the_whole_frame() -> None:
    whole = np.random.default_rng(1).integers(0, 255, (1440, 2560, 3), dtype=np.uint8)
    big = Picture(0, 0.0, 2560, 1440, FRAME, (whole,), "bgr24")
    crops = []

    class Reader(_Painted):
        def read(self, given):
            crops.extend(given)
            return super().read(given)

    pipeline = TrackingPipeline(Reader(), Reader(), 5, lambda picture: None)
    pipeline.full_frame([big])
    (found,) = pipeline.finish()
    x0, y0, x1, y1 = (2 * v for v in moved(300))
    assert found.seen == [(0.0, (x0, y0, x1, y1))]
    assert np.array_equal(whole[y0:y1, x0:x1], crops[0])


class Roaming(_Painted):
    """Sees the white box of a picture, and remembers how large the pictures were."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: list[tuple[int, int]] = []

    def detect(self, images, side=None):
        self.shapes += [image.shape[:2] for image in images]
        spots = [np.argwhere(image[:, :, 0] == 255) for image in images]
        return [
            [Detection((float(s[:, 1].min()), float(s[:, 0].min()), s[:, 1].max() + 1.0, s[:, 0].max() + 1.0), 0.9)]
            if len(s)
            else []
            for s in spots
        ]


def street(index: int, x: int, width: int = 90) -> Picture:
    image = np.zeros((720, 1280, 3), np.uint8)
    image[300:325, x : x + width] = 255
    return Picture.of(index * 3000, index / 5, image)


def test_region_inference_looks_around_the_new_plate_alone_and_finds_it_where_it_went() -> None:
    engine = Roaming()
    pipeline = TrackingPipeline(engine, engine, 5, lambda picture: None)
    pipeline.full_frame([street(0, 400)])
    assert pipeline.region(street(1, 450))
    pipeline.full_frame([street(2, 500)])
    tracklets = pipeline.finish()
    assert [box[0] for t in tracklets for _, box in t.seen] == [400, 450, 500]
    whole, part, _ = engine.shapes
    assert part[0] * part[1] < 0.25 * whole[0] * whole[1]


def test_region_inference_tells_nothing_of_a_plate_that_is_cut_by_its_edge() -> None:
    engine = Roaming()
    pipeline = TrackingPipeline(engine, engine, 5, lambda picture: None)
    pipeline.full_frame([street(0, 400)])
    assert not pipeline.region(street(1, 640))
    assert sum(len(t.seen) for t in pipeline.finish()) == 1


def test_where_new_plates_are_everywhere_region_inference_is_full_frame() -> None:
    engine = Roaming()
    pipeline = TrackingPipeline(engine, engine, 5, lambda picture: None)
    pipeline.full_frame([street(0, 20, 900)])
    pipeline.region(street(1, 20, 900))
    pipeline.full_frame([street(2, 20, 0)])
    pipeline.region(street(3, 20, 0))  # nothing is new any more
    assert engine.shapes == [(720, 1280)] * 4
