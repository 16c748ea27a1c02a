"""Chaos without Prefect: the real stages, task table and catalogue in one process, as quickly as they go."""

from collections.abc import Sequence
from pathlib import Path

from dashcam.chaos import damage, deaths
from dashcam.chaos.report import Report
from dashcam.chaos.trial import tried

BY_NAME = deaths.FAULTS | damage.FAULTS
FAULTS = tuple(sorted(BY_NAME))


def run(seed: int, workdir: Path, faults: Sequence[str] | None = None, clips: int = 2, url: str = "") -> Report:
    """One seed of some of these faults, all by default. ``workdir`` is best the same for all seeds of a process: what
    an undisturbed run comes to is made there once, and folders of seeds in which something did not hold are kept.
    ``url`` is that of an empty database, SQLite in the seed's folder by default."""
    return tried(seed, workdir, {name: BY_NAME[name] for name in faults or FAULTS}, clips=clips, url=url)
