"""A home zone is drawn on a map, by a click or by keys alone, and removed."""

import re

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.app.browser import chromium as chromium
from tests.app.browser import desk as desk
from tests.app.browser import page as page
from tests.app.browser import site as site

pytestmark = pytest.mark.browser


def opened(page: Page) -> FrameLocator:
    page.goto("/home-zone")
    page.wait_for_function("window.socket?.connected")
    frame = page.frame_locator("iframe.map")
    expect(frame.locator(".leaflet-interactive, canvas").first).to_be_visible()
    return frame


def test_a_click_on_the_map_is_where_home_is_drawn_and_it_is_removed_again(page: Page) -> None:
    frame = opened(page)
    expect(page.get_by_text("None yet: exports have every place")).to_be_visible()
    lat, radius = page.get_by_label("Latitude"), page.get_by_label("Radius")
    before = lat.input_value()
    frame.locator(".leaflet-container").click(position={"x": 120, "y": 90})
    expect(lat).not_to_have_value(before)
    radius.press("End")
    expect(page.locator("output")).to_have_text("3,000 m")
    page.get_by_role("button", name="Draw it").click()
    zone = page.get_by_role("listitem").filter(has_text=re.compile("3.0 km around a place near"))
    expect(zone).to_be_visible()
    page.goto("/settings")
    expect(page.get_by_text("1 circle (3.0 km)")).to_be_visible()
    page.get_by_role("link", name="Draw it on a map").click()
    zone.get_by_text("Remove", exact=True).click()
    zone.get_by_role("button", name="Viewers and exports get all of it").click()
    expect(page.get_by_text("None yet: exports have every place")).to_be_visible()


def test_by_keys_alone_it_is_drawn_in_the_middle_of_the_map(page: Page) -> None:
    frame = opened(page)
    frame.locator(".leaflet-container").press("ArrowUp")
    page.get_by_role("button", name="Middle of the map").press("Enter")
    expect(page.get_by_label("Latitude")).not_to_have_value("")
    page.get_by_label("Longitude").fill("181")
    page.get_by_role("button", name="Draw it").press("Enter")
    expect(page.get_by_text("None yet: exports have every place")).to_be_visible()
    page.get_by_label("Longitude").fill("26.1")
    page.get_by_role("button", name="Draw it").press("Enter")
    zone = page.get_by_role("listitem").filter(has_text="300 m around a place")
    expect(zone).to_be_visible()
    page.wait_for_function("window.socket?.connected")
    zone.locator("summary").press("Enter")
    zone.get_by_role("button", name="Viewers and exports get all of it").press("Enter")
    expect(zone).to_have_count(0)
