"""A lens that is measured by two marks is the one that shows them there."""

import math
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashcam.config.model import Lens
from dashcam.gps.lens import Projection, measured
from dashcam.gps.place import focal_px

WIDTH = 1920


def shown(lens: Lens, sideways_m: float, away_m: float) -> float:
    """Where in the picture it is, in widths of it."""
    angle = math.atan2(sideways_m, away_m)
    off = angle if lens.projection == "fisheye" else math.tan(angle)
    return 0.5 + off * focal_px(lens, WIDTH) / WIDTH


@given(
    st.floats(20, 160),
    st.sampled_from(["rectilinear", "fisheye"]),
    st.floats(1, 20),
    st.floats(-0.4, 0.4),
    st.floats(0.05, 0.4),
)
def test_it_is_found_again_from_what_it_shows(
    fov_deg: float, projection: Projection, away_m: float, middle: float, share: float
) -> None:
    lens = Lens(horizontal_fov_deg=fov_deg, projection=projection)
    half_m = away_m * math.tan(math.radians(min(fov_deg, 150)) / 2)
    left_m, right_m = (middle - share / 2) * half_m, (middle + share / 2) * half_m
    left, right = shown(lens, left_m, away_m), shown(lens, right_m, away_m)
    found = measured(left, right, right_m - left_m, away_m, projection)
    assert found.projection == projection
    assert found.horizontal_fov_deg == pytest.approx(fov_deg, abs=0.2)


@pytest.mark.parametrize(
    ("left", "right", "across_m", "away_m", "says"),
    [
        (0.6, 0.4, 2, 5, "Set two marks"),
        (0.4, 0.4, 2, 5, "Set two marks"),
        (-0.1, 0.4, 2, 5, "Set two marks"),
        (0.4, 0.6, 0, 5, "Set two marks"),
        (0.4, 0.6, 2, -5, "Set two marks"),
        (0.4, 0.6, math.nan, 5, "Set two marks"),
        (0.1, 0.9, 0.01, 5, "No lens of 10 to 200 degrees"),
        (0.49, 0.51, 50, 5, "No lens of 10 to 200 degrees"),
    ],
)
def test_what_no_lens_shows_is_a_sentence(left: float, right: float, across_m: float, away_m: float, says: str) -> None:
    for projection in get_args(Projection):
        with pytest.raises(ValueError, match=says):
            measured(left, right, across_m, away_m, projection)
