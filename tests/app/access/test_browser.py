"""The WebUI behind its log-in, in a real browser: through the log-in's page to every other, and out again."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.app.browser import chromium as chromium
from tests.app.browser import served, watched
from tests.app.test_pages import PAGES
from tests.app.ui_site import PASSWORD

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "color_scheme": "dark"}
AWHILE_MS = 60_000
WIDTHS = (320, 390, 761, 768, 844, 961, 1024, 1081, 1121)
"""Of small and common phones, of tablets, phones that lie on their side and half screens, and where the bar changes."""


@pytest.fixture(scope="module")
def guarded(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("guarded"), "--log-in") as address:
        yield address


@pytest.fixture
def context(request: pytest.FixtureRequest, chromium: Browser, guarded: str) -> Iterator[BrowserContext]:
    """On a desk by day; where the test asks for it on a phone by night."""
    with chromium.new_context(base_url=guarded, **getattr(request, "param", {})) as one:
        yield one


@pytest.fixture
def let_in(context: BrowserContext) -> BrowserContext:
    """Logged in through the page, at the second attempt."""
    page = context.new_page()
    page.goto("/plates/LT23CGK")
    expect(page).to_have_url(re.compile(r"/log-in\?next=%2Fplates%2FLT23CGK$"))
    page.get_by_label("Name").fill("ana")
    page.get_by_label("Password").fill("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_text("do not go together")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="LT23CGK")).to_be_visible()
    page.close()
    return context


@pytest.mark.parametrize("context", [PHONE], indirect=True, ids=["phone"])
def test_every_page_works_for_who_is_logged_in(let_in: BrowserContext, guarded: str) -> None:
    with watched(let_in, guarded) as page:
        for path in PAGES:
            page.goto(path)
            expect(page.locator("main :is(h1, h2), main .counts").first).to_be_visible()
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 844})
                wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                assert wider <= 0, f"{path} is wider than a screen of {width} pixels"
        page.goto("/account")
        page.get_by_label("What the token is for").fill("a script")
        page.get_by_role("button", name="Make a token").click()
        expect(page.locator(".secret code")).to_have_text(re.compile("^dca_"))
        page.get_by_role("link", name="I have it").click()
        page.get_by_label("Revoke the token a script").click()
        page.get_by_role("button", name="Revoke a script for good").click()
        expect(page.get_by_text("a script", exact=True)).to_have_count(0)


def test_who_logs_out_in_one_tab_is_out_in_all(let_in: BrowserContext) -> None:
    left, other = let_in.new_page(), let_in.new_page()
    other.goto("/devices")
    left.goto("/people")
    left.wait_for_function("window.socket?.connected")
    left.get_by_label("Name of the new person").fill("maud")
    other.get_by_role("button", name="Log ana out").click()
    expect(other).to_have_url(re.compile("/log-in$"))
    expect(left).to_have_url(re.compile(r"/log-in\?next=%2Fpeople$"), timeout=AWHILE_MS)
    assert "maud" not in left.evaluate("JSON.stringify(sessionStorage)"), "nor is there what was typed"


def test_an_admin_hides_a_plate_and_chosen_sightings_and_shows_them_again(let_in: BrowserContext, guarded: str) -> None:
    """Nothing of it is deleted, so it is as it was."""
    with watched(let_in, guarded) as page:
        for chosen in (False, True):
            page.goto("/plates/DX17ZWH")
            if chosen:
                page.wait_for_function("window.socket?.connected")
                page.locator("input.choose").first.check()
                page.get_by_role("button", name="Hide chosen").click()
            else:
                page.get_by_text("Hide this plate", exact=True).click()
                page.get_by_role("button", name="Hide this plate from everybody").click()
            expect(page.get_by_role("heading", name="Hidden", exact=True)).to_be_visible()
            expect(page.get_by_role("status")).to_contain_text("It can be shown again at any time")
            page.goto("/plates?q=DX17ZWH")
            expect(page.locator(".plate-card")).to_have_count(0)
            page.goto("/storage")
            page.get_by_role("button", name="Show again: ").click()
            expect(page.get_by_role("button", name="Show again: ")).to_have_count(0)
            page.goto("/plates?q=DX17ZWH")
            expect(page.locator(".plate-card")).to_have_count(1)


def test_an_admin_deletes_a_clip_a_plate_and_days_and_has_them_back(let_in: BrowserContext, guarded: str) -> None:
    """The last one here: one clip goes for good."""
    clip = f"/videos/{60:016x}"
    with watched(let_in, guarded) as page:
        for path, what, back in (("/plates/DX17ZWH", "plate", "plates"), (clip, "clip", "videos")):
            for undone in (True, False):
                page.goto(path)
                page.get_by_text(f"Delete this {what}").click()
                page.get_by_role("button", name="Show what would go").click()
                page.get_by_role("button", name="Delete", exact=True).click()
                expect(page.get_by_role("heading", name="Deleted", exact=True)).to_be_visible()
                expect(page.get_by_role("status")).to_contain_text("nobody is shown it any more")
                if undone:
                    page.get_by_role("button", name="Undo").click()
                    expect(page.get_by_text(f"Delete this {what}")).to_be_visible()
            page.get_by_role("link", name=f"To the {back}").click()
            expect(page).to_have_url(re.compile(f"/{back}$"))
            page.goto(path)
            expect(page.locator(".empty")).to_be_visible()
        page.goto("/storage")
        page.get_by_role("button", name="Undo: DX17ZWH").click()
        expect(page.get_by_role("button", name="Undo: DX17ZWH")).to_have_count(0)
        page.get_by_role("button", name="Delete now").click()
        page.get_by_role("button", name="For good:").click()
        expect(page.get_by_text("What somebody deletes stays here for a day")).to_be_visible()
        page.get_by_text("Delete some days").click()
        page.get_by_label("From this day").fill("2026-06-26")
        page.get_by_label("To this day").fill("2026-06-25")
        page.get_by_role("button", name="Show what would go").last.click()
        expect(page.get_by_text("in this order")).to_be_visible()
        page.get_by_label("To this day").fill("2026-06-26")
        page.get_by_role("button", name="Show what would go").last.click()
        expect(page.get_by_text("clips, with all that was seen in it")).to_be_visible()
        page.get_by_role("button", name="Delete", exact=True).click()
        expect(page.get_by_text(re.compile(r"\d+ clips: nobody is shown it"))).to_be_visible()


def test_a_member_finds_no_button_to_delete(chromium: Browser, guarded: str) -> None:
    with chromium.new_context(base_url=guarded) as context:
        page = context.new_page()
        page.goto(f"/log-in?next=/videos/{1:016x}")
        page.get_by_label("Name").fill("ben")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", name="Facts")).to_be_visible()
        for path in (f"/videos/{1:016x}", "/plates/LT23CGK", "/storage"):
            page.goto(path)
            expect(page.locator("main :is(h1, h2)").first).to_be_visible()
            expect(page.get_by_text(re.compile("^Delete ")).and_(page.locator("summary"))).to_have_count(0)
