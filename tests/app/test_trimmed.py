"""Pages look as with all of Quasar's styles, of which they are served what they have use for."""

import re

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from app.pages import trimmed
from tests.app.browser import chromium as chromium
from tests.app.browser import site as site

pytestmark = pytest.mark.browser
LOOKS = """() => [...document.querySelectorAll("body, body *")].map((one) => {
  const looks = getComputedStyle(one);
  return one.tagName + ["display", "position", "margin", "padding", "border", "borderRadius", "font", "color",
    "backgroundColor", "boxShadow", "boxSizing", "opacity", "visibility", "overflow", "zIndex", "outline", "cursor",
    "textAlign", "textTransform", "textDecoration", "letterSpacing", "whiteSpace", "verticalAlign", "listStyle",
    "flex", "alignItems", "justifyContent", "gap", "userSelect"].map((name) => looks[name]).join(" | ");
})"""
SAY = "() => { Quasar.Notify.create({ message: 'Said.', type: 'warning', timeout: 0 }); }"


@pytest.mark.parametrize("path", ["/", "/videos/0000000000000001", "/storage"])
def test_pages_and_messages_look_as_with_all_of_quasars_styles(chromium: Browser, site: str, path: str) -> None:
    with chromium.new_context(base_url=site) as context:
        page = context.new_page()
        served = looks(page, path)
        asked: list[str] = []

        def whole(route: Route) -> None:
            name = route.request.url.rsplit("/", 1)[-1]
            asked.append(name)
            route.fulfill(path=trimmed.WHOLE / name)

        page.route(re.compile("/quasar[^/]*css$"), whole)
        assert looks(page, path) == served
        assert sorted(asked) == sorted(trimmed.STYLES)


def looks(page: Page, path: str) -> list[str]:
    page.goto(path)
    page.evaluate(SAY)
    expect(page.get_by_text("Said.")).to_be_visible()
    page.wait_for_function("document.getAnimations().every((one) => one.playState !== 'running')")
    found: list[str] = page.evaluate(LOOKS)
    return found


def test_html_of_others_would_be_text(chromium: Browser, site: str) -> None:
    with chromium.new_context(base_url=site) as context:
        page = context.new_page()
        page.goto("/account")
        page.wait_for_function("Element.prototype.setHTML && window.socket?.connected")
        said = page.evaluate(
            "() => { const box = document.createElement('p'); box.setHTML('<b>&</b>'); return box.textContent; }"
        )
        assert said == "<b>&</b>"
