"""A list's pictures cost nothing until somebody is about to see them."""

import pytest
from playwright.sync_api import Page, expect

from tests.app.browser import chromium as chromium
from tests.app.browser import desk as desk
from tests.app.browser import page as page
from tests.app.browser import site as site

pytestmark = pytest.mark.browser


def test_pictures_are_asked_for_as_the_window_shows_them_and_once_it_is_scrolled_ahead_of_it(page: Page) -> None:
    page.goto("/videos")
    expect(page.locator("#app .video-card .picture.missing").first).to_be_visible()
    pictures = page.locator("#app .video-card img")

    def are_asked_for_down_to(below: int) -> None:
        """So far below the window's end, and not much further."""
        page.wait_for_function(
            """below => [...document.querySelectorAll('#app .video-card img')].every(one => {
              const from = one.getBoundingClientRect().top - innerHeight
              return one.hasAttribute('src') ? from < below + 50 : from > below - 50
            })""",
            arg=below,
        )

    are_asked_for_down_to(0)
    page.mouse.wheel(0, 1)
    are_asked_for_down_to(400)
    last = pictures.last
    address = last.get_attribute("data-src")
    assert address is not None and last.get_attribute("src") is None
    last.scroll_into_view_if_needed()
    expect(last).to_have_attribute("src", address)
