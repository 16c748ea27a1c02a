"""What people have met in the WebUI and what must not come back, in a real browser on one small site."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect
from sqlalchemy import Engine, delete

from app import wording
from dashcam.catalog.deriving import derive_everything
from dashcam.catalog.models import Video
from dashcam.database import open_engine, writing
from dashcam.gps.place import Estimate
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import TaskRow
from tests.app.browser import chromium as chromium
from tests.app.browser import served, watched
from tests.catalog.car import SITE
from tests.catalog.rows import add_route, add_sighting, add_task, add_video

pytestmark = pytest.mark.browser

MIDDLE = {"lat": 44.4309, "lon": 26.1}
"""Of the route that `add_route` draws: what is seen there stands in the middle of a map."""


@pytest.fixture(scope="module")
def site(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Engine]]:
    """Its address and its database, with one clip that has a route and a plate in the middle of it."""
    folder = tmp_path_factory.mktemp("seen")
    with served(folder, "--empty") as address:
        engine = open_engine(f"sqlite:///{folder / 'dashcam.db'}")
        with writing(engine) as session:
            video = add_video(session, 1)
            add_route(session, video)
            ellipse = Estimate(bearing_deg=0, distance_m=12, major_m=30, minor_m=20, angle_deg=0, **MIDDLE)
            add_sighting(session, video, "LT23CGK", 4.5, estimate=ellipse.model_dump(), **MIDDLE)
        derive_everything(engine, SITE.trips)
        yield address, engine
        engine.dispose()


@pytest.fixture(scope="module")
def desk(chromium: Browser, site: tuple[str, Engine]) -> Iterator[BrowserContext]:
    with chromium.new_context(base_url=site[0]) as context:
        yield context


@pytest.fixture
def page(desk: BrowserContext, site: tuple[str, Engine]) -> Iterator[Page]:
    with watched(desk, site[0]) as one:
        yield one


def click_the_middle(page: Page) -> FrameLocator:
    """Of the page's map."""
    view = page.frame_locator("iframe.map")
    expect(view.locator("canvas").last).to_be_visible()
    expect(view.locator(".leaflet-control-scale-line")).not_to_have_text("")
    box = page.locator("iframe.map").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    return view


def test_a_click_on_a_pin_opens_it_although_an_ellipse_lies_over_it(page: Page) -> None:
    page.goto("/plates/LT23CGK")
    pin = click_the_middle(page).locator(".leaflet-popup a.pin")
    expect(pin).to_contain_text("Estimated 12 m away")
    pin.click()
    expect(page).to_have_url(re.compile(r"/videos/0000000000000001\?t=4\.50$"))


def test_a_click_on_a_trips_pin_opens_it_and_goes_nowhere_else(page: Page) -> None:
    page.goto("/trips/1")
    pin = click_the_middle(page).locator(".leaflet-popup a.pin")
    expect(pin.locator(".plate")).to_have_text("LT23CGK")
    expect(page).to_have_url(re.compile(r"/trips/1$"))
    pin.click()
    expect(page).to_have_url(re.compile(r"/videos/0000000000000001\?t=4\.50$"))


@pytest.mark.parametrize("stage", ["INGEST_VIDEO", "ARCHIVE_VIDEO", "FINALIZE_VIDEO"])
def test_a_stage_that_does_not_say_how_far_it_is_runs_on_every_page(
    page: Page, site: tuple[str, Engine], stage: str
) -> None:
    address, engine = site
    with writing(engine) as session:
        video = add_video(session, 7, outcome=None, name="at_work.MP4")
        task_id = add_task(session, video, stage).task_id
    try:
        asked = httpx.get(f"{address}/api/v1/tasks/{task_id}", headers={"X-Dashcam-Begins": "shed-nas"})
        assert asked.status_code == 200
        name = wording.stage_name(TaskType(stage))
        for path in ("/videos", "/", f"/videos/{7:016x}"):
            page.goto(path)
            expect(page.locator("main")).to_contain_text(f"{name} on shed-nas: running")
            expect(page.locator("main")).not_to_contain_text("Waiting")
        page.goto("/tasks")
        expect(page.locator("tr", has_text="at_work.MP4")).to_contain_text("shed-nas")
        expect(page.locator("tr", has_text="at_work.MP4").locator(".state-cell")).to_have_text("running")
    finally:
        with writing(engine) as session:
            session.execute(delete(TaskRow))
            session.execute(delete(Video).where(Video.name == "at_work.MP4"))


def test_a_phones_map_shows_its_legend_when_it_is_touched(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/trips/1")
    legend = page.frame_locator("iframe.map").locator(".dashcam-legend")
    expect(legend.get_by_text("to 50 km/h")).not_to_be_visible()
    legend.get_by_text("Legend").click()
    expect(legend.get_by_text("to 50 km/h")).to_be_visible()
