"""A page whose browser was away a while stays as it is; one that had to be loaded anew has what was typed on it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from sqlalchemy import Engine, update

from dashcam.database import open_engine, writing
from dashcam.tasks.row import TaskRow
from tests.app.browser import chromium as chromium
from tests.app.browser import desk as desk
from tests.app.browser import page as page
from tests.app.browser import served
from tests.catalog.rows import NOON, add_task, add_video

pytestmark = pytest.mark.browser

CLIP, OTHER = 900, 901
LOST_MS = 6_000
"""Longer than NiceGUI waits by itself."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("away")


@pytest.fixture(scope="module")
def site(chromium: Browser, folder: Path) -> Iterator[str]:
    with served(folder) as address:
        yield address


@pytest.fixture(scope="module")
def engine(site: str, folder: Path) -> Iterator[Engine]:
    """With two clips in trouble."""
    one = open_engine(f"sqlite:///{folder / 'dashcam.db'}")
    with writing(one) as session:
        for number, error in ((CLIP, "No room."), (OTHER, "No picture.")):
            add_task(session, add_video(session, number, NOON, outcome=None), failures=1, last_error=error)
    yield one
    one.dispose()


def built(page: Page) -> None:
    page.wait_for_function("window.socket?.connected")


def lose(page: Page) -> None:
    page.evaluate("socket.io.reconnection(false); socket.io.engine.close()")
    expect(page.get_by_text("Connection lost.")).to_be_visible()


def come_back(page: Page) -> None:
    page.evaluate("socket.io.reconnection(true); socket.connect()")
    expect(page.get_by_text("Connection lost.")).to_be_hidden()


def again(page: Page) -> None:
    """As NiceGUI does when the server knows nothing of the page."""
    with page.expect_navigation():
        page.evaluate("setTimeout(() => location.reload())")
    built(page)


def test_a_page_without_network_for_a_while_stays_and_shows_what_has_changed(page: Page, engine: Engine) -> None:
    page.goto("/tasks?view=stuck")
    row = page.locator("tr", has_text="No room.")
    row.locator("summary").press("Enter")
    built(page)
    page.evaluate("window.same = true")
    lose(page)
    with writing(engine) as session:
        session.execute(update(TaskRow).where(TaskRow.video_id == f"{CLIP:016x}").values(failures=7))
    page.wait_for_timeout(LOST_MS)
    come_back(page)
    expect(row).to_contain_text("7 failed")
    expect(row.locator("pre")).to_be_visible()
    row.get_by_role("button", name="again").press("Enter")
    expect(page.get_by_text("It is tried again now.")).to_be_visible()
    assert page.evaluate("window.same")


def test_what_is_pressed_meanwhile_is_done_when_the_network_is_back(page: Page, engine: Engine) -> None:
    page.goto("/tasks?view=stuck")
    built(page)
    lose(page)
    page.locator("tr", has_text="No picture.").get_by_role("button", name="again").press("Enter")
    page.wait_for_timeout(LOST_MS)
    come_back(page)
    expect(page.get_by_text("It is tried again now.")).to_be_visible()


def test_pictures_that_the_network_was_away_from_come_when_it_is_back(chromium: Browser, site: str) -> None:
    with chromium.new_context(base_url=site) as context:
        page = context.new_page()
        page.route("**/media/**", lambda route: route.abort())
        page.goto("/plates")
        built(page)
        missing, there = page.locator(".picture.missing img[src]"), page.locator(".picture:not(.missing) img[src]")
        expect(missing).to_have_count(6)
        lose(page)
        page.unroute("**/media/**")
        come_back(page)
        expect(there).to_have_count(5)
        expect(missing).to_have_count(1)  # whose file is not there


@pytest.mark.parametrize(
    ("then", "said"),
    [
        (lambda route: route.abort(), "The server does not answer: take it out once more"),
        (lambda route: route.fulfill(status=404), "It was not made: take it out once more."),
        (lambda route: route.fulfill(json={"percent": 100}), "It is made: your browser has it."),
    ],
    ids=["gone", "started again", "made"],
)
def test_of_a_bundle_it_is_said_that_it_is_there_when_it_is(
    chromium: Browser, site: str, then: Callable[[Route], None], said: str
) -> None:
    with chromium.new_context(base_url=site) as context:
        page = context.new_page()
        page.route("**/export/evidence.zip*", lambda route: route.fulfill(status=204))
        page.route("**/export/evidence/progress*", lambda route: route.fulfill(json={"percent": 40}))
        page.goto(f"/videos/{60:016x}")
        built(page)
        page.get_by_role("button", name="Take it out").click()
        expect(page.get_by_text("It is being made, and comes when it is whole.")).to_be_visible()
        page.unroute("**/export/evidence/progress*")
        page.route("**/export/evidence/progress*", then)
        expect(page.get_by_text(said)).to_be_visible(timeout=20_000)


def test_what_was_typed_and_not_sent_is_there_again_when_the_page_is_loaded_anew(page: Page) -> None:
    page.goto("/storage")
    built(page)
    days, bundles = page.get_by_label("Clips, days"), page.get_by_label("Bundles, days")
    days.fill("45")
    again(page)
    expect(days).to_have_value("45")
    page.goto("/storage")  # whoever asks for the page anew gets it anew
    built(page)
    expect(days).to_have_value("90")
    expect(bundles).to_have_value("7")
    page.goto("/people")
    built(page)
    name, password = page.get_by_label("Name of the new person"), page.get_by_label("Password of the new person")
    name.fill("maud")
    password.fill("a secret of hers")
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = false")
    again(page)
    expect(name).to_have_value("maud")
    expect(name).to_be_visible()
    expect(password).to_have_value("")
    page.goto("/storage")
    built(page)
    expect(days).to_have_value("90")
    page.goto("/people")
    built(page)
    expect(name).to_have_value("")


def test_what_was_sent_is_not_there_again(page: Page) -> None:
    page.goto("/settings")
    built(page)
    url = page.get_by_label("An address for messages")
    url.fill("no address")
    url.press("Enter")
    expect(page.get_by_text("That is no address as apprise writes it")).to_be_visible()
    again(page)
    expect(url).to_have_value("")
