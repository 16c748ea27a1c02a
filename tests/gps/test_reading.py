"""A moment is the calendar's, to the microsecond, or none."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashcam.gps.reading import moment


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (12.0, datetime(2026, 12, 31, 23, 59, 12, tzinfo=UTC)),
        (12.25, datetime(2026, 12, 31, 23, 59, 12, 250_000, tzinfo=UTC)),
        (12.9999996, datetime(2026, 12, 31, 23, 59, 13, tzinfo=UTC)),
        (59.9999996, datetime(2027, 1, 1, tzinfo=UTC)),
        (60.0, None),
        (-0.3, None),
        (float("nan"), None),
        (float("inf"), None),
    ],
)
def test_what_rounds_up_to_a_second_is_that_second(second: float, told: datetime | None) -> None:
    assert moment(2026, 12, 31, 23, 59, second) == told


@given(st.floats(0, 59.99999999))
def test_no_moment_is_further_off_than_half_a_microsecond(second: float) -> None:
    told = moment(2026, 6, 28, 11, 34, second)
    assert told is not None
    apart = (told - datetime(2026, 6, 28, 11, 34, tzinfo=UTC)) / timedelta(microseconds=1) - second * 1e6
    assert abs(apart) <= 0.51
