"""``python -m benchmarks.pages FOLDER``: what the WebUI's pages cost a browser and the server at the size of years.

A made-up catalogue is written into the folder, if it has none: a million sightings in 250,000 clips with two million
fixes, the last of them today. Each page is visited in headless Chromium: by a browser that knows the scripts, when
somebody has just corrected a read, so that no answer about sightings is remembered; by new browsers; then by the same
ones again. Of all three the median counts. A picture that a page asks for and that is not there yet is drawn before,
by another server.

Of the main thread its CPU time is told, which says the same beside other work, and what the clock says: browser and
server are on the same cores here. The clock's are visits of their own, that nobody listens to: a driver that is told
of every request takes as much of a core as the page does.
"""

import argparse
import json
import math
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import psutil
from playwright.sync_api import Browser, BrowserContext, CDPSession, ViewportSize, sync_playwright
from sqlalchemy import select

import migrations
from dashcam.bench import town
from dashcam.catalog import plate_facts, routes
from dashcam.catalog.deriving import derive_everything
from dashcam.catalog.models import Plate, TripRow, Video
from dashcam.config import Site
from dashcam.database import open_engine, reading
from tests.app.browser import QUIET, chromium_path, served
from tests.app.ui_site import HURRY, picture

PER_VIDEO, FIXES_PER_VIDEO = 4, 8
QUIET_S, PATIENCE_S = 1.0, 60.0
"""A page is done when it has asked for nothing so long; and so long is waited for it."""
SETTLED_S, AT_REST = 10.0, 0.01
"""A server that takes less of a core for so long has done what it does by itself after a start."""
STARTED_S, STARTED = 1.0, 0.02
"""And the processes of a browser whose new profile has started."""
BREATH_S = 0.005
"""Of the main thread in `QUIET_S`, by which a page at rest asks whether its server is there."""
WINDOW: ViewportSize = {"width": 1280, "height": 800}
CLIP = r"[0-9a-f]{16}"
PICTURE = re.compile(rf"/media/({CLIP})/([\w./-]+\.jpg)")
LARGEST = """() => new Promise(tell => new PerformanceObserver(list => {
  tell(list.getEntries().at(-1).startTime)
}).observe({type: 'largest-contentful-paint', buffered: true}))"""
KEYED = """() => {
  const before = document.getElementById('found')
  addEventListener('input', () => { window.keyed = performance.now() }, true)
  new MutationObserver(() => {
    if (document.getElementById('found') === before) return
    requestAnimationFrame(() => setTimeout(() => { window.tookMs ??= performance.now() - window.keyed }))
  }).observe(document.body, {subtree: true, childList: true})
}"""
FIRST = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"


@dataclass(frozen=True)
class PageCost:
    first_paint_ms: float
    """Of anything."""
    useful_paint_ms: float
    """Of the largest thing that it shows before it rests."""
    main_thread_ms: float
    """Of CPU that the browser's main thread took."""
    kilobytes: float
    """That came over the wire."""
    server_ms: float
    """Of the server's CPU, until the page rests."""
    main_thread_clock_ms: float = 0.0
    """In which it had something to do, in a visit that nobody listened to."""


def make(folder: Path, sightings: int) -> None:
    """The last day of the catalogue is today."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dashcam.db").unlink(missing_ok=True)
    engine = open_engine(f"sqlite:///{folder / 'dashcam.db'}")
    migrations.upgrade(engine)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first_day = today - timedelta(days=town.YEARS * 365)
    town.fill(
        engine, sightings, per_video=PER_VIDEO, fixes_per_video=FIXES_PER_VIDEO, first_day=first_day, progress=told
    )
    print("plates", flush=True)
    plate_facts.catch_up(engine)
    print("trips", flush=True)
    derive_everything(engine, Site().trips)
    print("routes", flush=True)
    routes.draw(engine)
    engine.dispose()


def told(share: float) -> None:
    print(f"{share:.0%}", end=" ", flush=True)


def addresses(folder: Path) -> list[str]:
    """Every page of a person's evening, about what is in the catalogue."""
    engine = open_engine(f"sqlite:///{folder / 'dashcam.db'}")
    with reading(engine) as session:
        clip = session.scalars(select(Video.video_id).order_by(Video.start_utc.desc()).offset(20).limit(1)).one()
        trip = session.scalars(select(TripRow.trip_id).order_by(TripRow.start_utc.desc()).offset(2).limit(1)).one()
        often, seldom = (session.get_one(Plate, number).text for number in (7, 150 + 1))
    engine.dispose()
    misread = seldom[:-1] + ("X" if seldom[-1] != "X" else "Y")
    return [
        "/", "/plates", f"/plates?q={seldom[1:5]}", f"/plates?q={misread}", f"/plates/{often}", f"/plates/{seldom}",
        "/videos", f"/videos/{clip}", "/trips", f"/trips/{trip}", "/map", "/tasks", "/devices", "/cameras", "/accuracy",
        "/rereads", "/storage",
    ]  # fmt: skip


