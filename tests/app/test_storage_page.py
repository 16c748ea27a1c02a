"""What is kept and what goes, as a person meets it in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from tests.app.browser import chromium as chromium
from tests.app.browser import desk as desk
from tests.app.browser import empty_site as empty_site
from tests.app.browser import page as page
from tests.app.browser import site as site

pytestmark = pytest.mark.browser

CLIP = "2026_0628_000001_0001F.MP4"


def built(page: Page) -> None:
    """Its buttons can be pressed."""
    page.wait_for_function("window.socket?.connected")


def test_a_clip_that_goes_next_is_kept_by_one_press_and_goes_again_by_another(page: Page) -> None:
    page.goto("/devices")
    page.get_by_role("link", name="Storage").click()
    expect(page.get_by_text("Only reported: nothing is removed")).to_be_visible()
    expect(page.get_by_text("1.0 TB of 4.0 TB free")).to_be_visible()
    row = page.locator("tr", has=page.get_by_role("link", name=CLIP)).filter(has_text="raw_videos = 90")
    expect(row.get_by_text("Due", exact=True)).to_be_visible()
    row.get_by_role("button").click()
    expect(page.get_by_role("heading", name="Kept by hand")).to_be_visible()
    expect(page.locator("tr", has=page.get_by_role("link", name=CLIP))).to_have_count(0)
    page.get_by_role("button", name=f"Take the mark off {CLIP}").click()
    expect(page.locator("tr", has=page.get_by_role("link", name=CLIP)).first).to_be_visible()


def test_a_rule_is_tried_before_it_is_written_down(page: Page) -> None:
    page.goto("/storage")
    built(page)
    days = page.get_by_label("Clips, days")
    days.fill("")
    page.get_by_role("button", name="Show what would go").click()
    expect(page.get_by_text("would be due at once; now it is")).to_be_visible()
    expect(days).to_have_value("")
    page.get_by_label("Bundles, days").fill("")
    page.get_by_role("button", name="Show what would go").click()
    expect(page.get_by_text("intermediates are not kept for ever")).to_be_visible()


def test_rules_are_taken_and_what_is_due_begins_to_go_and_stops_by_a_press(page: Page) -> None:
    page.goto("/storage")
    built(page)
    page.get_by_label("Clips, days").fill("45")
    page.get_by_label("Bundles, days").fill("8")
    page.get_by_text("Take these rules").press("Enter")
    certain = page.get_by_role("button", name="Yes: keep by these from now on")
    certain.press("Enter")
    expect(page.get_by_text("stand in config.json, which devices go by too")).to_be_visible()
    page.get_by_label("Bundles, days").fill("7")
    certain.press("Enter")
    expect(page.get_by_text("raw_videos = 45").first).to_be_visible()
    expect(page.get_by_text("As the owner said here on")).to_be_visible()
    built(page)
    page.get_by_text("Begin", exact=True).press("Enter")
    page.get_by_role("button", name="Yes: what is due goes every night").press("Enter")
    expect(page.locator("strong", has_text="What is due goes every night")).to_be_visible()
    built(page)
    page.get_by_role("button", name="Stop: only report").press("Enter")
    expect(page.get_by_text("Only reported: nothing is removed")).to_be_visible()
    built(page)
    page.get_by_role("button", name="Go by config.json").press("Enter")
    expect(page.get_by_text("said here on")).to_have_count(0)
    expect(page.get_by_text("raw_videos = 45")).to_have_count(0)


def test_a_clips_page_says_what_was_removed_by_which_rule(page: Page) -> None:
    page.goto(f"/videos/{4:016x}")
    said = page.get_by_text("Original removed on").first
    expect(said).to_contain_text("by storage_retention_days.raw_videos = 90; archive kept.")
    expect(page.get_by_text("Small copy removed on").first).to_contain_text("crops and frames kept")
    expect(page.locator("video")).to_have_count(0)


def test_a_clip_is_protected_with_a_reason(page: Page) -> None:
    page.goto(f"/videos/{1:016x}")
    expect(page.get_by_text("by storage_retention_days.raw_videos = 90").first).to_be_visible()
    page.get_by_label("Why all of this clip is to be kept").fill("<b>the crash</b>")
    page.get_by_role("button", name="Keep it all for good").click()
    expect(page.get_by_text("<b>the crash</b>").first).to_be_visible()
    page.get_by_role("button", name="Take the mark off").click()
    expect(page.get_by_role("button", name="Keep it all for good")).to_be_visible()


def test_a_new_system_says_when_it_begins(empty_site: tuple[Page, object]) -> None:
    page, _ = empty_site
    page.goto("/storage")
    expect(page.get_by_text("No plan has been made yet")).to_be_visible()
    expect(page.get_by_text("Nothing goes by the rules as they are")).to_be_visible()
