"""An evening with the WebUI, from a new home's first minute on: a real system, its sample drive, a real browser."""

import re
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dashcam.sample import Truth
from tests.app.browser import chromium as chromium
from tests.app.browser import watched
from tests.app.test_pages import box_of, second
from tests.system.running import DASHCAM, Running, dashcam, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]
SEEN, MISREAD, REALLY, OTHER = "UCRM469", "UCRN469", "UCRM468", "RN639J"
PATIENT_MS = 120_000
CLIP = re.compile(r"/videos/[0-9a-f]{16}\?t=\d+\.\d\d$")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Running]:
    with (tmp_path / "up.log").open("wb") as log:
        process = subprocess.Popen([*DASHCAM, "up", "--data", str(tmp_path / "data")], stdout=log, stderr=log)
    said = (tmp_path / "up.log").read_text
    until(lambda: "Serving" in said() or process.poll() is not None, "the system is up", 240)
    assert process.poll() is None, said()
    yield Running(tmp_path / "data", process)
    process.terminate()
    process.wait(60)


def test_an_evening_with_the_sample_drive(home: Running, chromium: Browser, tmp_path: Path) -> None:
    with chromium.new_context(base_url=home.app_url) as context, watched(context, home.app_url) as page:
        truth = sample_drive(page, home)
        misread_leads_to_its_second(page, truth)
        route_leads_to_its_second(page)
        said_of_plates_and_undone(page)
        read_again_and_still_corrected(page)
        area_is_searched(page)
        looked_through_by_keys_alone(page)
        bundle = taken_out(page, tmp_path)
    assert dashcam("verify", bundle).returncode == 0
    tamper(bundle, "report.pdf")
    told = dashcam("verify", bundle)
    assert told.returncode == 1 and "report.pdf" in told.stdout + told.stderr


def opened(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_function("window.socket?.connected && document.readyState === 'complete'", timeout=PATIENT_MS)


def sample_drive(page: Page, home: Running) -> Truth:
    opened(page, "/")
    page.get_by_role("button", name="Try it with a sample drive").click()
    expect(page.locator(".trip-news .plate", has_text=SEEN).first).to_be_visible(timeout=2 * PATIENT_MS)
    expect(page.get_by_text("Nothing waits: every clip is through.")).to_be_visible(timeout=PATIENT_MS)
    (told,) = home.data.rglob("truth.json")
    return Truth.model_validate_json(told.read_text())


def misread_leads_to_its_second(page: Page, truth: Truth) -> None:
    page.keyboard.press("/")
    page.keyboard.type(MISREAD)
    page.keyboard.press("Enter")
    page.get_by_role("link", name=SEEN).first.click()
    page.locator("a.sighting").first.click()
    expect(page).to_have_url(CLIP)
    at = second(page)
    (true,) = (plate for clip in truth.clips for plate in clip.plates if plate.text == SEEN)
    assert true.first_s <= at <= true.last_s
    nearest = min(true.boxes, key=lambda one: abs(one.t_s - at))
    sides = truth.width, truth.height, truth.width, truth.height
    box = [part * side for part, side in zip(box_of(page, SEEN), sides, strict=True)]
    assert box == pytest.approx(nearest.box, abs=60), "a car moves so far in the picture in a quarter of a second"


def route_leads_to_its_second(page: Page) -> None:
    page.get_by_role("link", name="Its trip").click()
    expect(page).to_have_url(re.compile(r"/trips/\d+$"))
    frame = page.locator("iframe.map")
    frame.scroll_into_view_if_needed()
    expect(page.frame_locator("iframe.map").locator("canvas").first).to_be_visible(timeout=PATIENT_MS)
    next(one for one in page.frames if "/maps/trips/" in one.url).wait_for_load_state("load")
    box = frame.bounding_box()
    assert box
    for step in range(10, int(box["height"]) - 20, 6):  # somewhere on the way down the map the road is crossed
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + step)
        if "/videos/" in page.url:
            break
    expect(page).to_have_url(CLIP)


