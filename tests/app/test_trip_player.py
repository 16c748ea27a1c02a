"""The player in a real browser, on real clips: where its boxes are, a whole trip from clip to clip, keys, timeline."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dashcam.database import open_engine, writing
from dashcam.media.identity import video_id as identified
from tests.app.browser import chromium as chromium
from tests.app.browser import desk as desk
from tests.app.browser import page as page
from tests.app.browser import served, watched
from tests.app.filmed import CLIP_S, film, video_id
from tests.app.test_pages import hindrances
from tests.catalog.rows import add_video

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("filmed")


@pytest.fixture(scope="module")
def site(chromium: Browser, folder: Path) -> Iterator[str]:
    with served(folder, "--filmed") as address:
        yield address


def test_a_plate_has_its_box_as_long_as_its_bar_runs_and_the_box_follows_it(page: Page) -> None:
    page.goto(f"/videos/{video_id(0)}?t=3.70")  # read until 2.5 s, in sight until 4 s
    box, video = page.locator(".box", has_text="AB12CDE"), page.locator("video.current")
    expect(box).to_be_visible()
    inner, outer = box.bounding_box(), video.bounding_box()
    assert inner and outer
    assert (inner["x"] - outer["x"]) / outer["width"] == pytest.approx(570 / 1280, abs=0.02), "it drives on"


def test_a_lens_is_measured_by_two_marks_in_the_picture_and_taken_back(page: Page) -> None:
    page.goto(f"/videos/{video_id(0)}")
    lens = page.locator(".lens")
    expect(lens).to_contain_text("Front camera: 110° wide, guessed.")
    page.get_by_text("Measure it in this picture").press("Enter")
    page.wait_for_function("document.querySelector('dashcam-player').screens[0].video.readyState > 1")
    page.get_by_role("button", name="Take the player's picture").press("Enter")
    picture = page.get_by_role("img", name="The picture that is measured")
    expect(picture).to_be_visible()
    size = picture.bounding_box()
    assert size
    picture.click(position={"x": 0.4 * size["width"], "y": 9})
    assert float(page.get_by_label("Left mark").input_value()) == pytest.approx(0.4, abs=0.01)
    page.get_by_label("Left mark").press("Home")
    page.get_by_label("Right mark").press("End")
    page.get_by_label("Metres from mark to mark").fill("0.001")
    page.get_by_label("Metres away").fill("5")
    page.get_by_role("button", name="Measure").press("Enter")
    expect(lens).to_contain_text("guessed")
    page.get_by_label("Metres from mark to mark").fill("10")
    page.get_by_role("button", name="Measure").press("Enter")
    expect(lens).to_contain_text("Front camera: 90° wide, as it was measured.")
    page.get_by_role("button", name="Take it back").press("Enter")
    expect(lens).to_contain_text("Front camera: 110° wide, guessed.")


TRIP = "/trips/1/play"


def at(page: Page) -> float:
    """The second of the axis at which the player stands."""
    return float(page.evaluate("document.querySelector('dashcam-player').t"))


def opened(page: Page, address: str) -> None:
    page.goto(address)
    settled(page)


def settled(page: Page) -> None:
    """Every camera's picture is there, and none is on its way to another second."""
    page.wait_for_function(
        """() => {
        const player = document.querySelector('dashcam-player');
        const shown = player?.screens?.filter(screen => screen.clip?.playable).map(screen => screen.video);
        return shown && shown.every(video => video.readyState >= 2 && !video.seeking && video.wanted === undefined);
    }"""
    )


def seconds(page: Page) -> list[float | None]:
    """Where on the axis each camera's picture is, None where it has none."""
    found: list[float | None] = page.evaluate(
        """() => document.querySelector('dashcam-player').screens.map(screen =>
        screen.clip?.playable ? screen.clip.at_s + screen.video.currentTime : null)"""
    )
    return found


def test_a_trip_opens_at_a_second_with_both_cameras_in_step_and_the_box_there(page: Page) -> None:
    opened(page, f"{TRIP}?t=9.20")
    assert seconds(page) == pytest.approx([9.2, 9.2], abs=0.05)
    boxes = page.locator(".screen .box")
    expect(boxes).to_have_text(["KL34MNO", "AB12CDE"])
    expect(page.locator(".cursor b")).to_have_text("14:00:09.2")


