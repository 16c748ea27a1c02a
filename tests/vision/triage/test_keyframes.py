"""The cheap look rejects only the hopeless: what may hold a plate is kept."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashcam.media.images import Image
from dashcam.records import ProposedRegion, Span
from dashcam.vision.triage.keyframes import Triage
from tests.vision.test_motion import STREET, with_car

DARK = np.full_like(STREET, 2)
PLATE = ProposedRegion(kind="plate", box=(900, 500, 1000, 530), score=0.7)
ELSEWHERE = ProposedRegion(kind="car", box=(100, 500, 400, 700), score=0.7)


def seen(views: Sequence[Image], regions: Callable[[int], list[ProposedRegion]] = lambda t: []) -> list[Span]:
    """The spans of a clip with one of these views each second."""
    triage = Triage()
    for t, view in enumerate(views):
        triage.look(float(t), view, regions(t))
    return triage.spans(len(views))


def kept(spans: Sequence[Span]) -> list[tuple[float, float]]:
    """Stretches that are kept, whatever the reasons."""
    made: list[tuple[float, float]] = []
    for span in spans:
        if span.keep and made and made[-1][1] == span.start_s:
            made[-1] = (made[-1][0], span.end_s)
        elif span.keep:
            made.append((span.start_s, span.end_s))
    return made


def test_a_drive_is_kept_whole() -> None:
    rng = np.random.default_rng(3)
    views = [np.roll(STREET, rng.integers(20, 90), axis=1) for _ in range(30)]
    assert kept(seen(views)) == [(0, 30)]


def test_a_standing_car_keeps_its_first_view_and_only_the_seconds_in_which_somebody_passes() -> None:
    views = [STREET] * 20 + [with_car(100), with_car(400)] + [STREET] * 18
    assert kept(seen(views)) == [(0, 3), (19, 22)]
    assert {s.reason for s in seen(views)} == {"new view", "moves", "nothing moves"}


def test_who_comes_and_stays_is_looked_at_and_the_empty_place_afterwards_is_not() -> None:
    views = [STREET] * 20 + [with_car(100)] * 10 + [STREET] * 10
    assert kept(seen(views)) == [(0, 3), (19, 23), (29, 30)]


def test_who_comes_too_slowly_to_move_makes_the_view_new_all_the_same() -> None:
    car = with_car(100, 90, 60).astype(float)
    fading = [(STREET + (car - STREET) * min(1, max(0, (t - 10) / 15))).astype(np.uint8) for t in range(40)]
    spans = seen(fading)
    assert "moves" not in {s.reason for s in spans}
    assert any(10 < start < 25 for start, _ in kept(spans))


def test_a_plate_that_was_not_there_before_makes_the_view_new_although_hardly_anything_moves() -> None:
    spans = seen([STREET] * 30, lambda t: [ELSEWHERE] + ([PLATE] if t >= 20 else []))
    assert kept(spans) == [(0, 3), (19, 22)]
    doubtful = PLATE.model_copy(update={"score": 0.3})
    assert kept(seen([STREET] * 30, lambda t: [doubtful] if t >= 20 else [])) == [(0, 3)]


@pytest.mark.parametrize(
    ("view", "reason"),
    [
        (DARK, "too dark"),
        (np.full_like(STREET, 120), "nothing to see"),
        (cv2.GaussianBlur(cv2.resize(STREET[::32, ::32], STREET.shape[::-1]), (0, 0), 40), "too blurred"),
    ],
)
def test_the_hopeless_is_rejected_with_its_reason_unless_there_may_be_a_plate(view: Image, reason: str) -> None:
    views = [np.roll(view, 30 * t, axis=1) for t in range(12)]
    assert [(s.keep, s.reason) for s in seen(views)] == [(False, reason)]
    assert kept(seen(views, lambda t: [PLATE])) == [(0, 12)]


def test_night_with_one_lit_plate_is_bright_enough() -> None:
    night = DARK.copy()
    night[200:208, 300:330] = 200
    assert "too dark" not in {s.reason for s in seen([night] * 12)}


def test_a_car_that_drives_is_kept_whatever_there_is_to_see() -> None:
    triage = Triage()
    for t in range(20):
        if t in (8, 9, 10, 12):
            triage.passed_over(float(t))
        else:
            triage.look(float(t), DARK, drives=8 <= t <= 12)
    assert [(s.start_s, s.end_s, s.reason) for s in triage.spans(20)] == [
        (0, 7, "too dark"),
        (7, 13, "drives"),
        (13, 20, "too dark"),
    ]


def test_too_few_or_too_rare_keyframes_are_no_ground_to_reject() -> None:
    assert kept(seen([DARK] * 3)) == [(0, 3)]
    triage = Triage()
    for number in range(10):
        triage.look(number * 5.0, DARK)
    assert kept(triage.spans(46)) == [(0, 45)]
    assert triage.spans(46)[0].reason == "keyframes too far apart"


def test_what_shows_light_focus_and_somebody_promises_most() -> None:
    triage = Triage()
    triage.look(0, STREET)
    scores = [triage.look(1.0 + n, view).score for n, view in enumerate((DARK, STREET, STREET, with_car(50, 90, 60)))]
    assert scores[0] < 0.05 < scores[2] < scores[3]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.floats(0, 100))
def test_spans_cover_the_clip_without_gap_or_overlap(chosen: list[int], longer: float) -> None:
    small = [view[::8, ::8] for view in (STREET, DARK, with_car(50, 90, 60), with_car(300, 90, 60))]
    triage = Triage()
    for t, which in enumerate(chosen):
        if which < len(small):
            triage.look(float(t), small[which], [PLATE] if which == 1 else [])
        else:
            triage.passed_over(float(t))
    made = triage.spans(len(chosen) + longer)
    assert made[0].start_s == 0
    assert made[-1].end_s == pytest.approx(len(chosen) + longer, abs=0.001)
    assert all(a.end_s == b.start_s and a.end_s > a.start_s for a, b in pairwise(made))
