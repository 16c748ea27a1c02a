"""A plate's page in a browser, by keyboard alone: corrected, no plate, one with another, watched; undone; and the
clip done again."""

import re

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from dashcam.catalog.models import Video
from dashcam.database import writing
from tests.app.browser import chromium as chromium
from tests.app.browser import empty_site as empty_site
from tests.catalog.looked import look, seen
from tests.catalog.rows import add_video

pytestmark = pytest.mark.browser
FOUND = [seen("UCRM469", 1.0, 3.0), seen("TAX1", 5.0, 8.0), seen("B577PRO", 1.0, 4.0, x=900.0)]
PATIENT_MS = 60_000


def press(page: Page, name: str, key: str = "Enter") -> None:
    page.get_by_role("button", name=name, exact=True).press(key)


def choose_first(page: Page) -> None:
    box = page.locator("input.choose").first
    box.press(" ")
    expect(box).to_be_checked(timeout=PATIENT_MS)


def look_again(engine: Engine) -> None:
    with writing(engine) as session:
        look(session, session.get_one(Video, f"{1:016x}"), FOUND)


def test_what_a_person_says_of_a_plate_holds_and_is_undone(empty_site: tuple[Page, Engine]) -> None:
    page, engine = empty_site
    with writing(engine) as session:
        look(session, add_video(session, 1), FOUND)
    page.goto("/plates/UCRM469")
    page.wait_for_function("window.socket?.connected", timeout=PATIENT_MS)
    choose_first(page)
    page.get_by_label("The chosen sightings are really:").press_sequentially("hucfm 469")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/plates/HUCFM469"), timeout=PATIENT_MS)
    look_again(engine)
    page.goto("/plates/HUCFM469")
    expect(page.get_by_text("read as UCRM469")).to_be_visible(timeout=PATIENT_MS)
    page.wait_for_function("window.socket?.connected", timeout=PATIENT_MS)
    press(page, "Watched", " ")
    expect(page.get_by_role("button", name="Watched", pressed=True)).to_be_visible(timeout=PATIENT_MS)

    page.goto("/plates/TAX1")
    page.wait_for_function("window.socket?.connected", timeout=PATIENT_MS)
    choose_first(page)
    press(page, "Not a plate")
    expect(page.get_by_text("TAX1 has not been seen")).to_be_visible(timeout=PATIENT_MS)
    page.wait_for_function("window.socket?.connected", timeout=PATIENT_MS)
    press(page, "Undo")
    expect(page.get_by_role("heading", name="TAX1", exact=True)).to_be_visible(timeout=PATIENT_MS)

    page.goto("/plates/TAX1")
    page.wait_for_function("window.socket?.connected", timeout=PATIENT_MS)
    page.get_by_text("The same car as another plate").press("Enter")
    page.get_by_label("All of it, now and from now on, is shown as:").press_sequentially("B577PRO")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/plates/B577PRO"), timeout=PATIENT_MS)
    expect(page.get_by_text("read as TAX1")).to_be_visible(timeout=PATIENT_MS)
    page.wait_for_function("window.socket?.connected", timeout=PATIENT_MS)
    press(page, "Undo")
    page.wait_for_url(re.compile("/plates/TAX1$"), timeout=PATIENT_MS)