def server_of(address: str) -> psutil.Process:
    port = int(address.rsplit(":", 1)[1])
    (pid,) = {one.pid for one in psutil.net_connections("tcp") if one.status == "LISTEN" and one.laddr.port == port}
    return psutil.Process(pid)


def cpu_s(process: psutil.Process) -> float:
    """By its own clock, which counts finer than the hundredths of a second that a process is said to have taken.
    Source: clock_getcpuclockid(3), Linux."""
    return time.clock_gettime(~process.pid << 3 | 2)


def browser_cpu_s() -> float:
    """Of all processes of the browser that this one has started."""
    spent = 0.0
    for one in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess, OSError):  # it has ended meanwhile
            spent += cpu_s(one) if "chrom" in one.name() else 0.0
    return spent


class Wire:
    """What comes over a page's wire, and when it last did."""

    def __init__(self, cdp: CDPSession) -> None:
        self.bytes, self.last, self.open = 0.0, time.monotonic(), set[str]()
        cdp.on("Network.requestWillBeSent", lambda event: self.began(event["requestId"]))
        cdp.on("Network.loadingFinished", lambda event: self.ended(event["requestId"], event["encodedDataLength"]))
        cdp.on("Network.loadingFailed", lambda event: self.ended(event["requestId"], 0))
        cdp.send("Network.enable")

    def began(self, request: str) -> None:
        self.open.add(request)
        self.last = time.monotonic()

    def ended(self, request: str, size: float) -> None:
        self.open.discard(request)
        self.bytes += size
        self.last = time.monotonic()

    @property
    def rests(self) -> bool:
        return not self.open and time.monotonic() - self.last > QUIET_S


def opened(context: BrowserContext, server: psutil.Process, url: str) -> PageCost:
    page = context.new_page()
    cdp = context.new_cdp_session(page)
    cdp.send("Performance.enable", {"timeDomain": "threadTicks"})
    wire, before = Wire(cdp), cpu_s(server)
    page.goto(url, wait_until="commit", timeout=PATIENCE_S * 1000)
    deadline = time.monotonic() + PATIENCE_S
    while not wire.rests and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    spent, busy = cpu_s(server) - before, busy_s(cdp.send("Performance.getMetrics"))
    first, useful = page.evaluate(FIRST), page.evaluate(LARGEST)
    page.close()
    return PageCost(first, useful, busy * 1000, wire.bytes / 1000, spent * 1000)


def busy_s(answer: dict[str, Any]) -> float:
    """Of the main thread, in the time that was asked for."""
    metrics = {one["name"]: one["value"] for one in answer["metrics"]}
    return float(metrics["TaskDuration"])


