"""Whether a device may work now, by the rule in its file: hours of the day, and what other programs load it with."""

import contextlib
import logging
import re
import time
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

import psutil

from dashcam.config.model import Availability

log = logging.getLogger(__name__)

SAMPLES = 3
"""The load that counts is the mean of the last so many looks, one a second."""


class Meter(Protocol):
    """Load by programs that are not ours."""

    name: str

    def percent(self, ours: Sequence[psutil.Process], working: bool) -> float:
        """Since the last time it was asked; ``working`` says whether a clip is being worked on here."""
        ...


class Rule:
    """An `Availability` over time, asked about once a second."""

    def __init__(self, settings: Availability, meters: Iterable[tuple[Meter, float]]) -> None:
        """``meters`` with their limits in percent, see `meters_of`."""
        self.settings = settings
        self.meters = list(meters)
        self.seen: dict[str, deque[float]] = {meter.name: deque(maxlen=SAMPLES) for meter, _ in self.meters}
        self.quiet_from = 0.0

    def against(self, local: datetime, monotonic_s: float, working: bool) -> str | None:
        """Why it may not work now, or None when it may."""
        hours = self.settings.hours
        if hours and not any(within(span, local) for span in hours):
            return f"it works at {' and '.join(hours)}"
        ours = own_processes() if self.meters else []
        for meter, limit in self.meters:
            seen = self.seen[meter.name]
            seen.append(meter.percent(ours, working))
            load = sum(seen) / len(seen)
            if len(seen) == SAMPLES and load > limit:
                self.quiet_from = monotonic_s + 60 * self.settings.quiet_minutes
                return f"other programs load the {meter.name} with {load:.0f} %"
        if monotonic_s < self.quiet_from:
            return f"other programs were busy less than {self.settings.quiet_minutes:g} min ago"
        return None


def within(span: str, local: datetime) -> bool:
    """Whether ``22:00-07:00`` holds that time of day; its end does not belong to it."""
    begin, _, end = span.partition("-")
    at = f"{local:%H:%M}"
    return begin <= at < end if begin < end else at >= begin or at < end


def meters_of(settings: Availability, card: int = 0) -> list[tuple[Meter, float]]:
    """The meters that the rule needs; ``card`` is the graphics card's number. One that is not there is left out."""
    found: list[tuple[Meter, float]] = []
    if settings.cpu_load_percent is not None:
        found.append((CpuOfOthers(), settings.cpu_load_percent))
    if settings.gpu_load_percent is not None:
        if gpu := GpuOfOthers.found(card):
            found.append((gpu, settings.gpu_load_percent))
        else:
            log.warning("availability.gpu_load_percent has no effect: no NVIDIA card can be asked here")
    return found


def own_processes() -> list[psutil.Process]:
    """This process, what it has started, and the rest of the embedded system that it may be a part of."""
    root = psutil.Process()
    with contextlib.suppress(psutil.Error):
        while (parent := root.parent()) and is_ours(parent.cmdline()):
            root = parent
    with contextlib.suppress(psutil.Error):
        return [root, *root.children(recursive=True)]
    return [root]


def is_ours(command: Sequence[str]) -> bool:
    """By the command line: the modules, or the installed command (on Windows ``dashcam.exe``)."""
    return any(re.fullmatch(r"dashcam\.cli|flows\.worker|.*[/\\]dashcam(\.exe)?", part) for part in command[:3])


class CpuOfOthers:
    """All cores together, from the kernel's counters of busy time less our processes' own."""

    name = "processor"

    def __init__(self) -> None:
        self.before: tuple[float, float, float] | None = None

    def percent(self, ours: Sequence[psutil.Process], working: bool) -> float:
        now = (time.monotonic(), busy_s(), sum(used_s(process) for process in ours))
        before, self.before = self.before, now
        if before is None or now[0] <= before[0]:
            return 0.0
        wall, busy, own = (later - earlier for later, earlier in zip(now, before, strict=True))
        return max(0.0, min(100.0, 100 * (busy - own) / (wall * (psutil.cpu_count() or 1))))


def busy_s() -> float:
    times = psutil.cpu_times()
    return sum(getattr(times, kind, 0.0) for kind in ("user", "nice", "system", "irq", "softirq"))


def used_s(process: psutil.Process) -> float:
    """CPU seconds of a process and of those of its children that have ended."""
    with contextlib.suppress(psutil.Error):
        return sum(process.cpu_times()[:4])
    return 0.0


class GpuOfOthers:
    """One NVIDIA card, by process as NVML tells them apart.

    Where it does not (a container sees no process but its own at most), the card's whole load counts while nothing of
    ours works on it.
    """

    name = "graphics card"

    def __init__(self, index: int = 0) -> None:
        import pynvml  # not every machine has it

        self.nvml = pynvml
        pynvml.nvmlInit()
        self.card = pynvml.nvmlDeviceGetHandleByIndex(index)
        self.last_us = 0

    @classmethod
    def found(cls, index: int = 0) -> "GpuOfOthers | None":
        """None where there is no NVIDIA card or no way to ask it."""
        try:
            return cls(index)
        except ImportError:
            return None
        except Exception as error:
            if type(error).__module__ != "pynvml":
                raise
            return None

    def percent(self, ours: Sequence[psutil.Process], working: bool) -> float:
        if not working:
            return float(self.nvml.nvmlDeviceGetUtilizationRates(self.card).gpu)
        own = {process.pid for process in ours}
        loads = self.by_process()
        return sum(load for pid, load in loads.items() if pid not in own) if loads.keys() & own else 0.0

    def by_process(self) -> dict[int, float]:
        """Percent of each process in the last second or so; the largest of computing, encoding and decoding."""
        try:
            samples = self.nvml.nvmlDeviceGetProcessUtilization(self.card, self.last_us)
        except self.nvml.NVMLError:  # nothing happened since, or this card cannot tell
            return {}
        if not samples:
            return {}
        self.last_us = max(sample.timeStamp for sample in samples)
        return {one.pid: float(max(one.smUtil, one.encUtil, one.decUtil)) for one in samples}
