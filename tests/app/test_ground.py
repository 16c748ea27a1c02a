"""The ground under the maps is our own: coasts, borders and towns, in cells that are small and say where they lie."""

import json

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app import ground, zones
from dashcam.config.privacy import Zone
from dashcam.gps import towns


@pytest.fixture(scope="module")
def browser() -> TestClient:
    web = FastAPI()
    web.include_router(ground.router)
    return TestClient(web)


def test_a_cell_has_its_land_its_borders_and_its_towns_and_nothing_far_off(browser: TestClient) -> None:
    answer = browser.get("/maps/ground/5/28/36")  # the Netherlands and a part of the North Sea
    cell = answer.json()
    assert cell["land"] and cell["borders"]
    assert {"Rotterdam", "Delft"} <= {name for name, *_ in cell["towns"]}
    for numbers in [ring for rings in cell["land"] for ring in rings] + cell["borders"]:
        lats = [sum(numbers[:at:2]) for at in range(2, len(numbers) + 1, 2)]
        assert all(49.9 * ground.UNITS <= lat <= 55.1 * ground.UNITS for lat in lats)
    assert "max-age" in answer.headers["cache-control"]


def test_the_sea_has_nothing_and_no_cell_is_beyond_the_world(browser: TestClient) -> None:
    assert browser.get("/maps/ground/5/18/29").json() == {"land": [], "borders": [], "towns": []}
    for beyond in ("5/36/0", "5/0/72", "7/0/0", "60/3/0"):
        assert browser.get(f"/maps/ground/{beyond}").status_code == 404, beyond
    assert browser.get("/maps/ground/5/-1/0").status_code == 422


def test_what_a_map_fetches_of_the_ground_is_small() -> None:
    europe = [ground.cell(5, row, col) for row in range(26, 29) for col in range(35, 39)]
    assert max(map(len, europe)) < 60_000
    assert sum(len(ground.cell(60, row, col)) for row in range(3) for col in range(6)) < 500_000
    assert ground.GROUND.stat().st_size + towns.TOWNS.stat().st_size < 5_000_000
    assert all(json.loads(one).keys() == {"land", "borders", "towns"} for one in europe)


def test_of_a_home_zone_no_town_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zones, "hidden", lambda: [Zone(lat=52.0116, lon=4.3571, radius_m=300)])
    assert zones.place(52.0116, 4.3571) == ""
    assert zones.place(52.0216, 4.3571) == "near Delft"