class Unheard:
    """A new browser profile whose pages tell nobody what they do: Playwright leaves alone what it has not opened."""

    def __init__(self, browser: Browser) -> None:
        self.cdp, self.answer = browser.new_browser_cdp_session(), dict[str, Any]()
        self.cdp.on("Target.receivedMessageFromTarget", self.heard)
        self.profile = self.cdp.send("Target.createBrowserContext")["browserContextId"]
        self.new_tab()
        settle(browser_cpu_s, STARTED_S, STARTED)  # who comes for the first time has a browser that runs

    def new_tab(self) -> str:
        tab = self.cdp.send("Target.createTarget", {"url": "about:blank", "browserContextId": self.profile})
        return str(tab["targetId"])

    def heard(self, event: dict[str, Any]) -> None:
        self.answer = json.loads(event["message"])

    def ask(self, session: str, method: str, **options: object) -> dict[str, Any]:
        self.answer = {}
        message = json.dumps({"id": 1, "method": method, "params": options})
        self.cdp.send("Target.sendMessageToTarget", {"sessionId": session, "message": message})
        while not self.answer:
            self.cdp.send("Browser.getVersion")  # what was heard comes with the next answer
        return dict(self.answer["result"])

    def visit_s(self, url: str) -> float:
        """Of the main thread, by the clock, until the page rests."""
        tab = self.new_tab()
        session = self.cdp.send("Target.attachToTarget", {"targetId": tab, "flatten": False})["sessionId"]
        self.ask(session, "Emulation.setDeviceMetricsOverride", deviceScaleFactor=1, mobile=False, **WINDOW)
        self.ask(session, "Performance.enable")
        self.ask(session, "Page.navigate", url=url)
        busy, deadline = -1.0, time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            time.sleep(QUIET_S)
            before, busy = busy, busy_s(self.ask(session, "Performance.getMetrics"))
            if busy - before < BREATH_S:
                break
        self.cdp.send("Target.closeTarget", {"targetId": tab})
        return busy


def draw_what_is_missing(browser: Browser, folder: Path, url: str) -> None:
    """The pictures that a page asks for: a home has them."""
    with browser.new_context(viewport=WINDOW) as context:
        page = context.new_page()
        page.on("response", lambda answer: answer.status == 404 and draw(folder, answer.url))
        page.goto(url, timeout=PATIENCE_S * 1000)
        page.wait_for_load_state("networkidle")


def draw(folder: Path, url: str) -> None:
    if found := PICTURE.search(url):
        video, name = found.groups()
        picture(folder / "archive" / video, name, "LT23CGK")


def visited(browser: Browser, server: psutil.Process, url: str, runs: int) -> tuple[PageCost, PageCost]:
    """The median of visits of browser profiles that have never been here, and of later ones."""
    first, later = list[PageCost](), list[PageCost]()
    for _ in range(runs):
        with browser.new_context(viewport=WINDOW) as context:
            new, known = [opened(context, server, url) for _ in range(2)]
        profile = Unheard(browser)
        first.append(replace(new, main_thread_clock_ms=profile.visit_s(url) * 1000))
        later.append(replace(known, main_thread_clock_ms=profile.visit_s(url) * 1000))
    return middle(first), middle(later)


def middle(visits: Sequence[PageCost]) -> PageCost:
    """Of each cost the median."""
    return PageCost(*(median(getattr(one, field.name) for one in visits) for field in fields(PageCost)))


