"""The player in a real browser, on real clips: where its boxes are, a whole trip from clip to clip, keys, timeline."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.app.browser import chromium as chromium
from tests.app.browser import served, watched
from tests.app.filmed import video_id

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("filmed"), "--filmed") as address:
        yield address


@pytest.fixture(scope="module")
def desk(chromium: Browser, site: str) -> Iterator[BrowserContext]:
    with chromium.new_context(base_url=site) as context:
        yield context


@pytest.fixture
def page(desk: BrowserContext, site: str) -> Iterator[Page]:
    with watched(desk, site) as one:
        yield one


def test_a_plate_has_its_box_as_long_as_its_bar_runs_and_the_box_follows_it(page: Page) -> None:
    page.goto(f"/videos/{video_id(0)}?t=3.70")  # read until 2.5 s, in sight until 4 s
    box, video = page.locator(".box", has_text="AB12CDE"), page.locator("video")
    expect(box).to_be_visible()
    inner, outer = box.bounding_box(), video.bounding_box()
    assert inner and outer
    assert (inner["x"] - outer["x"]) / outer["width"] == pytest.approx(570 / 1280, abs=0.02), "it drives on"
