"""Where the car was between its fixes, and where nobody knows."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashcam.gps.track import Track
from dashcam.records import Fix

START = datetime(2026, 6, 28, 11, 34, 16, tzinfo=UTC)


def fix(
    t_s: float, lat: float = 52.0, lon: float = 4.0, speed: float | None = 10.0, heading: float | None = 0.0
) -> Fix:
    return Fix(t_s=t_s, utc=START + timedelta(seconds=t_s), lat=lat, lon=lon, speed_mps=speed, heading_deg=heading)


def test_halfway_is_halfway() -> None:
    here = Track([fix(0, 52.0, 4.0, 10, 80), fix(1, 52.1, 4.2, 20, 100)]).at(0.5)
    assert here is not None
    assert (here.lat, here.lon) == (pytest.approx(52.05), pytest.approx(4.1))
    assert here.speed_mps == pytest.approx(15)
    assert here.heading_deg == pytest.approx(90)


def test_between_350_and_10_degrees_lies_north() -> None:
    here = Track([fix(0, heading=350), fix(1, heading=10)]).at(0.5)
    assert here is not None
    assert here.heading_deg is not None
    assert min(here.heading_deg, 360 - here.heading_deg) < 1e-9


def test_across_the_date_line_is_a_short_way() -> None:
    here = Track([fix(0, lon=179.9), fix(1, lon=-179.9)]).at(0.25)
    assert here is not None
    assert here.lon == pytest.approx(179.95)


@pytest.mark.parametrize(("t_s", "known"), [(-2.0, True), (-2.1, False), (12.0, True), (12.1, False)])
def test_outside_the_track_the_position_holds_two_seconds(t_s: float, known: bool) -> None:
    track = Track([fix(float(second)) for second in range(11)])
    assert (track.at(t_s) is not None) is known


@pytest.mark.parametrize(("gap", "known"), [(5.0, True), (5.1, False)])
def test_long_gaps_are_unknown(gap: float, known: bool) -> None:
    assert (Track([fix(0), fix(gap)]).at(2.5) is not None) is known


def test_no_fixes_no_position() -> None:
    assert Track([]).at(0.0) is None


@given(
    st.lists(st.tuples(st.floats(0, 60), st.floats(-90, 90), st.floats(-180, 180)), min_size=1, max_size=8),
    st.floats(-5, 65),
)
def test_a_position_is_always_between_its_neighbours(points: list[tuple[float, float, float]], t_s: float) -> None:
    here = Track([fix(*point) for point in points]).at(t_s)
    if here is not None:
        assert min(point[1] for point in points) - 1e-9 <= here.lat <= max(point[1] for point in points) + 1e-9
        assert -180 <= here.lon <= 180
