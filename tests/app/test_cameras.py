"""What a person writes about a camera's clock is what is meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.pages.cameras import ahead_of, amounts, seconds_of, wrong
from dashcam.catalog.clocks import CameraTime


@given(st.integers(-300_000_000_000, 300_000_000_000).map(lambda thousandths: thousandths / 1000))
def test_a_correction_that_is_shown_and_saved_again_stays_the_same(ahead_s: float) -> None:
    shown = dict(zip(("hours", "minutes", "seconds"), map(repr, amounts(ahead_s)), strict=True))
    assert seconds_of(shown | {"direction": "behind" if ahead_s < 0 else "ahead"}) == pytest.approx(ahead_s, abs=1e-3)


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"hours": "one"}, "Write numbers"),
        ({"minutes": "-3"}, "instead of a minus sign"),
        ({"seconds": "nan"}, "at most ten years"),
        ({"hours": "1e300"}, "at most ten years"),
    ],
)
def test_what_is_no_time_is_a_sentence(form: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        seconds_of(form)


def test_what_it_showed_when_it_was_another_time_is_how_far_it_is_ahead() -> None:
    assert ahead_of({"showed": "2026-06-28T13:05:07", "was": "2026-06-28T12:04:00"}) == 3667
    assert ahead_of({"showed": "2026-01-01T00:00", "was": "2026-06-28T12:04:00"}) == -15_422_640


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"showed": "2026-06-28T13:05:07"}, "Write both times"),
        ({"showed": "yesterday", "was": "2026-06-28T12:04"}, "Write both times"),
        ({"showed": "1980-01-01T00:00", "was": "2026-06-28T12:04"}, "look at both years"),
    ],
)
def test_two_times_that_say_nothing_are_a_sentence(form: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ahead_of(form)


@pytest.mark.parametrize(
    ("ahead_s", "words"),
    [
        (None, "not known: no clip has both a time in its name and GPS"),
        (0.9, "right, as the GPS tells"),
        (-3602.0, "1 h 2 s behind the right time, as the GPS tells"),
    ],
)
def test_how_a_clock_stands_is_said_in_words(ahead_s: float | None, words: str) -> None:
    camera = CameraTime(
        camera="front", clips={"utc": 3}, ahead_of_utc_s=None, time_zone="", ahead_s=ahead_s, correction_s=0
    )
    assert wrong(camera) == words
