"""A tilted plate is levelled and cut by where its characters stand, and left alone where that is not known."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dashcam.vision.read import fixed_slot_reader
from dashcam.vision.read.fixed_slot_reader import FixedSlotReader
from dashcam.vision.read.rectify import SMALLEST, rectified
from training.reader.photographs import labelled


def dotted(*lines: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """A crop of 100 x 300 with a dot for each character, and the dots' places."""
    crop = np.full((100, 300), 200, np.uint8)
    places = np.array([place for line in lines for place in line])
    for x, y in places:
        cv2.circle(crop, (round(x * 300), round(y * 100)), 3, 0, -1)
    return crop, places


def rows_of(crop: np.ndarray) -> np.ndarray:
    """The middle row of each dot, from left to right."""
    count, _, _, middles = cv2.connectedComponentsWithStats((crop < 128).astype(np.uint8))
    return np.array(sorted(tuple(m) for m in middles[1:count]))[:, 1]


@given(st.floats(-0.3, 0.3), st.integers(4, 9))
@settings(deadline=None)
def test_a_tilted_line_is_level_afterwards(slope: float, characters: int) -> None:
    xs = np.linspace(0.3, 0.7, characters)
    crop, places = dotted([(x, 0.5 + slope * (x - 0.5)) for x in xs])
    level = rectified(crop, places)
    assert level is not None
    assert np.ptp(rows_of(level)) <= 1.5
    assert len(rows_of(level)) == characters
    assert level.shape[1] < crop.shape[1]


def test_two_lines_stay_two_and_both_are_level() -> None:
    crop, places = dotted(
        [(x, 0.3 + 0.1 * x) for x in (0.3, 0.5, 0.7)], [(x, 0.6 + 0.1 * x) for x in (0.2, 0.4, 0.6, 0.8)]
    )
    level = rectified(crop, places)
    assert level is not None
    rows = np.sort(rows_of(level))
    assert len(rows) == 7 and np.ptp(rows[:3]) <= 1.5 and np.ptp(rows[3:]) <= 1.5
    assert rows[3] - rows[2] == pytest.approx(30, abs=2)


@pytest.mark.parametrize(
    "lines",
    [
        [[(0.2, 0.5), (0.5, 0.5), (0.8, 0.5)]],
        [[(0.2, 0.2), (0.8, 0.2)], [(0.2, 0.5), (0.8, 0.5)], [(0.2, 0.8), (0.8, 0.8)]],
        [[(0.8, 0.5)], [(0.2, 0.6), (0.4, 0.6), (0.6, 0.6)]],
    ],
    ids=["too few characters", "three lines", "a line of one character"],
)
def test_what_is_no_plain_line_is_left_alone(lines: list[list[tuple[float, float]]]) -> None:
    assert rectified(*dotted(*lines)) is None


def test_where_next_to_nothing_is_left_nothing_is_read_again() -> None:
    places = np.array([(x, 0.5) for x in (0.2, 0.4, 0.6, 0.8)])
    assert rectified(np.zeros((SMALLEST - 1, 60), np.uint8), places) is None
    assert rectified(np.zeros((SMALLEST, 60), np.uint8), places) is not None


@given(
    st.integers(4, 60),
    st.integers(4, 200),
    arrays(float, st.tuples(st.integers(0, 10), st.just(2)), elements=st.floats(0, 1)),
)
@settings(deadline=None)
def test_any_places_give_a_part_of_the_crop_or_nothing(height: int, width: int, places: np.ndarray) -> None:
    level = rectified(np.zeros((height, width), np.uint8), places)
    if level is not None:
        assert SMALLEST <= level.shape[0] <= height and SMALLEST <= level.shape[1] <= width


def test_the_reader_reads_more_tilted_plates_with_it(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unseen = [p for p in labelled(shared / "data") if p.held_out and p.source.endswith(("us", "br_openalpr"))]
    tilted = []
    for photograph in unseen:
        rows, columns = photograph.image.shape
        shear = np.array([(1, 0, 0), (0.16, 1, -0.08 * columns)])
        tilted.append(cv2.warpAffine(photograph.image, shear, (columns, rows), borderMode=cv2.BORDER_REPLICATE))
    reader = FixedSlotReader(threads=1)

    def right() -> int:
        return sum(found.text == p.text for found, p in zip(reader.read(tilted), unseen, strict=True))

    with_it = right()
    monkeypatch.setattr(fixed_slot_reader, "RECTIFY_BELOW", 0.0)
    assert with_it > right()
