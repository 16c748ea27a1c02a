"""Every page, by day, by night and on a phone, as pictures to look at: ``python -m tests.app.screenshots [FOLDER]``.

Of the site of the browser tests, its worst texts included. ``make screenshots`` puts them into ``.screenshots/``.
"""

import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, ViewportSize, expect, sync_playwright

from tests.app.browser import QUIET, chromium_path, served
from tests.app.test_pages import PAGES

DESK: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
LOOKS = (("light", DESK, "light"), ("dark", DESK, "dark"), ("phone", PHONE, "light"), ("phone-dark", PHONE, "dark"))
PATIENCE_MS = 60_000


def draw(browser: Browser, address: str, folder: Path) -> None:
    with browser.new_context(base_url=address) as context:
        page = context.new_page()
        for path in (*PAGES, "/no/such/page"):
            page.goto(path)
            expect(page.locator("main :is(h1, h2)").first).to_be_visible(timeout=PATIENCE_MS)
            # a picture of all of the page shows what nobody has come near, which is not asked for nor laid out else
            page.add_style_tag(content="* { content-visibility: visible !important }")
            page.evaluate("for (const one of document.querySelectorAll('img[data-src]')) one.src = one.dataset.src")
            for look, size, scheme in LOOKS:
                page.set_viewport_size(size)
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                page.wait_for_load_state("networkidle")
                for part in page.frames:  # a map is another page, and turns dark by itself
                    part.evaluate("() => new Promise(painted => requestAnimationFrame(() => setTimeout(painted)))")
                name = re.sub(r"\W+", "-", path).strip("-") or "dashboard"
                page.screenshot(path=folder / f"{name}.{look}.png", full_page=True)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = chromium_path()
    if path is None:
        sys.exit("There is no chromium here: apt install chromium, or set DASHCAM_CHROMIUM.")
    with tempfile.TemporaryDirectory() as data, served(Path(data)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET.split())
        draw(browser, address, folder)
        browser.close()
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ".screenshots"))