def test_a_film_goes_on_where_it_was_when_the_network_is_back(chromium: Browser, site: str) -> None:
    with chromium.new_context(base_url=site) as context:  # that has kept none of the films
        page = context.new_page()
        opened(page, f"{TRIP}?t=1.00")
        away = page.locator("dashcam-player .nothing", has_text="The server does not answer")
        context.set_offline(True)
        page.evaluate("document.querySelector('dashcam-player').seek(9.2)")
        expect(away).to_have_count(2)
        page.keyboard.press("Space")
        context.set_offline(False)
        expect(away).to_have_count(0, timeout=20_000)
        page.wait_for_function("document.querySelector('dashcam-player').t > 9.5", timeout=60_000)
        page.keyboard.press("k")
        settled(page)
        assert min(seconds(page)) > 9.4


def test_what_a_clip_holds_is_asked_for_again_where_the_server_was_starting(chromium: Browser, site: str) -> None:
    with chromium.new_context(base_url=site) as context:
        page = context.new_page()
        page.route("**/inside", lambda route: route.fulfill(status=502))  # as whoever stands before it says
        opened(page, f"{TRIP}?t=9.20")
        expect(page.locator(".cursor b")).to_have_text("14:00:09.2")
        page.unroute("**/inside")
        expect(page.locator(".screen .box")).to_have_text(["KL34MNO", "AB12CDE"])


def test_a_film_that_comes_to_a_clip_without_network_says_so_and_goes_on(chromium: Browser, site: str) -> None:
    with chromium.new_context(base_url=site) as context:
        page = context.new_page()
        opened(page, f"{TRIP}?t=4.50")
        context.set_offline(True)
        page.keyboard.press("Space")
        away = page.locator("dashcam-player .nothing", has_text="The server does not answer")
        expect(away.first).to_be_visible(timeout=20_000)
        context.set_offline(False)
        page.wait_for_function("document.querySelector('dashcam-player').t > 7", timeout=60_000)


def test_it_plays_over_the_clips_border_and_passes_over_what_nobody_filmed(page: Page) -> None:
    opened(page, f"{TRIP}?t=4.50")
    before = page.evaluate("document.querySelector('dashcam-player').lead.clip.video_id")
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('dashcam-player').t > 7", timeout=60_000)
    assert page.evaluate("document.querySelector('dashcam-player').lead.clip.video_id") != before
    page.wait_for_function(
        """() => {
        const [front, rear] = document.querySelector('dashcam-player').screens;
        if (!front.clip || !rear.clip) return false;
        const apart = front.clip.at_s + front.video.currentTime - rear.clip.at_s - rear.video.currentTime;
        return Math.abs(apart) < 0.1;
    }""",
        timeout=60_000,
    )
    page.keyboard.press("k")
    settled(page)
    front, rear = seconds(page)
    assert front == pytest.approx(rear, abs=0.02), "paused, to the frame"
    page.evaluate("document.querySelector('dashcam-player').seek(12.6)")  # only the rear camera films yet
    page.keyboard.press("l")
    page.wait_for_function("document.querySelector('dashcam-player').t > 32.3", timeout=60_000)
    page.keyboard.press("k")
    assert at(page) < 38
    expect(page.locator("dashcam-player .notice")).to_have_text("19 s that nobody filmed")


