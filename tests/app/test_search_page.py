"""The search page in a real browser: as somebody types, by keyboard alone, with filters and saved searches."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.app.browser import chromium as chromium
from tests.app.browser import desk as desk
from tests.app.browser import page as page
from tests.app.browser import site as site

pytestmark = pytest.mark.browser
PATIENCE_MS = 60_000


def test_the_list_narrows_as_somebody_types_and_keys_lead_through_it(page: Page) -> None:
    page.goto("/plates?camera=front")
    cards = page.locator("#found .plate-card")
    expect(cards.first).to_be_visible(timeout=PATIENCE_MS)
    many = cards.count()
    page.keyboard.press("/")
    page.keyboard.type("LTZ3")
    expect(page.get_by_role("heading", name="Plates like “LTZ3”")).to_be_visible(timeout=PATIENCE_MS)
    expect(cards).to_have_count(1, timeout=PATIENCE_MS)
    assert many > 1
    expect(page.locator("#found .plate mark")).to_have_text("2")
    expect(page.locator("#found .plate mark")).to_have_attribute("title", "read as 2, you asked Z")
    expect(page.locator("#found .why")).to_have_text("read as 2, you asked Z")
    expect(page.locator("#found .likely")).to_have_text(re.compile("%"))
    expect(page.get_by_role("switch", name="Misread ones too")).to_have_attribute("aria-checked", "true")
    expect(page).to_have_url(re.compile(r"camera=front&q=LTZ3$"))
    page.keyboard.press("ArrowDown")
    expect(cards.first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.locator(".search input")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/plates/LT23CGK"), timeout=PATIENCE_MS)


def test_what_comes_by_itself_can_be_switched_off_and_chips_removed(page: Page) -> None:
    page.goto("/plates?q=LTZ3%25&camera=front")
    expect(page.locator("#found [role=status]")).to_contain_text(
        "“%” is on no plate and is left out", timeout=PATIENCE_MS
    )
    page.get_by_role("switch", name="Misread ones too").click()
    expect(page.get_by_role("heading", name="No sure read matches")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_role("switch", name="Misread ones too")).to_have_attribute("aria-checked", "false")
    page.get_by_role("link", name="Remove: Front camera").click()
    expect(page.get_by_role("link", name="Remove: Front camera")).to_have_count(0, timeout=PATIENCE_MS)
    expect(page).to_have_url(re.compile("/plates\\?q=LTZ3%25&near=0$"))


def test_a_search_is_kept_and_removed(page: Page) -> None:
    page.goto("/plates?q=B57")
    page.get_by_text("Saved searches", exact=True).click(timeout=PATIENCE_MS)
    page.get_by_label("Name of this search").fill("<b>The van</b>")
    page.get_by_role("button", name="Save this search").click()
    page.get_by_text("Saved searches (1)").click(timeout=PATIENCE_MS)
    kept = page.get_by_role("link", name="<b>The van</b>")
    expect(kept).to_have_attribute("href", "/plates?q=B57")
    page.get_by_role("button", name="Remove the saved search <b>The van</b>").click()
    expect(page.get_by_text("Saved searches", exact=True)).to_be_visible(timeout=PATIENCE_MS)
