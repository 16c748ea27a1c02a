"""The WebUI as a person meets it, in a real browser: every page, by day and by night, on a desk and on a phone."""

import re
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect
from sqlalchemy import Engine

from dashcam.database import writing
from tests.app.browser import chromium as chromium
from tests.app.browser import desk as desk
from tests.app.browser import empty_site as empty_site
from tests.app.browser import page as page
from tests.app.browser import site as site
from tests.app.browser import watched
from tests.catalog.rows import NOON, add_sighting, add_video

pytestmark = pytest.mark.browser

CLIP = "/videos/0000000000000001"
PAGES = (
    "/",
    "/videos",
    CLIP,
    "/cameras",
    "/trips",
    "/trips/71",
    "/trips/71/play",
    "/trips/999",
    "/map",
    "/plates",
    "/plates/LT23CGK",
    "/tasks",
    "/devices",
    "/accuracy",
    "/rereads",
    "/storage",
    "/settings",
    "/home-zone",
    "/account",
    "/people",
    "/audit",
    "/plates/UNSEEN",
    "/videos/nonsense",
)


def test_a_page_can_be_read_and_left_while_its_scripts_have_not_come(chromium: Browser, site: str) -> None:
    with chromium.new_context(base_url=site) as context:
        page = context.new_page()
        page.route("**/nicegui.js", lambda route: route.abort())
        page.goto("/plates/LT23CGK")
        expect(page.locator("#app").get_by_text("LT23CGK").first).to_be_visible()
        page.get_by_text("What was read").click()
        expect(page.get_by_role("heading", name="3 reads")).to_be_visible()
        page.locator("a.sighting").click()
        expect(page).to_have_url(re.compile(CLIP))
        page.unroute("**/nicegui.js")
        page.get_by_role("link", name="Trips").first.click()
        expect(page.get_by_role("heading", name="Trips", level=1)).to_be_visible()


PAINTED = """document.addEventListener("readystatechange", () => {
  if (document.readyState === "interactive") window.painted = [...document.querySelectorAll("#app *")];
});
addEventListener("dashcam-built", () => (window.kept = window.painted.filter((one) => one.isConnected)));"""
"""What stood there before any script of the page's own ran, and of that what stands there when the page is built."""


def test_what_the_server_has_painted_is_the_page_and_nothing_is_built_or_loaded_twice(
    chromium: Browser, site: str
) -> None:
    with chromium.new_context(base_url=site) as context, watched(context, site) as page:
        page.add_init_script(PAINTED)
        for path in PAGES:
            page.goto(path)
            page.wait_for_function("window.kept")
            painted, kept = page.evaluate("[window.painted.length, window.kept.length]")
            assert painted == kept > 5, path
            assert page.locator("[inert]").count() == 0, f"nothing on {path} waits any more"


def test_every_page_fits_a_phone_at_night_and_asks_nobody_else(chromium: Browser, site: str) -> None:
    phone: ViewportSize = {"width": 390, "height": 844}
    with (
        chromium.new_context(
            base_url=site, color_scheme="dark", viewport=phone, is_mobile=True, has_touch=True
        ) as context,
        watched(context, site) as page,
    ):
        for path in PAGES:
            page.goto(path)
            expect(page.locator("main :is(h1, h2), main .counts").first).to_be_visible()
            expect(page.locator("nav.bottom-nav")).to_be_visible()
            assert page.title().endswith("Dashcam Processor")
            wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wider <= 0, f"{path} is wider than the screen"
            assert hindrances(page) == [], f"{path} on a phone by night"


def hindrances(page: Page, but: tuple[str, ...] = ()) -> list[str]:
    """What axe finds against a page, by all of its rules ``but`` some, those of good practice too."""
    found = Axe().run(page, options={"rules": {rule: {"enabled": False} for rule in but}}).response["violations"]
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


def test_the_slash_key_finds_a_plate_from_a_fragment_as_a_person_types_it(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", name="Tonight")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("lt-23")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/plates\?q=lt-23$"))
    expect(page.locator(".plate-card")).to_have_count(1)
    expect(page.locator(".plate-card .plate")).to_have_text("LT23CGK")
    page.get_by_role("switch", name="Unsure reads too").click()
    expect(page.locator(".plate-card .plate")).to_have_text(["LT23", "LT23CGK"])
    page.get_by_role("link", name="LT23CGK").click()
    expect(page.get_by_role("heading", name="LT23CGK")).to_be_visible()
    page.locator("a.sighting").click()
    expect(page).to_have_url(re.compile(CLIP + r"\?t=2\.00$"))


