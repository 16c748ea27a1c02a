"""Numbers and times that no database takes are refused, or answered with the first page; never an error of ours."""

from datetime import UTC, datetime

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app import maps, system
from app.pages import frame
from dashcam.catalog.paging import Cursor
from dashcam.config import Site

HUGE = 10**20
EAST, WEST = "Asia/Tokyo", "America/New_York"
FIRST, LAST = "0001-01-01T00:00:00", "9999-12-31T23:59:59"


def live_in(here: system.System, zone: str) -> None:
    system.start(
        system.System(here.engine, Site.model_validate({"server": {"time_zone": zone}}), here.stores, here.token)
    )


@pytest.mark.parametrize(
    "path",
    [
        f"/videos?offset={HUGE}",
        f"/plates?offset={HUGE}",
        f"/search?offset={HUGE}",
        f"/trips?offset={HUGE}",
        f"/trips/{HUGE}",
        f"/trips/-{HUGE}",
        f"/export/track.gpx?trip={HUGE}",
        f"/export/sightings.csv?trip={HUGE}",
    ],
)
def test_numbers_that_no_database_takes_are_refused(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 422


def test_no_trip_is_split_or_merged_by_such_a_number(client: TestClient) -> None:
    assert client.post(f"/trips/{HUGE}/split", json={"video_id": "a"}).status_code == 422
    assert client.post(f"/trips/{HUGE}/merge").status_code == 422


def test_the_largest_number_is_only_not_there(client: TestClient) -> None:
    assert client.get(f"/trips/{2**31 - 1}").status_code == 404
    assert client.get(f"/trips?offset={2**31 - 1}").json()["trips"] == []


def test_a_map_of_such_a_trip_is_refused(here: system.System) -> None:
    web = FastAPI()
    web.include_router(maps.router)
    with TestClient(web) as browser:
        assert browser.get(f"/maps/trips/{HUGE}").status_code == 422


@pytest.mark.parametrize(("zone", "local"), [(EAST, FIRST), (WEST, LAST)])
@pytest.mark.parametrize("path", ["/trips?since=", "/trips?until=", "/export/track.gpx?since=", "/search?until="])
def test_local_times_beyond_the_years_of_utc_are_refused(
    client: TestClient, here: system.System, path: str, zone: str, local: str
) -> None:
    live_in(here, zone)
    answer = client.get(path + local)
    assert (answer.status_code, answer.json()["detail"][-1]) == (422, ".")


@pytest.mark.parametrize("moment", [f"{FIRST}%2B14:00", f"{LAST}-14:00"])
@pytest.mark.parametrize("path", ["/trips?since=", "/export/track.gpx?until=", "/search?since=", "/sightings?until="])
def test_so_are_times_with_a_zone(client: TestClient, path: str, moment: str) -> None:
    answer = client.get(path + moment)
    assert (answer.status_code, answer.json()["detail"][-1]) == (422, ".")


@pytest.mark.parametrize(
    "bent",
    [
        "",
        "yesterday~7",
        "2026-01-01T00:00:00~7",
        f"2026-01-01T00:00:00+00:00~{HUGE}",
        f"2026-01-01T00:00:00+00:00~-{HUGE}",
        "2026-01-01T00:00:00+00:00~seven",
        f"{FIRST}+14:00~7",
        f"{LAST}-14:00~7",
    ],
)
def test_a_bent_cursor_is_the_first_page(bent: str) -> None:
    assert frame.cursor_of(bent, int) is None


def test_a_cursor_comes_back_from_its_address() -> None:
    for key, kind in ((2**31 - 1, int), ("00ff", str)):
        cursor = Cursor(datetime(2026, 1, 1, tzinfo=UTC), key)
        assert frame.cursor_of(frame.cursor_text(cursor), kind) == cursor


def test_a_moment_in_an_address_is_one_of_utc() -> None:
    assert frame.moment_of("2026-01-01T02:00:00+02:00") == datetime(2026, 1, 1, tzinfo=UTC)
    for bent in ("", "soon", FIRST, f"{FIRST}+14:00", f"{LAST}-14:00"):
        assert frame.moment_of(bent) is None


@pytest.mark.parametrize(("day", "days"), [(FIRST[:10], 0), (LAST[:10], 1), ("10000-01-01", 0), ("today", 0)])
def test_a_day_beyond_the_years_of_utc_filters_nothing(here: system.System, day: str, days: int) -> None:
    live_in(here, EAST)
    assert frame.midnight(day, days) is None
    assert frame.midnight("2026-06-28", days=1) == datetime(2026, 6, 28, 15, tzinfo=UTC)
