"""Calibration keeps the order of what it is given and stays a probability."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashcam.vision.read.quality import calibrated

chances = st.floats(0, 1)


@given(chances, chances, st.floats(0.1, 5), st.floats(-5, 5))
def test_what_was_surer_stays_surer(a: float, b: float, scale: float, shift: float) -> None:
    low, high = sorted((a, b))
    assert 0 <= calibrated(low, scale, shift) <= calibrated(high, scale, shift) <= 1


def test_the_line_runs_through_the_log_odds() -> None:
    assert calibrated(0.5, 3, 0) == pytest.approx(0.5)
    assert calibrated(0.8, 1, 0) == pytest.approx(0.8)
    assert calibrated(0.8, 2, 0) == pytest.approx(16 / 17)