def said_of_plates_and_undone(page: Page) -> None:
    opened(page, f"/plates/{SEEN}")
    page.get_by_role("button", name="Watched").click()
    expect(page.get_by_role("button", name="Watched", pressed=True)).to_be_visible()
    page.get_by_text("The same car as another plate").click()
    page.get_by_label("All of it, now and from now on, is shown as:").fill(OTHER)
    page.get_by_role("button", name="Merge").click()
    expect(page).to_have_url(re.compile(f"/plates/{OTHER}"), timeout=PATIENT_MS)
    expect(page.get_by_text(f"read as {SEEN}")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page).to_have_url(re.compile(f"/plates/{SEEN}$"), timeout=PATIENT_MS)

    opened(page, f"/plates/{SEEN}")
    page.get_by_role("checkbox", name="Choose the sighting").first.check()
    page.get_by_label("The chosen sightings are really:").fill(REALLY)
    page.get_by_role("button", name="Correct").click()
    expect(page).to_have_url(re.compile(f"/plates/{REALLY}"), timeout=PATIENT_MS)


def read_again_and_still_corrected(page: Page) -> None:
    page.locator("a.sighting").first.click()
    expect(page).to_have_url(CLIP)
    page.wait_for_function("window.socket?.connected && document.readyState === 'complete'", timeout=PATIENT_MS)
    page.get_by_role("button", name="Read this clip again").click()
    expect(page.get_by_text("1 clip read again")).to_be_visible(timeout=PATIENT_MS)
    opened(page, "/rereads")
    expect(page.locator(".count", has_text="time a clip was read again")).to_have_text(
        re.compile("^1"), timeout=PATIENT_MS
    )
    opened(page, f"/plates/{REALLY}")
    expect(page.get_by_text(f"read as {SEEN}")).to_be_visible()


def area_is_searched(page: Page) -> None:
    opened(page, "/map")
    frame = page.frame_locator("iframe.everything")
    expect(frame.locator(".list .trip").first).to_be_visible(timeout=PATIENT_MS)
    frame.get_by_role("button", name="Draw an area on the map").press("Enter")
    for key in ("ArrowLeft", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(frame.get_by_role("link", name="Search this area")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/plates\?box="))


def looked_through_by_keys_alone(page: Page) -> None:
    opened(page, "/")
    pairs = page.locator(".pair [data-key]:not(.reviewed)")
    while left := pairs.count():
        page.keyboard.press("n")
        expect(pairs).to_have_count(left - 1)
    page.keyboard.press("j")
    expect(page.locator("#tonight :focus")).to_contain_text("28 June")
    page.keyboard.press("x")
    expect(page.locator(".news-line")).to_have_text("Nothing is left to look at.", timeout=PATIENT_MS)


def taken_out(page: Page, folder: Path) -> Path:
    opened(page, f"/plates/{REALLY}")
    page.locator("a.sighting").first.click()
    page.get_by_label("About the plate").select_option(REALLY)
    page.get_by_label("Make every other plate unreadable").check()
    with page.expect_download(timeout=PATIENT_MS) as download:
        page.get_by_role("button", name="Take it out").click(timeout=PATIENT_MS)
        expect(page.get_by_role("progressbar", name="How much of the bundle is made")).to_be_visible(timeout=PATIENT_MS)
    expect(page.get_by_text("It is made: your browser has it.")).to_be_visible()
    file = folder / "evidence.zip"
    download.value.save_as(file)
    return file


def tamper(bundle: Path, name: str) -> None:
    """One byte of one file in it is another."""
    with zipfile.ZipFile(bundle) as before:
        files = {one: before.read(one) for one in before.namelist()}
    (found,) = (one for one in files if one.endswith(name))
    files[found] = files[found][:-1] + bytes([files[found][-1] ^ 1])
    with zipfile.ZipFile(bundle, "w") as after:
        for one, content in files.items():
            after.writestr(one, content)