def test_the_keys_work_wherever_the_focus_is_but_in_a_field(page: Page) -> None:
    opened(page, f"{TRIP}?t=2.00")
    page.get_by_role("button", name="Full screen").focus()
    page.keyboard.press("ArrowRight")
    assert at(page) == pytest.approx(7.0, abs=0.05)
    page.keyboard.press("ArrowLeft")
    assert at(page) == pytest.approx(2.0, abs=0.05)
    settled(page)
    page.keyboard.press(".")
    one = at(page)
    assert 2.0 < one < 2.2
    settled(page)
    page.keyboard.press(",")
    assert at(page) < one
    for key, second in (("n", 9.0), ("n", 33.0), ("p", 9.0), ("p", 1.0)):
        page.keyboard.press(key)
        assert at(page) == pytest.approx(second, abs=0.05)
    settled(page)
    page.keyboard.press(" ")  # it plays, and the button that has the focus is not pressed
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    assert not page.evaluate("document.fullscreenElement")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    page.keyboard.press("Shift+?")
    expect(page.get_by_role("dialog", name="Keys of the player")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys of the player")).to_have_count(0)
    stood = at(page)
    page.keyboard.press("/")
    page.keyboard.type("np .")
    assert at(page) == stood
    expect(page.locator(".search input")).to_have_value("np .")
    page.locator("body").click(position={"x": 5, "y": 400})
    page.keyboard.press("j")
    page.wait_for_function(f"document.querySelector('dashcam-player').t < {stood} - 0.5", timeout=60_000)
    page.keyboard.press("k")


def window(page: Page) -> tuple[float, float]:
    size: float = page.evaluate("document.querySelector('dashcam-player').timeline.size")
    start: float = page.evaluate("document.querySelector('dashcam-player').timeline.start")
    return start, start + size


def test_the_timeline_is_zoomed_by_wheel_and_keys_stays_in_the_address_and_a_click_goes_there(page: Page) -> None:
    opened(page, f"{TRIP}?t=9.00")
    assert window(page) == pytest.approx((0, 39), abs=0.1)
    area = page.locator(".timeline .area")
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 12)
    page.mouse.wheel(0, -400)
    page.wait_for_function("document.querySelector('dashcam-player').timeline.size < 25")
    start, end = window(page)
    assert start + 0.25 * (end - start) == pytest.approx(39 * 0.25, abs=0.3), "what is under the pointer stays there"
    page.keyboard.press("+")
    expect(page).to_have_url(re.compile(r"\?t=9\.00&z=\d+\.\d\d$"))
    narrow = window(page)
    opened(page, page.url)
    again = window(page)
    assert again[1] - again[0] == pytest.approx(narrow[1] - narrow[0], abs=0.02) and again[0] < 9 < again[1]
    page.keyboard.press("0")
    assert window(page) == pytest.approx((0, 39), abs=0.1)
    page.mouse.click(box["x"] + box["width"] * 34 / 39, box["y"] + 6)
    assert at(page) == pytest.approx(34, abs=0.2)
    settled(page)
    assert seconds(page) == pytest.approx([at(page)] * 2, abs=0.05)
    page.get_by_role("button", name="Plate PQ56RST at 14:00:33.0").click()
    expect(page).to_have_url(re.compile(r"\?t=33\.00$"))


def test_under_the_pointer_is_a_small_picture_of_that_second_and_nothing_where_nobody_filmed(page: Page) -> None:
    opened(page, f"{TRIP}?t=2.00")
    area = page.locator(".timeline .area")
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 9 / 39, box["y"] + 6)
    page.wait_for_function(
        """() => {
        const video = document.querySelector('.preview:not([hidden]) video');
        return video && video.readyState >= 2 && Math.abs(video.currentTime - 3) < 0.2;
    }""",
        timeout=60_000,
    )
    expect(page.locator(".preview span")).to_have_text("14:00:09.0")
    assert at(page) == pytest.approx(2, abs=0.05), "the player stays where it is"
    page.mouse.move(box["x"] + box["width"] * 20 / 39, box["y"] + 6)
    expect(page.locator(".preview .tile")).to_have_text("Nothing was filmed")


def test_the_maps_dot_goes_along_and_a_click_on_the_route_leads_to_the_second(page: Page) -> None:
    opened(page, f"{TRIP}?t=2.00")
    page.locator("iframe.map").scroll_into_view_if_needed()
    expect(page.frame_locator("iframe.map").locator("canvas").first).to_be_visible()
    view = next(frame for frame in page.frames if "/maps/trips/" in frame.url)
    view.wait_for_function("window.dashcamCar?.().lat > 51.9002", timeout=60_000)
    before = view.evaluate("window.dashcamCar().lat")
    page.keyboard.press("ArrowRight")
    view.wait_for_function(f"window.dashcamCar().lat > {before}", timeout=60_000)
    frame = page.locator("iframe.map")
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    assert box
    # northward and up: the last place of the drive, 34 s to 36 s, is at the top of the route
    for step in range(0, 120, 8):
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 20 + step)
        if at(page) > 30:
            break
    page.wait_for_function("document.querySelector('dashcam-player').t > 30", timeout=60_000)
    assert min(abs(at(page) - place) for place in (32, 34, 36)) < 0.1, "at a fix"
    settled(page)
    assert seconds(page) == pytest.approx([at(page)] * 2, abs=0.05)