def test_a_plates_reads_days_and_pins_are_reached_by_keyboard_alone(page: Page) -> None:
    page.goto("/plates/LT23CGK")
    page.wait_for_function("window.socket?.connected")
    page.locator("summary", has_text="What was read").press("Enter")
    reads = page.locator(".readings-of")
    expect(reads.get_by_role("heading", name="3 reads")).to_be_visible()
    expect(reads.locator(".slots").first.locator("li.first b")).to_have_text([*"LT23CGK"])
    assert hindrances(page) == []
    days = page.get_by_role("navigation", name="Days on which it was seen")
    days.get_by_role("link", name="Sunday, 28 June 2026: 1 sighting").press("Enter")
    expect(page).to_have_url(re.compile(r"/plates/LT23CGK\?day=2026-06-28$"))
    page.wait_for_function("window.socket?.connected")
    page.locator("iframe.map").scroll_into_view_if_needed()
    pins = page.frame_locator("iframe.map")
    expect(pins.locator(".leaflet-control-zoom")).to_be_visible()
    page.get_by_role("button", name="On the map").press("Enter")
    expect(pins.locator("a.pin")).to_be_focused()
    pins.get_by_role("link", name="In the list").press("Enter")
    expect(page.locator(".sightings a.sighting")).to_be_focused()
    page.locator("summary", has_text="What was read").press("Enter")
    reads.get_by_role("link", name="0:02.0").press("Enter")
    expect(page).to_have_url(re.compile(CLIP + r"\?t=2\.00$"))


def test_a_misread_plate_is_offered_when_none_matches(page: Page) -> None:
    page.goto("/plates?q=LTZ3CQK")
    expect(page.get_by_role("heading", name="Plates like")).to_be_visible()
    expect(page.locator(".plate-card .plate")).to_have_text(["LT23CGK"])
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Seen from").fill("2030-01-01")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("No sure read matches")).to_be_visible()


def test_dates_without_a_plate_are_not_taken_for_an_empty_catalogue(page: Page) -> None:
    page.goto("/plates?first=2030-01-01")
    expect(page.get_by_role("heading", name="No sure read matches")).to_be_visible()
    expect(page.get_by_text("Widen the dates, or look at unsure reads too.")).to_be_visible()
    page.goto("/plates?unsure=1&last=2010-01-01")
    expect(page.get_by_role("heading", name="Nothing like that was read")).to_be_visible()


def test_a_plate_has_a_map_although_only_older_sightings_have_positions(empty_site: tuple[Page, Engine]) -> None:
    page, engine = empty_site
    with writing(engine) as session:
        for number in range(70):
            video = add_video(session, number, NOON + timedelta(hours=number))
            place = {} if number else {"lat": 44.43, "lon": 26.1}
            add_sighting(session, video, "LT23CGK", **place)
            add_sighting(session, video, "B577PRO", 4.0)
    page.goto("/plates/LT23CGK")
    expect(page.frame_locator("iframe.map").locator("canvas").last).to_be_visible()
    page.goto("/plates/B577PRO")
    expect(page.get_by_role("heading", name="No positions")).to_be_visible()


def second(page: Page) -> float:
    page.wait_for_function(
        "document.querySelector('video')?.readyState >= 2 && !document.querySelector('video').seeking"
    )
    return float(page.evaluate("document.querySelector('video').currentTime"))


def box_of(page: Page, text: str) -> tuple[float, float, float, float]:
    """Where the box of that plate is drawn, in parts of the picture."""
    box = page.locator(".box", has_text=text)
    expect(box).to_be_visible()
    inner, outer = box.bounding_box(), page.locator("video").bounding_box()
    assert inner and outer
    left, top = (inner["x"] - outer["x"]) / outer["width"], (inner["y"] - outer["y"]) / outer["height"]
    return left, top, left + inner["width"] / outer["width"], top + inner["height"] / outer["height"]


def test_a_link_with_a_second_opens_the_video_there_with_the_box_around_the_plate(page: Page) -> None:
    page.goto(f"{CLIP}?t=2.00")
    assert second(page) == pytest.approx(2.0, abs=0.05)
    assert box_of(page, "LT23CGK") == pytest.approx((400 / 1280, 360 / 720, 560 / 1280, 400 / 720), abs=0.01)


