"""What many devices and open pages at once cost the main server: the real application, its database, and processes
that do over REST what flows do, without the work itself.

Each device takes its own clips through all stages. Now and then an answer gets lost, so that it completes a task twice.
Afterwards the main server is asked what it knows: every task is complete, and nothing is there twice.
"""

import multiprocessing
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from statistics import quantiles
from typing import Any

import psutil
from pydantic import BaseModel
from rich.table import Table

from dashcam import Say
from dashcam.bench import load_browser, load_device
from dashcam.bench.arrival import environment, make_clips
from dashcam.bench.load_device import Told
from dashcam.embedded.home import Home
from dashcam.embedded.system import EmbeddedSystem, embedded_system
from dashcam.stages.scan import clips_below
from dashcam.tasks.chain import STAGES
from dashcam.tasks.client import MainServerClient
from dashcam.tasks.model import InputRef

LOOKED_AT = 200
"""So many clips are asked for by themselves afterwards."""
FEW = 200
"""Clips that are handed in at once."""
PAGES_S = 60.0
"""How long the devices wait for the first open page."""


class Latency(BaseModel):
    """In milliseconds, as whoever asked saw them."""

    asked: int
    p50_ms: float
    p99_ms: float
    most_ms: float


class LoadCost(BaseModel):
    tasks: int
    devices: int
    browsers: int
    database: str
    wall_s: float
    tasks_per_s: float
    app_cpu_s: float
    """Of the application, meanwhile."""
    requests: dict[str, Latency]
    """By what was asked; ``complete`` is what carries the results."""
    updates: int
    """Messages that the open pages were sent by themselves."""
    errors: dict[str, int]
    """Answers of 500 and more, broken connections and refusals, by their words."""
    duplicates: list[str]
    """What is there twice, or is missing, in words."""


