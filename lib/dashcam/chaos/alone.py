"""Chaos without Prefect: the real stages, task table and catalogue in one process, as quickly as they go."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from sqlalchemy import make_url

from dashcam.chaos import care, damage, deaths, nas
from dashcam.chaos.report import Report
from dashcam.chaos.trial import tried, undisturbed
from dashcam.upkeep import postgres

__all__ = ["FAULTS", "run", "undisturbed"]
BY_NAME = deaths.FAULTS | damage.FAULTS | nas.FAULTS | care.FAULTS
FAULTS = tuple(sorted(BY_NAME))


def run(seed: int, workdir: Path, faults: Sequence[str] | None = None, clips: int = 2, server: str = "") -> Report:
    """One seed of some of these faults, all by default. ``workdir`` is best the same for all seeds of a process: what
    an undisturbed run comes to is made there once, and folders of seeds in which something did not hold are kept.
    ``server`` is the URL of a PostgreSQL database beside which the seed gets an empty one; without, it has SQLite."""
    beside = postgres.scratch_database(make_url(server)) if server else nullcontext()
    with beside as there:
        url = there.render_as_string(hide_password=False) if there is not None else ""
        return tried(seed, workdir, {name: BY_NAME[name] for name in faults or FAULTS}, clips=clips, url=url)