def test_a_box_is_around_the_plate_in_an_upright_picture_too(page: Page) -> None:
    page.goto(f"/videos/{2:016x}?t=1.00")
    assert second(page) == pytest.approx(1.0, abs=0.05)
    assert box_of(page, "B577PRO") == pytest.approx((0.5, 0.5, 0.75, 0.55), abs=0.01)
    picture = page.locator("video").bounding_box()
    assert picture and picture["width"] / picture["height"] == pytest.approx(720 / 1280, abs=0.01), "no black beside it"


def test_a_click_on_a_plate_shows_its_second_and_its_box(page: Page) -> None:
    page.goto(CLIP)
    page.get_by_role("link", name="Show DX17ZWH at 0:06.0").click()
    expect(page).to_have_url(re.compile(r"\?t=6\.00$"))
    assert second(page) == pytest.approx(6.0, abs=0.05)
    assert box_of(page, "DX17ZWH")[0] == pytest.approx(560 / 1280, abs=0.01)
    page.get_by_role("button", name="Plate LT23CGK at 0:02.0").click()
    page.wait_for_function("Math.abs(document.querySelector('video').currentTime - 2) < 0.05")
    expect(page.locator(".box", has_text="DX17ZWH")).to_have_count(0)


def test_the_times_below_the_strip_are_those_of_their_places_wherever_the_video_stands(page: Page) -> None:
    page.goto(f"{CLIP}?t=6.00")
    assert second(page) == pytest.approx(6.0, abs=0.05)
    ticks = page.locator(".ticks .tick")
    expect(ticks.first).to_have_text("0:00")
    marked = ticks.evaluate_all("all => all.map(tick => [tick.textContent, parseFloat(tick.style.left)])")
    assert len(marked) > 3
    assert [place for _, place in marked] == pytest.approx([10 * float(text[2:]) for text, _ in marked])
    expect(page.locator(".cursor b")).to_have_text("0:06.0")


def test_unsure_reads_are_folded_away(page: Page) -> None:
    page.goto(CLIP)
    unsure = page.locator("details.unsure-reads .plate")
    expect(unsure).to_have_count(1)
    expect(unsure).not_to_be_visible()
    page.get_by_text("Unsure reads (1)").click()
    expect(unsure).to_be_visible()


def test_the_map_shows_the_route_and_a_pin_leads_to_the_second(page: Page) -> None:
    page.goto(f"{CLIP}?t=6.00")
    view = page.frame_locator("iframe.map")
    expect(view.locator(".leaflet-control-scale-line")).to_be_visible()
    expect(view.get_by_text("For streets: dashcam map get.")).to_be_visible()
    expect(view.locator("canvas").last).to_be_visible()
    popup = view.locator(".leaflet-popup a.pin")
    box = page.locator("iframe.map").bounding_box()
    assert box
    # the drive goes north, so coming from the south one meets the pin of the first second first
    for step in range(40):
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] - 28 - step * 8)
        if popup.count():
            break
    expect(popup.locator(".plate")).to_have_text("LT23CGK")
    popup.click()
    page.wait_for_function("Math.abs(document.querySelector('video').currentTime - 2) < 0.05")


def test_names_and_plates_with_html_in_them_are_shown_as_they_are(page: Page) -> None:
    for path, place in (
        (CLIP, ".sights .plate >> nth=2"),
        ("/plates?q=img", ".plate-card .plate"),
        ("/videos?outcome=rejected", ".video-card .name[title^='<']"),
        ("/tasks?view=complete", ".clip >> nth=0"),
        ("/tasks?view=stuck", "details.error summary"),
        ("/devices", ".device dd >> nth=0"),
    ):
        page.goto(path)
        expect(page.locator(place)).to_contain_text("<img src=x onerror=window.pwned=1>")
    page.goto("/plates?q=img")
    page.locator(".plate-card").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("<script>")
    view = page.frame_locator("iframe.map")
    expect(view.locator("canvas").last).to_be_visible()
    box = page.locator("iframe.map").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)  # the only pin is in the middle
    expect(view.locator(".leaflet-popup a.pin")).to_contain_text("<script>")


def test_older_videos_are_a_link_away_and_none_is_shown_twice(page: Page) -> None:
    page.goto("/videos")
    first = page.locator(".video-card").evaluate_all("cards => cards.map(card => card.href)")
    page.get_by_role("link", name="Show older").click()
    expect(page.get_by_role("link", name="Back to the newest")).to_be_visible()
    rest = page.locator(".video-card").evaluate_all("cards => cards.map(card => card.href)")
    assert len(first) == 60
    assert len(set(first + rest)) == len(first + rest) == 82


