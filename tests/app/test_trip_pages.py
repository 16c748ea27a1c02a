"""Trips, events, cameras' clocks and clips side by side, in a real browser."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from dashcam.catalog import deriving
from dashcam.catalog import trips as trip_table
from dashcam.config.model import TripSettings
from dashcam.database import writing
from tests.app.browser import chromium as chromium
from tests.app.browser import desk as desk
from tests.app.browser import empty_site as empty_site
from tests.app.browser import page as page
from tests.app.browser import site as site
from tests.catalog.rows import NOON, add_video

pytestmark = pytest.mark.browser


def test_a_trip_is_split_at_a_clip_and_one_click_puts_it_back(page: Page) -> None:
    page.goto("/trips")
    page.locator("a.trip-row", has_text="2 events").click()
    expect(page.get_by_text("Long stop")).to_be_visible()
    expect(page.locator("ol.moments").first.locator("li")).to_have_count(4)
    page.get_by_role("button", name="Begin a new trip with").nth(1).click()
    expect(page.get_by_text("The trip is split in two.")).to_be_visible()
    expect(page.get_by_text("begins here by hand")).to_be_visible()
    expect(page.locator("ol.moments").first.locator("li")).to_have_count(2)
    page.get_by_role("button", name="Undo", exact=True).first.click()
    expect(page.locator("ol.moments").first.locator("li")).to_have_count(4)
    expect(page.get_by_text("begins here by hand")).to_have_count(0)


def test_an_event_leads_to_its_second_of_video(page: Page) -> None:
    page.goto("/trips")
    page.locator("a.trip-row", has_text="2 events").click()
    page.locator("a.event.braking").click()
    expect(page).to_have_url(re.compile(r"/videos/[0-9a-f]{16}\?t=1[0-9]{2}\.00$"))


def test_a_cameras_clock_is_corrected_and_put_back(page: Page) -> None:
    rear = f"/videos/{0xCA1:016x}"
    page.goto(rear)
    before = page.locator("dd", has_text="from the file name").inner_text()
    page.get_by_role("link", name="Clocks of the cameras").click()
    page.get_by_label("hours of Rear camera").fill("1")
    page.get_by_label("minutes of Rear camera").fill("30")
    panel = page.locator(".clock", has=page.get_by_label("hours of Rear camera"))
    panel.get_by_role("button", name="Correct", exact=True).click()
    expect(page.locator(".undo")).to_contain_text("Corrected: 4 clips got another time")
    expect(page.get_by_text("1 h 30 min ahead of the right time")).to_be_visible()
    page.goto(rear)
    assert page.locator("dd", has_text="from the file name").inner_text() == before.replace("13:10:01", "11:40:01")
    expect(page.get_by_text("corrected by -5,400 s")).to_be_visible()
    page.goto("/cameras")
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_text("1 h 30 min ahead of the right time")).to_have_count(0)
    expect(page.locator(".undo")).to_contain_text("Corrected: 4 clips got another time")
    page.goto(rear)
    assert page.locator("dd", has_text="from the file name").inner_text() == before


def test_a_cameras_clock_is_corrected_by_what_it_showed_when_it_was_another_time(page: Page) -> None:
    page.goto("/cameras")
    page.get_by_label("It showed, Rear camera").fill("2026-06-28T13:30:00")
    page.get_by_label("when it was, Rear camera").fill("2026-06-28T12:00:00")
    page.get_by_role("button", name="Correct by both times, Rear camera").click()
    expect(page.get_by_text("1 h 30 min ahead of the right time")).to_be_visible()
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_text("1 h 30 min ahead of the right time")).to_have_count(0)


def test_a_clip_leads_to_the_one_beside_it_and_is_on_the_map_by_its_positions(page: Page) -> None:
    page.goto(f"/videos/{0xCA1:016x}")
    expect(page.get_by_text("shown are those of the camera beside it")).to_be_visible()
    expect(page.frame_locator("iframe.map").locator("canvas").last).to_be_visible()
    expect(page.frame_locator("iframe.map").get_by_text("other car, estimated")).to_be_visible()
    expect(page.get_by_text("An estimate from the size of their plates, with a guessed lens")).to_be_visible()
    page.get_by_role("link", name="Front camera at the same time").click()
    expect(page).to_have_url(re.compile(f"/videos/{0xCA0:016x}$"))


def test_positions_kept_from_a_clip_without_index_are_on_the_map(page: Page) -> None:
    page.goto("/videos?outcome=rejected")
    page.get_by_role("link", name=re.compile("_000200F.MP4")).click()
    expect(page.get_by_text("Its 30 positions are kept.")).to_be_visible()
    expect(page.locator("dd", has_text="30 positions, novatek")).to_be_visible()
    expect(page.frame_locator("iframe.map").locator("canvas").last).to_be_visible()


def test_videos_stand_under_their_trips(page: Page) -> None:
    page.goto("/videos?day=2026-06-28")
    page.get_by_role("link", name="Trip 13:10 – 13:28").click()
    expect(page.get_by_role("heading", name="Sunday, 28 June")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/trips/\d+$"))


def test_a_car_that_was_parked_for_weeks_hides_no_clip_of_the_drive(empty_site: tuple[Page, Engine]) -> None:
    page, engine = empty_site
    with writing(engine) as session:
        for number in range(trip_table.MOST_PARKED + 23):
            video = add_video(session, number, NOON + timedelta(seconds=10 * number), clock="utc")
            video.facts = (video.facts or {}) | ({"kind": "parking"} if number >= 3 else {})
        deriving.derive(session, NOON, NOON + timedelta(days=1), TripSettings())
    page.goto("/trips/1")
    clips, parked = (
        page.locator("section", has=page.get_by_role("heading", name=name)) for name in ("Clips", "Parked")
    )
    expect(clips.locator("li")).to_have_count(3)
    expect(clips.get_by_role("button", name="Begin a new trip with")).to_have_count(2)
    expect(parked.locator("li")).to_have_count(trip_table.MOST_PARKED)
    expect(parked.locator("p")).to_have_text("The newest 100 are shown; 20 from before them are under Videos")


def test_every_page_names_the_zone_of_its_times(page: Page) -> None:
    for path in ("/", "/videos", "/trips", "/cameras"):
        page.goto(path)
        expect(page.locator(".zone")).to_have_text("Times: Europe/Amsterdam")
    page.goto(f"/videos/{0xDEAD:016x}")
    expect(page.get_by_text("24 Jun 2026, 13:00:00 (Europe/London)")).to_be_visible()
    page.get_by_role("link", name="Its trip").click()
    expect(page.get_by_text("24 Jun 2026, 13:00:00 (Europe/London)")).to_be_visible()
