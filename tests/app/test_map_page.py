"""The map of everything in a real browser: clusters open, an area is drawn and searched, a day plays, keys reach it."""

import re

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.app.browser import chromium as chromium
from tests.app.browser import desk as desk
from tests.app.browser import page as page
from tests.app.browser import site as site

pytestmark = pytest.mark.browser
BUCHAREST = "44.429,26.098,44.433,26.102"
SLOW = 60_000


@pytest.fixture(autouse=True)
def patient(page: Page) -> None:
    page.set_default_timeout(SLOW)
    expect.set_options(timeout=SLOW)


def opened(page: Page, query: str = "") -> FrameLocator:
    page.goto(f"/map{query}")
    frame = page.frame_locator("iframe.everything")
    expect(frame.locator(".list .trip").first).to_be_visible()
    return frame


def everything(page: Page, script: str) -> object:
    """What a script says in the map's frame, ``it`` being the map of everything."""
    frame = next(one for one in page.frames if "/maps/everything" in one.url)
    return frame.evaluate(f"() => {{ const it = window.everything; return {script}; }}")


def test_a_cluster_comes_apart_and_a_sighting_leads_to_its_plate_and_its_second(page: Page) -> None:
    frame = opened(page)
    expect(frame.locator(".said")).to_contain_text("5 sightings")
    expect(frame.locator(".said")).to_contain_text("3 trips")
    spots = (
        "Object.values(it.layers.clusters._layers)"
        ".map(one => [one.options.count, it.map.latLngToContainerPoint(one.getLatLng())])"
    )
    zoom: object = -1
    for _ in range(19):
        page.wait_for_function(
            "zoom => { const it = document.querySelector('iframe.everything').contentWindow.everything;"
            " return it.map.getZoom() > zoom && it.settled && !it.map._animatingZoom; }",
            arg=zoom,
        )
        zoom, before = everything(page, "it.map.getZoom()"), everything(page, spots)
        assert isinstance(before, list)
        if all(count == 0 for count, _ in before):
            break
        at = next(at for count, at in before if count > 1)
        frame.locator(".folium-map").click(position=at)
    single = next(at for count, at in before if count == 0)
    frame.locator(".folium-map").click(position=single)
    popup = frame.locator(".found .sighting").first
    expect(popup.locator(".plate")).to_have_attribute("href", re.compile(r"^/plates/"))
    popup.locator(".when").click()
    expect(page).to_have_url(re.compile(r"/videos/[0-9a-f]{16}\?t="))


def test_an_area_drawn_by_keys_alone_is_searched_and_stays_in_the_address(page: Page) -> None:
    frame = opened(page, f"?box={BUCHAREST}&first=2026-06-01")
    frame.get_by_role("button", name="Clear the area").press("Enter")
    expect(page).to_have_url(re.compile(r"/map\?first=2026-06-01$"))
    frame.get_by_role("button", name="Draw an area on the map").press("Enter")
    for key in ("ArrowRight", "Shift+ArrowUp", "Enter"):
        page.keyboard.press(key)
    link = frame.get_by_role("link", name="Search this area")
    expect(link).to_be_focused()
    expect(link).to_have_attribute(
        "href", re.compile(r"^/plates\?first=2026-06-01&box=44\.\d+%2C26\.\d+%2C44\.\d+%2C26\.\d+$")
    )
    expect(page).to_have_url(re.compile(r"/map\?first=2026-06-01&box=44\."))
    expect(page.locator(".map-filters [name=box]")).to_have_value(re.compile(r"^44\."))
    link.press("Enter")
    expect(page).to_have_url(re.compile(r"/plates\?first=2026-06-01&box=44\."))


def test_an_area_is_dragged_and_the_lists_are_of_it(page: Page) -> None:
    frame = opened(page)
    frame.get_by_role("button", name="Draw an area on the map").click()
    box = page.locator("iframe.everything").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 120, box["y"] + 80)  # around the drive in the north-west
    page.mouse.down()
    page.mouse.move(box["x"] + 350, box["y"] + 230, steps=4)
    page.mouse.up()
    expect(frame.get_by_role("link", name="Search this area")).to_be_visible()
    expect(frame.locator(".list .sighting .plate")).to_have_text(["TR1P1", "TR1P0"])
    frame.get_by_role("button", name="Clear the area").click()
    expect(frame.locator(".list .sighting")).to_have_count(5)


def test_a_day_is_played_again_and_plates_come_at_their_second(page: Page) -> None:
    frame = opened(page)
    frame.locator("summary").press("Enter")
    expect(frame.get_by_label("Day", exact=True)).to_have_value("2026-06-28")
    slider = frame.get_by_role("slider", name="Time of day")
    expect(frame.locator("#replay output")).to_contain_text("13:10:00")
    expect(frame.locator("#replay .list .sighting")).to_have_count(0)
    frame.get_by_label("Speed").select_option("300")
    slider.press(" ")
    expect(frame.locator("#replay .list .plate").first).to_have_text("TR1P1")
    expect(frame.get_by_role("button", name="Play")).to_be_visible()
    assert everything(page, "it.replay.at === Number(it.replay.slider.max)")
    slider.press("Home")
    expect(frame.locator("#replay .list .sighting")).to_have_count(0)


def test_keys_reach_the_layers_and_lists(page: Page) -> None:
    frame = opened(page)
    frame.get_by_label("Time driven").press(" ")
    expect(frame.locator(".said")).to_contain_text("driven on 3 trips")
    frame.get_by_label("Routes").press(" ")
    expect(frame.locator(".said p").nth(1)).to_have_text("")
    frame.get_by_role("button", name="Show on the map").last.press("Enter")
    expect(frame.locator(".list .sighting")).not_to_have_count(5)


def test_a_map_that_is_opened_asks_once_for_what_its_window_holds(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/map")
    settled = "() => document.querySelector('iframe.everything').contentWindow.everything?.settled"
    page.wait_for_function(settled)
    everything(page, "it.map.fire('moveend') && it.settled")  # a move that ends where it began
    page.wait_for_function(settled)
    assert sum("/map/routes?" in one for one in asked) == 1


def test_a_click_on_a_road_leads_to_the_trips_that_drove_it(page: Page) -> None:
    frame = opened(page)
    frame.get_by_role("checkbox", name="Sightings").press(" ")  # their circles lie over it
    page.wait_for_function("() => document.querySelector('iframe.everything').contentWindow.everything?.settled")
    middle = (
        "(way => it.map.latLngToContainerPoint(way[0]).add(it.map.latLngToContainerPoint(way[1])).divideBy(2).round())"
        "(it.layers.routes.getLayers()[0].getLatLngs()[0])"
    )
    assert everything(page, "it.layers.routes.getLayers().length") == 1, "one layer, however many trips"
    frame.locator(".folium-map").click(position=everything(page, middle))  # type: ignore[arg-type]
    trip = frame.locator(".found .trip a").first
    expect(trip).to_have_text(re.compile(r"June 2026"))
    trip.click()
    expect(page).to_have_url(re.compile(r"/trips/\d+$"))


def test_a_map_is_drawn_where_it_opens_and_not_of_the_whole_world_first(page: Page) -> None:
    cells: list[str] = []
    page.on("request", lambda request: "/maps/ground/" in request.url and cells.append(request.url))
    opened(page)
    page.wait_for_function("() => document.querySelector('iframe.everything').contentWindow.everything?.settled")
    assert len({one.split("/maps/ground/")[1].split("/")[0] for one in cells}) == 1, cells
