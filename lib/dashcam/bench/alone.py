"""One pass in a process of its own, so that its CPU time and its peak of memory are its own."""

import contextlib
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TypeVar

import psutil
from pydantic import BaseModel

from dashcam import Explained

T = TypeVar("T")


class PassKilled(Explained):
    """Something ended the process of a pass, most often for want of memory; the message is one plain sentence."""


class PassCost(BaseModel):
    """``cpu_s``, of all threads, and ``wall_s`` of the pass itself; ``peak_rss_mb`` of its whole process."""

    cpu_s: float
    wall_s: float
    peak_rss_mb: float


def alone(rounds: int, prepare: Callable[..., Callable[[], T]], *arguments: object) -> tuple[PassCost, T]:
    """The round that used least CPU, of several in one new process.

    ``prepare(folder, *arguments)``, with an empty folder that goes afterwards, returns the pass; what it loads
    beforehand is not counted. Raises what the pass raises, and `PassKilled`.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as child:
        try:
            answers = [child.submit(_measured, prepare, *arguments).result() for _ in range(rounds)]
        except BrokenProcessPool as error:
            raise PassKilled(
                f"The pass {prepare.__name__!r} was killed: see whether the machine has enough memory for it."
            ) from error
    return min(answers, key=lambda answer: answer[0].cpu_s)


def _measured(prepare: Callable[..., Callable[[], T]], *arguments: object) -> tuple[PassCost, T]:
    with tempfile.TemporaryDirectory(prefix="dashcam-bench-") as folder:
        run = prepare(Path(folder), *arguments)
        cpu, wall = time.process_time(), time.perf_counter()
        answer = run()
        spent_s, took_s = time.process_time() - cpu, time.perf_counter() - wall
    return PassCost(cpu_s=round(spent_s, 3), wall_s=round(took_s, 3), peak_rss_mb=peak_rss_mb()), answer


def peak_rss_mb() -> float:
    """The most memory that this process had, in millions of bytes.

    Not ``getrusage`` on Linux: a process inherits there what its parent had when it started it.
    """
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) * 1024 / 1e6, 1)
    memory = psutil.Process().memory_info()
    return round(getattr(memory, "peak_wset", memory.rss) / 1e6, 1)
