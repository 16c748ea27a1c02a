"""Tonight in a real browser: a person looks through what is new by the keyboard alone, and has marks of their own."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.app.browser import chromium as chromium
from tests.app.browser import served, watched
from tests.app.ui_site import PASSWORD

pytestmark = pytest.mark.browser
AWHILE_MS = 60_000
expect.set_options(timeout=AWHILE_MS)


@pytest.fixture
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Anew for another try: marks of the first one would be there."""
    with served(tmp_path_factory.mktemp("tonight"), "--log-in") as address:
        yield address


@contextmanager
def logged_in(chromium: Browser, address: str, name: str) -> Iterator[Page]:
    with chromium.new_context(base_url=address) as context, watched(context, address) as page:
        page.goto("/log-in")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Tonight", level=1)).to_be_visible()
        # its keys listen, and what they ask for arrives
        page.wait_for_function("window.socket?.connected && document.readyState === 'complete'")
        yield page


def focused(page: Page) -> Locator:
    return page.locator("#tonight :focus")


def day(page: Page, number: int) -> Locator:
    return page.get_by_role("navigation", name="Days").get_by_role("link", name=re.compile(f", {number} June"))


def test_by_the_keyboard_alone_a_day_is_looked_through_and_another_person_has_marks_of_their_own(
    chromium: Browser, guarded: str, tmp_path: Path
) -> None:
    with logged_in(chromium, guarded, "ana") as page:
        newest = page.locator(".trip-news").first
        expect(newest.get_by_role("heading", level=3)).to_have_text(
            ["Not sure: worth a look", "Seen for the first time"]
        )
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog", name="Keys")).not_to_be_visible()

        page.keyboard.press("j")
        expect(focused(page)).to_contain_text("14:00 – 14:00")
        for text in ("LT23", "LT23CGK", "DX17ZWH"):
            page.keyboard.press("j")
            expect(focused(page).locator(".plate")).to_have_text(text)
        page.keyboard.press("k")
        expect(focused(page).locator(".plate")).to_have_text("LT23CGK")
        page.keyboard.press("x")
        expect(newest.get_by_role("button", name="LT23CGK is reviewed")).to_be_disabled()
        expect(focused(page).locator(".plate")).to_have_text("DX17ZWH")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(r"/videos/0000000000000001\?t=6\.00$"))
        page.go_back()
        expect(newest.get_by_role("button", name="LT23CGK is reviewed")).to_be_disabled()
        page.wait_for_function("window.socket?.connected && document.readyState === 'complete'")

        trips = page.locator(".trip-news")
        expect(trips).to_have_count(6)
        page.keyboard.press("j")
        page.keyboard.press("x")
        expect(trips.first).not_to_contain_text("14:00 – 14:00")
        page.reload()
        page.wait_for_function("window.socket?.connected && document.readyState === 'complete'")
        expect(trips.first).not_to_contain_text("14:00 – 14:00")
        page.keyboard.press("u")
        expect(trips.first).to_contain_text("14:00 – 14:00")
        expect(trips.first.get_by_role("button", name="LT23CGK is reviewed")).to_be_disabled()

        expect(day(page, 28)).to_have_class("dotted")
        day(page, 28).click()
        expect(page).to_have_url(re.compile(r"/\?day=2026-06-28$"))
        expect(day(page, 28)).to_have_attribute("aria-current", "date")
        page.wait_for_function("window.socket?.connected && document.readyState === 'complete'")
        page.get_by_role("button", name="All of 28 June is reviewed").click()
        expect(day(page, 28)).not_to_have_class("dotted")
        expect(day(page, 27)).to_have_class("dotted")
        expect(page.locator(".news-line")).to_have_text(re.compile("no trip to review"))

    with logged_in(chromium, guarded, "ben") as page:
        expect(day(page, 28)).to_have_class("dotted")
        expect(day(page, 27)).not_to_have_class("dotted")  # what was before he came is not there for him
        expect(page.locator(".trip-news").first).to_contain_text("14:00 – 14:00")
        expect(page.get_by_role("button", name="Mark LT23CGK as reviewed")).to_be_enabled()

    with logged_in(chromium, guarded, "vic") as page:
        expect(page.locator(".trip-news").first).to_contain_text("14:00 – 14:00")
        expect(page.locator(".news.moment .pick").first).to_be_visible()
        expect(page.locator("main .plate")).to_have_count(0)
        page.get_by_role("button", name=re.compile("Mark the trip of")).first.click()
        expect(page.locator(".trip-news").first).not_to_contain_text("14:00 – 14:00")


def test_what_is_marked_changes_and_all_else_stays(chromium: Browser, guarded: str) -> None:
    """No picture is drawn anew, and the keyboard stays where it is."""
    there = "window.before.every((one) => one.isConnected)"
    with logged_in(chromium, guarded, "ana") as page:
        page.evaluate("window.before = [...document.querySelectorAll('#tonight li, #tonight section')]")
        assert page.evaluate("window.before.length") > 10
        for key in "jjx":
            page.keyboard.press(key)
        expect(page.locator("#tonight li.reviewed button:disabled")).to_have_count(1)
        assert page.evaluate(there)
        page.keyboard.press("u")
        expect(page.locator("#tonight li.reviewed")).to_have_count(0)
        assert page.evaluate(there)
