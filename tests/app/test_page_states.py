"""What a page looks like once something was done to it or all of it is opened: nothing hinders anybody there either."""

import pytest
from playwright.sync_api import Page, expect

from tests.app.browser import chromium as chromium
from tests.app.browser import desk as desk
from tests.app.browser import page as page
from tests.app.browser import site as site
from tests.app.test_pages import CLIP, hindrances

pytestmark = pytest.mark.browser

STATES = (
    CLIP,
    f"/videos/{101:016x}",
    f"/videos/{0xDEAD:016x}",
    "/videos?outcome=rejected",
    "/trips/71",
    "/trips/71/play",
    "/map",
    "/map?box=44,26,45,27&first=2026-01-01&plate=LT23CGK",
    "/plates?q=LT23&unsure=1&first=2026-01-01&last=2030-01-01&camera=front&kind=normal&times=1&confidence=0.5",
    "/plates?q=LTZ3CQK",
    "/plates?first=2030-01-01",
    "/plates/LT23CGK",
    "/plates/LT23CGK?day=2026-06-28",
    "/tasks?view=stuck",
    "/tasks?view=complete",
    "/devices",
    "/accuracy",
    "/rereads",
    "/storage",
    "/settings",
    "/cameras",
    "/nowhere",
)


def test_every_state_of_a_page_hinders_nobody_by_day_and_by_night(page: Page, site: str) -> None:
    """With all that can be opened open; what is deleted and hidden is listed on Storage."""
    going = f"{site}/api/v1/deletions/going"
    for stays, text in (("false", "DX17ZWH"), ("true", "B577PRO")):
        page.request.post(f"{going}?stays={stays}", data={"plate": text})
    assert len(page.request.get(going).json()) == 2
    found: set[str] = set()
    for path in STATES:
        page.goto(path)
        page.wait_for_function("window.socket?.connected")
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        for night, width in ((True, 390), (False, 1280)):
            page.emulate_media(color_scheme="dark" if night else "light")
            page.set_viewport_size({"width": width, "height": 844})
            found |= {f"{path}, {'phone by night' if night else 'desk by day'}: {one}" for one in hindrances(page)}
    assert not found, "\n".join(sorted(found))


@pytest.mark.parametrize("path", ["/maps/everything?box=-60,-170,70,170", "/maps/trips/71", "/maps/plates/LT23CGK"])
def test_a_map_in_its_frame_hinders_nobody(page: Page, site: str, path: str) -> None:
    """What is a whole page's, as its heading, is that of the page which frames it."""
    page.goto(path)
    expect(page.locator(".leaflet-container")).to_be_visible()
    assert not hindrances(page, but=("region", "landmark-one-main", "page-has-heading-one"))
