"""The cheap look rejects only the hopeless: what may hold a plate is kept."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dashcam.vision.motion import Look, look, moved, spans

STREET = np.random.default_rng(1).integers(40, 200, (90, 160), dtype=np.uint8).repeat(2, 0).repeat(2, 1)


def looks(motion: list[float], brightness: float = 0.7, sharpness: float = 0.01) -> list[Look]:
    return [Look(float(t), brightness, sharpness, m) for t, m in enumerate(motion)]


def kept(found: list[Look], duration_s: float) -> list[tuple[float, float]]:
    """Stretches that are kept, whatever the reasons."""
    made: list[tuple[float, float]] = []
    for span in spans(found, duration_s):
        if span.keep and made and made[-1][1] == span.start_s:
            made[-1] = (made[-1][0], span.end_s)
        elif span.keep:
            made.append((span.start_s, span.end_s))
    return made


def test_a_drive_is_kept_whole() -> None:
    assert kept(looks([0.3] * 60), 60) == [(0, 60)]


def test_a_parked_view_keeps_its_first_seconds_and_where_something_moves() -> None:
    still = [1.0] + [0.001] * 59
    still[40] = 0.05
    assert kept(looks(still), 60) == [(0, 10), (39, 41)]


def test_darkness_and_blur_are_rejected_with_their_reason() -> None:
    assert [s.reason for s in spans(looks([0.3] * 20, brightness=0.01), 20)] == ["too dark"]
    assert [s.reason for s in spans(looks([0.3] * 20, sharpness=0.0001), 20)] == ["too blurred"]


def test_too_few_keyframes_are_no_ground_to_reject() -> None:
    assert kept(looks([0.0] * 3, brightness=0.0), 25) == [(0, 25)]


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=40), st.floats(0, 100)
)
def test_spans_cover_the_clip_without_gap_or_overlap(measures: list[tuple[float, float, float]], longer: float) -> None:
    found = [Look(float(t), *m) for t, m in enumerate(measures)]
    made = spans(found, len(found) - 1 + longer)
    assert made[0].start_s == 0 or len(found) == 1
    assert all(a.end_s == b.start_s for a, b in pairwise(made))


def test_a_small_car_moves_the_picture_and_dusk_does_not() -> None:
    car = STREET.copy()
    car[80:110, 100:160] = 255
    assert moved(STREET, car) > 0.012
    assert moved(STREET, STREET - 20) < 0.012


def test_night_with_a_lit_plate_is_bright_enough() -> None:
    night = np.full((180, 320), 3, np.uint8)
    night[100:120, 100:180] = 200
    assert look(0, night, None).brightness > 0.5