@contextmanager
def chromium() -> Iterator[Browser]:
    path = chromium_path()
    if path is None:
        raise SystemExit("There is no chromium here: apt install chromium, or set DASHCAM_CHROMIUM.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET.split())
        yield browser
        browser.close()


def row(path: str, written: PageCost, first: PageCost, later: PageCost) -> str:
    shown = re.sub(CLIP, "CLIP", path)
    visits = [
        f"{one.useful_paint_ms:,.0f} | {one.main_thread_ms:,.0f} | {one.main_thread_clock_ms:,.0f} | "
        f"{one.kilobytes:,.0f} | {one.server_ms:,.0f}"
        for one in (later, first)
    ]
    return f"| `{shown}` | {' | '.join(visits)} | {written.server_ms:,.0f} |"


def measure(folder: Path, runs: int) -> None:
    paths = addresses(folder)
    with served(folder, "--as-it-is") as address, chromium() as browser:
        for path in paths:
            draw_what_is_missing(browser, folder, address + path)
    columns = "useful paint ms | main thread CPU ms | by the clock | kB | server CPU ms"
    print(f"| page | {columns} | a new browser: {columns} | a read was corrected: server CPU ms |")
    print("|---" * 12 + "|")
    with served(folder, "--as-it-is") as address, chromium() as browser, browser.new_context(viewport=WINDOW) as known:
        server = server_of(address)
        opened(known, server, f"{address}/account")  # what is loaded and compiled once in a server's life
        settle(lambda: cpu_s(server), SETTLED_S, AT_REST)
        plate = next(path for path in paths if path.startswith("/plates/")).removeprefix("/plates/")
        for path in paths:
            opened(known, server, address + path)
            written = middle([after_writing(known, server, address, plate, path) for _ in range(runs)])
            print(row(path, written, *visited(browser, server, address + path, runs)), flush=True)
        print("\n| as somebody types | ms to what was found |\n|---|---|")
        for text in (path.split("q=")[1] for path in paths if "q=" in path):
            print(f"| `{text}` | {median(typed_ms(known, address, text) for _ in range(runs)):,.0f} |", flush=True)


def settle(spent_s: Callable[[], float], for_s: float, share: float) -> None:
    """Until so long no more than this share of a core is taken."""
    before = -math.inf
    while (spent := spent_s()) - before > share * for_s:
        before = spent
        time.sleep(for_s)


def after_writing(context: BrowserContext, server: psutil.Process, address: str, plate: str, path: str) -> PageCost:
    """Somebody has corrected a read of the plate, and taken it back: what tells of sightings is asked anew."""
    with httpx.Client(base_url=f"{address}/api/v1") as client:
        sighting = client.get(f"/plates/{plate}").raise_for_status().json()["seen"][0]["sighting_id"]
        said = client.post("/corrections", json={"sightings": [sighting], "text": "OTHER"}).raise_for_status().json()
        client.delete(f"/corrections/{said['words'][0]}").raise_for_status()
    return opened(context, server, address + path)


def typed_ms(context: BrowserContext, address: str, text: str) -> float:
    """From the last key of a search to what was found, on the screen."""
    page = context.new_page()
    page.goto(f"{address}/plates", timeout=PATIENCE_S * 1000)
    page.wait_for_load_state("networkidle")
    box = page.locator(".search input[name=q]")
    with page.expect_response(lambda answer: "/found/" in answer.url and answer.url.endswith(f"q={text[:-1]}")):
        box.press_sequentially(text[:-1])
    page.wait_for_function("() => !document.querySelector('#found.waiting')")
    page.evaluate(KEYED)
    box.press_sequentially(text[-1])
    took = page.wait_for_function("() => window.tookMs", timeout=PATIENCE_S * 1000).json_value()
    page.close()
    return float(took)


def soak(folder: Path, hours: float) -> None:
    """Pages stay open while their clock runs `HURRY` times as fast; what server and browser hold as it goes."""
    began, ends = time.monotonic(), time.monotonic() + hours * 3600 / HURRY
    print("| hours | server MB | browser's scripts MB |\n|---|---|---|")
    with served(folder, "--as-it-is", "--hurried") as address, chromium() as browser, browser.new_context() as context:
        server = server_of(address)
        sessions = []
        for path in addresses(folder):
            page = context.new_page()
            page.goto(address + path, timeout=PATIENCE_S * 1000)
            sessions.append(context.new_cdp_session(page))
        while time.monotonic() < ends:
            held = sum(heap_mb(cdp) for cdp in sessions)
            passed = (time.monotonic() - began) * HURRY / 3600
            print(f"| {passed:.1f} | {server.memory_info().rss / 1e6:.0f} | {held:.0f} |", flush=True)
            page.wait_for_timeout(min(hours / 16 * 3600 / HURRY, max(0.0, ends - time.monotonic())) * 1000)


def heap_mb(cdp: CDPSession) -> float:
    cdp.send("HeapProfiler.collectGarbage")
    return float(cdp.send("Runtime.getHeapUsage")["usedSize"]) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sightings", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument(
        "--soak", type=float, metavar="HOURS", help="instead leave the pages open so long, by their clock"
    )
    options = parser.parse_args()
    if not (options.folder / "dashcam.db").exists():
        make(options.folder, options.sightings)
    if options.soak:
        soak(options.folder, options.soak)
    else:
        measure(options.folder, options.runs)


if __name__ == "__main__":
    main()