def test_a_filter_stays_in_the_address(page: Page) -> None:
    page.goto("/videos")
    page.get_by_label("State").select_option("rejected")
    expect(page).to_have_url(re.compile(r"/videos\?outcome=rejected$"))
    expect(page.get_by_text("The file is empty: copy it again.")).to_be_visible()


def test_a_clip_in_work_says_where_it_stands(page: Page) -> None:
    page.goto(f"/videos/{101:016x}")
    expect(page.get_by_text("Find plates is held: run cancelled in Prefect")).to_be_visible()
    expect(page.locator("video")).to_have_count(0)


def test_a_held_task_can_be_tried_again(page: Page) -> None:
    page.goto("/tasks?view=stuck")
    page.get_by_role("button", name=re.compile("Try Find plates of .* again")).click()
    expect(page.get_by_text("Nothing is in trouble")).to_be_visible()


def test_what_preprocessing_misses_is_a_share_and_leads_to_the_plate(page: Page) -> None:
    page.goto("/tasks")
    page.get_by_role("link", name="Accuracy").click()
    expect(page.get_by_text("Of what it rejects, 2 % is looked at all the same")).to_be_visible()
    still = page.get_by_role("region", name="nothing moves").locator("dd")
    expect(still).to_have_text(["50.4 h", "1.0 h", "2 s", "0.05 %", "under 0.01 % to 0.62 %"])
    expect(page.get_by_role("region", name="too dark").locator("dd")).to_have_text(["2 s", "nothing yet"])
    expect(page.locator(".plate-card .plate")).to_have_text(["DX17ZWH"])
    page.locator(".plate-card").click()
    expect(page).to_have_url(re.compile(CLIP + r"\?t=6\.00$"))


def test_reads_are_judged_by_keyboard_alone_and_the_curve_follows(page: Page) -> None:
    page.goto("/accuracy")
    page.wait_for_function("window.socket?.connected")
    asked = page.locator("#judging [data-sighting]")
    first = asked.get_attribute("data-sighting") or ""
    page.keyboard.press("w")
    expect(asked).not_to_have_attribute("data-sighting", first)
    expect(page.locator(".curve circle")).to_have_count(1)
    expect(page.get_by_role("row", name="95 – 99 %")).to_contain_text("0 of 1")
    page.reload()
    page.wait_for_function("window.socket?.connected")
    page.keyboard.press("u")
    expect(page.get_by_text("Nothing has been judged yet")).to_be_visible()
    expect(page.locator(f"#judging [data-sighting='{first}']")).to_be_visible()


def test_light_or_dark_is_remembered(page: Page) -> None:
    page.goto("/")
    theme = page.locator("html")
    expect(theme).to_have_attribute("data-theme", "light")
    page.get_by_role("button", name="Light or dark").click()
    expect(theme).to_have_attribute("data-theme", "dark")
    page.goto("/devices")
    expect(theme).to_have_attribute("data-theme", "dark")
    expect(page.locator("body")).to_have_class(re.compile("body--dark"))


def test_an_empty_system_says_what_to_do_next(empty_site: tuple[Page, Engine]) -> None:
    page, _ = empty_site
    for path in ("/", "/videos", "/tasks"):
        page.goto(path)
        expect(page.get_by_text("dashcam process FOLDER")).to_be_visible()
    page.goto("/devices")
    expect(page.get_by_text("dashcam up")).to_be_visible()
    page.goto("/accuracy")
    expect(page.get_by_text("Nothing has been rejected yet")).to_be_visible()
    page.goto("/plates")
    expect(page.get_by_text("No plates yet")).to_be_visible()


def test_a_device_is_paused_and_resumed_with_a_click(page: Page) -> None:
    page.goto("/devices")
    card = page.locator(".device", has_text="gpu-pc")
    expect(card.get_by_text("Idle")).to_be_visible()
    card.get_by_role("button", name="Pause for 2 h gpu-pc").click()
    expect(card).to_contain_text("Paused until")
    expect(card).to_contain_text("its clips wait, or go to other devices")
    page.reload()
    card.get_by_role("button", name="Let gpu-pc work again").click()
    expect(card.get_by_text("Idle")).to_be_visible()
    resting = page.locator(".device", has_text="study-pc")
    expect(resting).to_contain_text("Resting: other programs load the graphics card with 63 %.")