def measure(
    folder: Path, tasks: int, devices: int, browsers: int, database_url: str | None = None, say: Say = lambda what: None
) -> LoadCost:
    """So many tasks through a new application in the empty ``folder``.

    ``database_url`` names an empty database; without it one in SQLite is made in the folder.
    """
    home = Home(folder / "data")
    database_url = database_url or f"sqlite:///{folder / 'dashcam.db'}"
    with environment(DASHCAM_DATABASE_URL=database_url), embedded_system(home, say) as system:
        make_clips(home.indoor_nas / "raw", tasks // len(STAGES))
        say("Starting the application")
        system.start_app()
        client = system.client()
        say("Handing the clips in")
        video_ids = hand_in(client, home.indoor_nas)
        say(f"{devices} devices complete {tasks:,} tasks beside {browsers} browsers")
        app = application(system)
        before = app.cpu_times()
        told, wall_s = all_at_once(system, client, video_ids, devices, browsers)
        after = app.cpu_times()
        say("Looking for what is there twice")
        return LoadCost(
            tasks=tasks,
            devices=devices,
            browsers=browsers,
            database=client.call("GET", "/health")["database"],
            wall_s=round(wall_s, 2),
            tasks_per_s=round(tasks / wall_s, 1),
            app_cpu_s=round(after.user + after.system - before.user - before.system, 2),
            requests=latencies(told),
            updates=sum(one.updates for one in told),
            errors=dict(sum((Counter(one.errors) for one in told), Counter())),
            duplicates=[*miscounted(told, tasks), *unlike(client, video_ids)],
        )


def application(system: EmbeddedSystem) -> psutil.Process:
    process = system.children["app"].process
    if process is None:
        raise RuntimeError("the application is not running")
    return psutil.Process(process.pid)


def hand_in(client: MainServerClient, store: Path) -> list[str]:
    raw = clips_below(store / "raw", lambda place, why: None)
    files = [InputRef.of(f"indoor_nas:{Path(one.path).relative_to(store)}", "video") for one in raw]
    arrived = [one for at in range(0, len(files), FEW) for one in client.ingest(files[at : at + FEW], vouched=True)]
    return [one["video_id"] for one in arrived]


def all_at_once(
    system: EmbeddedSystem, client: MainServerClient, video_ids: Sequence[str], devices: int, browsers: int
) -> tuple[list[Told], float]:
    """What devices and browsers have to tell, and the seconds that the devices took.

    A page is open before the first device begins; browsers go on until the last device is through.
    """
    token = client.http.headers["Authorization"].removeprefix("Bearer ")
    url = system.app_url
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    with context.Manager() as shared, ProcessPoolExecutor(devices + min(browsers, 1), context) as pool:
        opened, ended = shared.Event(), shared.Event()
        open_pages = [pool.submit(load_browser.look, url, browsers, opened, ended)] if browsers else []
        if browsers:
            opened.wait(PAGES_S)
        began = time.monotonic()
        numbered = list(enumerate(video_ids))
        own = [numbered[number::devices] for number in range(devices)]
        at_work = [pool.submit(load_device.work, url, token, f"device-{at}", mine) for at, mine in enumerate(own)]
        try:
            told = [one.result() for one in as_completed(at_work)]
            wall_s = time.monotonic() - began
        finally:
            ended.set()
        return told + [one.result() for one in open_pages], wall_s


def latencies(told: Sequence[Told]) -> dict[str, Latency]:
    found: dict[str, list[float]] = {}
    for one in told:
        for what, times in one.seconds.items():
            found.setdefault(what, []).extend(times)
    return {what: latency(times) for what, times in found.items()}


def latency(seconds: Sequence[float]) -> Latency:
    cuts = quantiles(seconds, n=100, method="inclusive") if len(seconds) > 1 else [seconds[0]] * 99
    p50, p99, most = (round(1000 * value, 1) for value in (cuts[49], cuts[98], max(seconds)))
    return Latency(asked=len(seconds), p50_ms=p50, p99_ms=p99, most_ms=most)


def miscounted(told: Sequence[Told], tasks: int) -> list[str]:
    found = []
    if (changed := sum(one.changed for one in told)) != tasks:
        found.append(f"{changed} of {tasks} completions changed a task")
    if again := sum(one.changed_again for one in told):
        found.append(f"{again} second completions changed one once more")
    return found


def unlike(client: MainServerClient, video_ids: Sequence[str]) -> list[str]:
    """What the main server knows that is not what was sent."""
    clips, found = len(video_ids), []

    def expect(what: str, path: str, expected: int, **params: Any) -> None:
        total = client.call("GET", path, params=params | {"limit": 1})["total"]
        if total != expected:
            found.append(f"{what}: {total} instead of {expected}")

    for stage in STAGES:
        expect(f"complete tasks {stage}", "/tasks", clips, type=stage, state="complete")
    expect("pending tasks", "/tasks", 0, state="pending")
    expect("processed clips", "/videos", clips, outcome="processed")
    for number in range(0, clips, max(1, clips // LOOKED_AT)):
        video = client.call("GET", f"/videos/{video_ids[number]}")
        counted = len(video["sightings"]), video["positions"]
        if counted != (load_device.SIGHTINGS, load_device.FIXES):
            found.append(f"clip {number}: {counted[0]} sightings and {counted[1]} positions")
    return found


def table_of(cost: LoadCost) -> Table:
    troubles = sum(cost.errors.values())
    title = (
        f"{cost.tasks:,} tasks of {cost.devices} devices beside {cost.browsers} browsers on {cost.database}: "
        f"{cost.wall_s:.1f} s, {cost.tasks_per_s:.0f} tasks a second, {cost.app_cpu_s:.1f} s of CPU; "
        f"errors: {troubles}, duplicates: {len(cost.duplicates)}"
    )
    table = Table(title=title, title_justify="left")
    table.add_column("what is asked")
    for heading in ("times", "p50 ms", "p99 ms", "most ms"):
        table.add_column(heading, justify="right")
    for what, one in sorted(cost.requests.items()):
        table.add_row(what, f"{one.asked:,}", f"{one.p50_ms:,.0f}", f"{one.p99_ms:,.0f}", f"{one.most_ms:,.0f}")
    for words, times in cost.errors.items():
        table.add_row(f"error: {words}", f"{times:,}", "", "", "")
    for words in cost.duplicates:
        table.add_row(words, "", "", "", "")
    return table
