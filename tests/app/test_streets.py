"""Streets under the maps: from the household's own file, drawn in the browser, by day and by night."""

import gzip
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Page, expect

from app import streets, system
from dashcam.config import Site
from tests.app import drawn_streets
from tests.app.browser import chromium as chromium
from tests.app.browser import served, watched
from tests.app.drawn_streets import tile_of

LAT, LON = 44.43, 26.1
MAP = "/maps/videos/0000000000000001"
COLOUR = """([x, y]) => {
  const hits = [...document.querySelectorAll(".leaflet-streets-pane canvas")];
  for (const canvas of hits) {
    const box = canvas.getBoundingClientRect();
    if (x < box.left || x >= box.right || y < box.top || y >= box.bottom) continue;
    const k = canvas.width / box.width;
    const [r, g, b, a] = canvas.getContext("2d").getImageData((x - box.left) * k, (y - box.top) * k, 1, 1).data;
    return a ? `#${[r, g, b].map((one) => one.toString(16).padStart(2, "0")).join("")}` : "";
  }
  return "no tile";
}"""


@pytest.fixture
def file(here: system.System, tmp_path: Path) -> Path:
    file = tmp_path / "streets.pmtiles"
    server = {"database_url": str(here.engine.url), "streets_file": str(file)}
    here.site = Site.model_validate({"server": server})
    return file


def test_a_map_gets_the_tiles_of_the_file_packed_as_they_are(file: Path) -> None:
    web = FastAPI()
    web.include_router(streets.router)
    client = TestClient(web)
    x, y = (int(side) for side in tile_of(LAT, LON, 14))
    assert client.get(f"/maps/streets/14/{x}/{y}").status_code == 404
    drawn_streets.write(file, LAT, LON)
    answer = client.get(f"/maps/streets/14/{x}/{y}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-encoding"] == "gzip" and b"Harbour Street" in answer.content
    with client.stream("GET", f"/maps/streets/14/{x}/{y}") as raw:
        assert b"Harbour Street" in gzip.decompress(b"".join(raw.iter_raw()))
    assert client.get(f"/maps/streets/14/{x + 1}/{y}").status_code == 204
    for beyond in ("14/99999/1", "1/0/2"):
        assert client.get(f"/maps/streets/{beyond}").status_code == 404
    file.write_bytes(b"PMTiles")
    assert client.get(f"/maps/streets/14/{x}/{y}").status_code == 404, "a damaged file is as none"


@pytest.mark.browser
def test_the_streets_are_drawn_by_day_and_by_night(chromium: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as address, chromium.new_context(base_url=address) as context:
        drawn_streets.write(tmp_path / "streets.pmtiles", LAT + 0.002, LON)
        with watched(context, address) as page:
            page.set_viewport_size({"width": 1000, "height": 700})
            page.emulate_media(color_scheme="light")
            page.goto(MAP)
            expect(page.get_by_text("Streets: © OpenStreetMap.")).to_be_visible()
            until(page, "#fde3a7")
            assert page.locator("canvas").count() > 1
            page.emulate_media(color_scheme="dark")
            until(page, "#5a5340")


def until(page: Page, colour: str) -> None:
    """Beside the route, on the main road that runs along it, is that colour."""
    page.wait_for_function(
        f"colour => {{ const at = {COLOUR}; const middle = document.querySelector('.folium-map').clientWidth / 2; "
        "return [...Array(120).keys()].some(dx => at([middle + dx, 300]) === colour); }",
        arg=colour,
    )