def test_where_a_road_was_driven_twice_a_click_offers_both_times_and_leads_to_the_chosen_one(page: Page) -> None:
    page.goto("/trips/2")
    frame = page.locator("iframe.map")
    frame.scroll_into_view_if_needed()
    inside = page.frame_locator("iframe.map")
    expect(inside.locator("canvas").first).to_be_visible()
    box = frame.bounding_box()
    assert box
    # the road goes north from the foot of the map to its head, where the car turns
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.6)
    passes = inside.get_by_role("group", name="Driven here 2 times")
    expect(passes.locator("b")).to_have_text([re.compile("02:00:1[0-9]"), re.compile("02:01:0[0-9]")])
    expect(passes.locator("span")).to_have_text(["going north", "going south"])
    expect(passes.locator("small").last).to_have_text(re.compile(r"^Front, 2026_\d+_\d+_\d+F\.MP4$"))
    expect(passes.get_by_role("link").first).to_be_focused()
    assert hindrances(page) == []
    page.keyboard.press("Escape")
    expect(passes).to_have_count(0)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.6)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/videos/{video_id(11)}\?t=2\d\.00$"))


def test_by_the_keyboard_alone_a_place_that_was_driven_twice_is_found_and_one_of_its_times_gone_to(page: Page) -> None:
    page.goto("/trips/2")
    inside = page.frame_locator("iframe.map")
    ask = inside.get_by_role("button", name="Driven twice?")
    ask.focus()
    page.keyboard.press("Enter")
    places = inside.get_by_role("group", name="Driven more than once").get_by_role("button")
    expect(places.first).to_be_focused()
    assert hindrances(page) == []
    page.keyboard.press("Escape")
    expect(places).to_have_count(0)
    expect(ask).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    told = places.nth(1).text_content() or ""
    page.keyboard.press("Enter")
    passes = inside.get_by_role("group", name="Driven here 2 times").get_by_role("link")
    expect(passes.first).to_be_focused()
    assert told == " and ".join(passes.locator("b").all_text_contents())
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/videos/{video_id(11)}\?t=\d+\.00$"))


def test_the_original_is_played_while_it_is_there_and_its_small_copy_when_it_has_gone(page: Page, folder: Path) -> None:
    file = folder / "archive" / "own.MP4"
    film(file, CLIP_S, dark=True)
    own = identified(file)
    film(folder / "archive" / own / "video_lowres.mp4", CLIP_S, dark=False)
    engine = open_engine(f"sqlite:///{folder / 'dashcam.db'}")
    with writing(engine) as session:
        video = add_video(session, 900, video_id=own, source="shed_nas:own.MP4", duration_s=CLIP_S, poster=None)
        video.media, video.facts = f"shed_nas:{own}", (video.facts or {}) | {"codec": "h264"}
    engine.dispose()
    opened(page, f"/videos/{own}?t=2.00")
    button = page.get_by_role("button", name="Original")
    for pressed, name in (("true", "original"), ("false", "video_lowres.mp4")):
        page.keyboard.press("o")
        expect(button).to_have_attribute("aria-pressed", pressed)
        settled(page)
        assert page.locator("video.current").get_attribute("src") == f"/media/{own}/{name}"
        assert seconds(page) == pytest.approx([2.0], abs=0.05)
    assert hindrances(page) == []
    file.unlink()
    button.click()
    expect(page.locator("dashcam-player .notice")).to_have_text(
        "The original is not there any more: this is its small copy"
    )
    expect(button).to_have_attribute("aria-pressed", "false")


def test_the_player_hinders_nobody_on_a_desk_by_day_and_a_phone_by_night(chromium: Browser, site: str) -> None:
    for kind in (
        {"viewport": {"width": 1280, "height": 900}},
        {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "color_scheme": "dark"},
    ):
        with chromium.new_context(base_url=site, **kind) as context, watched(context, site) as page:
            for path in (f"{TRIP}?t=9.20", f"/videos/{video_id(0)}?t=1.00"):
                opened(page, path)
                expect(page.locator(".screen .box").first).to_be_visible()
                assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
                assert hindrances(page) == []
            page.get_by_role("button", name="Next plate").click()
            page.evaluate("document.querySelector('dashcam-player').keys.help()")
            assert hindrances(page) == []
