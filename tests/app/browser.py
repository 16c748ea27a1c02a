"""A real browser on the WebUI of a made-up system, in a process of its own."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, sync_playwright
from sqlalchemy import Engine

from dashcam.database import open_engine
from tests.conftest import REPOSITORY

QUIET = (
    "--no-sandbox --disable-gpu --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)


def chromium_path() -> str | None:
    return os.environ.get("DASHCAM_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = chromium_path()
    if path is None:
        pytest.skip("no chromium here: apt install chromium, or set DASHCAM_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET.split())
        yield browser
        browser.close()


@contextmanager
def served(folder: Path, *options: str) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.app.ui_site", str(folder), *options]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(REPOSITORY / "lib"), str(REPOSITORY)))}
    environment.pop("PYTEST_CURRENT_TEST", None)  # NiceGUI would take the process for a simulated one
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def site(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("site")) as address:
        yield address


@contextmanager
def watched(context: BrowserContext, address: str) -> Iterator[Page]:
    """A page that, in the end, must have asked nobody else, met no error and run no script from outside."""
    page = context.new_page()
    trouble: list[str] = []
    own = re.compile(rf"(data:|blob:|(http|ws)://{re.escape(address.removeprefix('http://'))}/)")

    def asked(url: str) -> None:
        if not own.match(url):
            trouble.append(f"asked for {url}")

    def said(line: ConsoleMessage) -> None:
        if line.type == "error" and "404" not in line.text:
            trouble.append(line.text)

    def opened(dialog: Dialog) -> None:
        trouble.append(f"a script opened a dialog: {dialog.message}")
        dialog.dismiss()

    page.on("request", lambda request: asked(request.url))
    page.on("websocket", lambda socket: asked(socket.url))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("dialog", opened)
    page.on("console", said)
    yield page
    assert not page.evaluate("window.pwned"), "text from outside was run as a script"
    page.close()
    assert not trouble


@pytest.fixture(scope="module")
def desk(chromium: Browser, site: str) -> Iterator[BrowserContext]:
    with chromium.new_context(base_url=site) as context:
        yield context


@pytest.fixture
def page(desk: BrowserContext, site: str) -> Iterator[Page]:
    with watched(desk, site) as one:
        yield one


@pytest.fixture
def empty_site(chromium: Browser, tmp_path: Path) -> Iterator[tuple[Page, Engine]]:
    """A page of a system that holds nothing yet, and its database."""
    with (
        served(tmp_path, "--empty") as address,
        chromium.new_context(base_url=address) as context,
        watched(context, address) as page,
    ):
        engine = open_engine(f"sqlite:///{tmp_path / 'dashcam.db'}")
        yield page, engine
        engine.dispose()
