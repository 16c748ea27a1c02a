"""What it costs to take note of a folder's clips: all of them new, then all of them known.

The real application in a process of its own, on a new database, shown a folder of small files over HTTP by what the
flow ``scan`` calls. Reading and hashing them is measured by itself and taken off: how long that takes on a NAS is a
matter of its disks.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from pydantic import BaseModel
from rich.table import Table

from dashcam import Say
from dashcam.embedded.home import Home
from dashcam.embedded.system import EmbeddedSystem, embedded_system
from dashcam.media import identity
from dashcam.stages.scan import clips_below, scan
from dashcam.storage.roots import Stores

LONG_AGO = 1_700_000_000
A_DAY = 500
"""Clips to a folder."""


class ScanCost(BaseModel):
    new: int
    wall_s: float
    cpu_s: float
    """Of the application and of who scans."""
    files_per_s: int
    """By the clock, beside hashing."""
    files_per_cpu_s: int
    """The same by CPU seconds, which other programs on the machine do not change."""
    memory_mb: float
    """What the application holds afterwards."""


class ArrivalCost(BaseModel):
    files: int
    database: str
    hashing_s: float
    hashing_cpu_s: float
    """Reading and hashing every file once."""
    new: ScanCost
    known: ScanCost


def measure(folder: Path, files: int, database_url: str | None = None, say: Say = lambda what: None) -> ArrivalCost:
    """Make so many files below the empty ``folder`` and scan them twice.

    ``database_url`` names an empty database; without it one in SQLite is made in the folder.
    """
    home = Home(folder / "data")
    database_url = database_url or f"sqlite:///{folder / 'dashcam.db'}"
    with environment(DASHCAM_DATABASE_URL=database_url), embedded_system(home, say) as system:
        say(f"Making {files:,} files")
        make_clips(home.indoor_nas / "raw", files)
        say("Starting the application")
        system.start_app()
        say("Hashing them")
        hashing_s, hashing_cpu_s = hash_all(home.indoor_nas / "raw")
        say("Scanning them, all new")
        new = scan_cost(system, files, hashing_s, hashing_cpu_s)
        say("Scanning them again")
        known = scan_cost(system, files)
        database = system.client().call("GET", "/health")["database"]
    return ArrivalCost(
        files=files,
        database=database,
        hashing_s=round(hashing_s, 2),
        hashing_cpu_s=round(hashing_cpu_s, 2),
        new=new,
        known=known,
    )


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """For the processes that are started inside; it wins over what this one was started with."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def make_clips(raw: Path, count: int) -> None:
    """Small files with different contents, some hundred to a day's folder."""
    for number in range(count):
        file = raw / f"day{number // A_DAY:04d}" / f"2026_0628_133416_{number:06d}F.MP4"
        if number % A_DAY == 0:
            file.parent.mkdir(parents=True)
        file.write_bytes(number.to_bytes(8, "big"))
        os.utime(file, (LONG_AGO, LONG_AGO))


def hash_all(raw: Path) -> tuple[float, float]:
    """Seconds by the clock and of CPU."""
    paths = [Path(entry.path) for entry in clips_below(raw, lambda place, why: None)]
    began, cpu_began = time.monotonic(), time.process_time()
    for path in paths:
        identity.video_id(path)
    return time.monotonic() - began, time.process_time() - cpu_began


def scan_cost(system: EmbeddedSystem, files: int, hashing_s: float = 0, hashing_cpu_s: float = 0) -> ScanCost:
    process = system.children["app"].process
    if process is None:
        raise RuntimeError("the application is not running")
    app = psutil.Process(process.pid)

    def cpu() -> float:
        used = app.cpu_times()
        return used.user + used.system + time.process_time()

    began, cpu_began = time.monotonic(), cpu()
    done = scan(system.client(), Stores({"indoor_nas": system.home.indoor_nas}), "indoor_nas:raw")
    wall_s, cpu_s = time.monotonic() - began, cpu() - cpu_began
    return ScanCost(
        new=done.new,
        wall_s=round(wall_s, 2),
        cpu_s=round(cpu_s, 2),
        files_per_s=round(files / (wall_s - hashing_s)),
        files_per_cpu_s=round(files / (cpu_s - hashing_cpu_s)),
        memory_mb=round(app.memory_info().rss / 1e6, 1),
    )


def table_of(cost: ArrivalCost) -> Table:
    title = f"{cost.files:,} files on {cost.database}; hashing them takes {cost.hashing_s:.1f} s, which is not counted"
    table = Table(title=title, title_justify="left")
    table.add_column("scan")
    for heading in ("new", "wall s", "CPU s", "files a second", "files a CPU second", "memory MB"):
        table.add_column(heading, justify="right")
    for name, one in (("all new", cost.new), ("all known", cost.known)):
        rates = (f"{one.files_per_s:,}", f"{one.files_per_cpu_s:,}", f"{one.memory_mb:,.0f}")
        table.add_row(name, f"{one.new:,}", f"{one.wall_s:.1f}", f"{one.cpu_s:.1f}", *rates)
    return table
