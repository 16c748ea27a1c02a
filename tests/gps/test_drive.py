"""One clip's summary: how far, how long moving and standing, and what happened, with its second."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from dashcam.config.model import TripSettings
from dashcam.gps.drive import Drive, drive_of
from dashcam.gps.plane import Plane
from dashcam.records import Fix

START = datetime(2026, 6, 28, 11, 0, tzinfo=UTC)


def driven(speeds: list[float], headings: list[float] | None = None) -> Drive:
    """One fix a second of a car with these speeds and headings."""
    headings = headings or [0.0] * len(speeds)
    plane, east, north, fixes = Plane(52, 4), 0.0, 0.0, []
    for second, (speed, heading) in enumerate(zip(speeds, headings, strict=True)):
        lat, lon = plane.to_degrees(east, north)
        at = {"t_s": float(second), "utc": START + timedelta(seconds=second), "lat": lat, "lon": lon}
        fixes.append(Fix(**at, speed_mps=speed, heading_deg=heading))  # type: ignore[arg-type]
        after = speeds[min(second + 1, len(speeds) - 1)]
        east += (speed + after) / 2 * math.sin(math.radians(heading))
        north += (speed + after) / 2 * math.cos(math.radians(heading))
    found = drive_of(fixes, float(len(speeds)), TripSettings())
    assert found is not None
    return found


def kinds(drive: Drive) -> list[tuple[str, float]]:
    return [(event.kind, event.t_s) for event in drive.events]


def test_distance_moving_time_and_where_it_stood() -> None:
    drive = driven([10.0] * 20 + [0.0] * 30 + [10.0] * 11)
    assert drive.distance_m == pytest.approx(300, abs=12)
    assert drive.moving_s == pytest.approx(30, abs=2)
    assert [(still.start_s, still.end_s) for still in drive.still] == [
        (pytest.approx(20, abs=1), pytest.approx(49, abs=1))
    ]
    assert drive.max_mps == pytest.approx(10, abs=0.5)


def test_standing_at_a_clips_edge_reaches_to_the_edge() -> None:
    drive = driven([0.0] * 60)
    assert [(still.start_s, still.end_s) for still in drive.still] == [(0.0, 60.0)]
    assert drive.distance_m == drive.moving_s == 0


def test_hard_braking_is_found_once_at_its_second() -> None:
    assert kinds(driven([20.0] * 10 + [15.0, 10.0, 5.0] + [0.0] * 10)) == [("braking", 9.0)]
    assert kinds(driven([20.0] * 10 + [17.0, 14.0, 11.0, 8.0, 5.0, 2.0] + [0.0] * 10)) == []


def test_a_jump_in_the_receivers_speed_is_no_braking() -> None:
    assert kinds(driven([25.0] * 10 + [3.0] + [25.0] * 10)) == []


def test_hard_cornering_is_found_and_a_wide_bend_is_not() -> None:
    turning = [30.0 * min(max(second - 9, 0), 3) for second in range(20)]
    assert kinds(driven([10.0] * 20, turning)) == [("cornering", 9.0)]
    assert kinds(driven([6.0] * 20, turning)) == []


def test_the_course_of_a_standing_car_is_no_cornering() -> None:
    assert kinds(driven([0.5] * 10, [0.0, 180.0] * 5)) == []


def test_speeding_has_its_begin_end_and_highest_speed() -> None:
    (event,) = driven([30.0] * 10 + [37.0, 39.0, 40.0, 38.0, 37.0] + [34.0, 31.0] + [30.0] * 9).events
    assert (event.kind, event.t_s, event.end_s, event.value) == ("speeding", 10.0, 14.0, 40.0)


def test_without_fixes_there_is_no_drive() -> None:
    assert drive_of([], 60.0, TripSettings()) is None
