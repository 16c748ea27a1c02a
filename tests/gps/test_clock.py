"""When a clip began: GPS before name before container before file date, and local GPS clocks are seen through."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from dashcam.gps.clock import decide
from dashcam.records import Fix

ZONE = "Europe/Amsterdam"
NAME = datetime(2026, 6, 28, 13, 34, 16)
START = datetime(2026, 6, 28, 11, 34, 16, tzinfo=UTC)
CREATED = datetime(2026, 6, 28, 10, 0, tzinfo=UTC)
MODIFIED = datetime(2026, 7, 1, tzinfo=UTC)


def fixes(start: datetime, count: int = 20) -> list[Fix]:
    return [Fix(t_s=float(i), utc=start + timedelta(seconds=i), lat=52.37, lon=4.9) for i in range(count)]


def test_gps_is_trusted_most() -> None:
    late = START + timedelta(seconds=3)
    assert decide(fixes(late), NAME, ZONE, CREATED, MODIFIED)[:4] == (late, "gps", timedelta(0), "utc")


def test_a_few_wrong_records_do_not_move_the_start() -> None:
    wrong = [fix.model_copy(update={"utc": fix.utc + timedelta(days=900)}) for fix in fixes(START)[:4]]
    assert decide(wrong + fixes(START)[4:], NAME, ZONE, None, MODIFIED).start_utc == START


def test_then_the_name_in_the_cameras_zone() -> None:
    assert decide([], NAME, ZONE, CREATED, MODIFIED)[:2] == (START, "name")
    assert decide([], NAME, "America/New_York", CREATED, MODIFIED).start_utc == START + timedelta(hours=6)
    winter = datetime(2026, 1, 28, 13, 34, 16)
    assert decide([], winter, ZONE, None, MODIFIED).start_utc == datetime(2026, 1, 28, 12, 34, 16, tzinfo=UTC)


def test_then_container_then_file_date() -> None:
    assert decide([], None, ZONE, CREATED, MODIFIED)[:2] == (CREATED, "container")
    assert decide([], None, ZONE, None, MODIFIED)[:2] == (MODIFIED, "file")


def test_local_time_in_the_gps_records_is_corrected() -> None:
    """A119 Mini 2: the GPS records carry the camera's local time."""
    local = fixes(NAME.replace(tzinfo=UTC))
    assert decide(local, NAME, ZONE, None, MODIFIED)[:4] == (START, "gps", timedelta(hours=2), "gps_local")


@pytest.mark.parametrize("seconds", [-3, 0, 40])
def test_a_camera_in_utc_is_left_alone(seconds: int) -> None:
    start = NAME.replace(tzinfo=UTC) + timedelta(seconds=seconds)
    assert decide(fixes(start), NAME, "UTC", None, MODIFIED)[:4] == (start, "gps", timedelta(0), "utc")


def test_without_a_configured_zone_this_computers_counts() -> None:
    assert decide([], NAME, None, None, MODIFIED).start_utc == NAME.astimezone(UTC)


@pytest.fixture
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This computer lives in the zone that the test names."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("machine", ["Europe/Berlin"], indirect=True)
def test_a_clip_names_the_zone_of_its_place_where_this_computers_clock_fits(machine: None) -> None:
    assert decide(fixes(START), NAME, None, None, MODIFIED).zone == ZONE
    assert decide(fixes(START), None, None, None, MODIFIED).zone == ZONE
    abroad = [fix.model_copy(update={"lat": 51.5, "lon": -0.1}) for fix in fixes(START)]
    assert decide(abroad, NAME, None, None, MODIFIED).zone == "", "the camera's clock is still that of home"


@pytest.mark.parametrize("machine", ["UTC"], indirect=True)
def test_the_place_tells_the_zone_when_nobody_configured_one(machine: None) -> None:
    true = decide(fixes(START), NAME, None, None, MODIFIED)
    assert (true.start_utc, true.kind, true.zone) == (START, "utc", ZONE)
    local = decide(fixes(NAME.replace(tzinfo=UTC)), NAME, None, None, MODIFIED)
    assert (local.start_utc, local.kind, local.zone) == (START, "gps_local", ZONE)
    winter = datetime(2026, 1, 28, 13, 34, 16)
    local = decide(fixes(winter.replace(tzinfo=UTC)), winter, None, None, MODIFIED)
    assert (local.start_utc, local.gps_ahead) == (winter.replace(tzinfo=UTC) - timedelta(hours=1), timedelta(hours=1))


@pytest.mark.parametrize("wrong_s", [-3600.0, -41.0, 0.0, 86400.0])
def test_with_gps_it_shows_how_far_the_cameras_clock_is_ahead(wrong_s: float) -> None:
    found = decide(fixes(START), NAME + timedelta(seconds=wrong_s), ZONE, None, MODIFIED)
    assert (found.start_utc, found.kind) == (START, "utc")
    assert found.camera_ahead_s == 7200 + wrong_s
    assert decide([], NAME, ZONE, None, MODIFIED).camera_ahead_s is None


def test_the_hour_that_comes_twice_is_told_apart_by_the_files_date() -> None:
    """On 25 October 2026 it is 02:30 in Amsterdam at 00:30 and again at 01:30 UTC."""
    name, minute = datetime(2026, 10, 25, 2, 30), timedelta(minutes=1)
    summer, winter = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    assert decide([], name, ZONE, None, summer + minute).start_utc == summer
    assert decide([], name, ZONE, None, winter + minute).start_utc == winter
    assert decide([], name, ZONE, None, MODIFIED).start_utc == summer
