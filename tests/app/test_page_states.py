"""What a page looks like once something was done to it or all of it is opened: nothing hinders anybody there either."""

from itertools import product
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine, text

from dashcam.database import writing
from tests.app.browser import chromium as chromium
from tests.app.browser import desk as desk
from tests.app.browser import empty_site as empty_site
from tests.app.browser import page as page
from tests.app.browser import site as site
from tests.app.test_pages import PAGES, hindrances

pytestmark = pytest.mark.browser

STATES = (
    *PAGES,
    f"/videos/{101:016x}",
    f"/videos/{0xDEAD:016x}",
    "/videos?outcome=rejected",
    "/map?box=44,26,45,27&first=2026-01-01&plate=LT23CGK",
    "/plates?q=LT23&unsure=1&first=2026-01-01&last=2030-01-01&camera=front&kind=normal&times=1&confidence=0.5",
    "/plates?q=LTZ3CQK",
    "/plates?first=2030-01-01",
    "/plates/LT23CGK?day=2026-06-28",
    "/tasks?view=stuck",
    "/tasks?view=complete",
    "/nowhere",
)
SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
WIDE = {"phone": 390, "desk": 1280}


def hindered(page: Page, path: str) -> set[str]:
    """What hinders on the open page, on a phone and on a desk, by day and by night."""
    found: set[str] = set()
    for scheme, (screen, width) in product(SCHEMES, WIDE.items()):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 844})
        found |= {f"{path}, {screen}, {scheme}: {one}" for one in hindrances(page)}
    return found


def test_every_state_of_a_page_hinders_nobody_by_day_and_by_night(page: Page, site: str) -> None:
    """With all that can be opened open; what is deleted and hidden is listed on Storage."""
    going = f"{site}/api/v1/deletions/going"
    for stays, plate in (("false", "DX17ZWH"), ("true", "B577PRO")):
        page.request.post(f"{going}?stays={stays}", data={"plate": plate})
    assert len(page.request.get(going).json()) == 2
    found: set[str] = set()
    for path in STATES:
        page.goto(path)
        page.wait_for_function("window.socket?.connected")
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        found |= hindered(page, path)
    assert not found, "\n".join(sorted(found))


def test_the_keys_of_tonight_hinder_nobody(page: Page) -> None:
    page.goto("/")
    page.wait_for_function("window.socket?.connected")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert hindered(page, "the sheet of keys") == set()


def test_a_page_that_fails_hinders_nobody(chromium: Browser, empty_site: tuple[Page, Engine]) -> None:
    there, engine = empty_site
    there.goto("/")
    with writing(engine) as session:
        session.execute(text("DROP TABLE camera_clock"))
    with chromium.new_context() as context:
        page = context.new_page()
        answer = page.goto(there.evaluate("location.origin") + "/cameras")
        assert answer is not None and answer.status == 500
        expect(page.get_by_role("heading", name="Something went wrong")).to_be_visible()
        assert hindered(page, "a page that fails") == set()


@pytest.mark.parametrize("path", ["/maps/everything?box=-60,-170,70,170", "/maps/trips/71", "/maps/plates/LT23CGK"])
def test_a_map_in_its_frame_hinders_nobody(page: Page, site: str, path: str) -> None:
    """What is a whole page's, as its heading, is that of the page which frames it."""
    page.goto(path)
    expect(page.locator(".leaflet-container")).to_be_visible()
    assert not hindrances(page, but=("region", "landmark-one-main", "page-has-heading-one"))
