"""What a backlog costs the main server: a round of dispatching and what is polled, beside a hundredth of the backlog.

CPU seconds, because what other programs do to the clock is no property of the table. The main server is not part of
the library: it is measured in a process of its own.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel
from rich.table import Table

from dashcam import Explained

SMALLER = 100
GOALS = {"round": 0.03, "poll": 0.02}


class Measured(BaseModel):
    """One backlog; all but ``filled_s`` in seconds of CPU."""

    pending: int
    filled_s: float
    round_cpu_s: float
    """A round that finds every worker at work, as one does each second."""
    offering_round_cpu_s: float
    """A round that settles a run at every stage and makes another, of ``clips_a_run`` clips each."""
    clips_a_run: int
    polls: dict[str, float]
    """By who asks: ``process`` is `dashcam process`, ``pending`` the REST list, the others open pages."""

    @property
    def poll_cpu_s(self) -> float:
        """The dearest."""
        return max(self.polls.values())


class BacklogCost(BaseModel):
    pending: int
    round_cpu_s: float
    poll_cpu_s: float
    offering_round_cpu_s: float
    round_ratio: float
    """To the same with a hundredth of the backlog."""
    poll_ratio: float
    whole: Measured
    hundredth: Measured


class MeasuringFailed(Explained):
    """The measuring process failed; the message is its last line."""


def measure(folder: Path, pending: int, progress: Callable[[str], None] = lambda what: None) -> BacklogCost:
    """Both backlogs are made in ``folder``."""
    progress(f"A backlog of {pending // SMALLER:,}")
    hundredth = measured(folder, pending // SMALLER)
    progress(f"A backlog of {pending:,}")
    whole = measured(folder, pending)
    return BacklogCost(
        pending=pending,
        round_cpu_s=round(whole.round_cpu_s, 4),
        poll_cpu_s=round(whole.poll_cpu_s, 4),
        offering_round_cpu_s=round(whole.offering_round_cpu_s, 4),
        round_ratio=round(whole.round_cpu_s / hundredth.round_cpu_s, 2),
        poll_ratio=round(whole.poll_cpu_s / hundredth.poll_cpu_s, 2),
        whole=whole,
        hundredth=hundredth,
    )


def measured(folder: Path, pending: int) -> Measured:
    argv = [sys.executable, "-m", "app.backlog", str(folder), str(pending)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        words = done.stderr.strip().splitlines() or ["no word"]
        raise MeasuringFailed(f"The measuring process ended with {done.returncode}: {words[-1]}")
    return Measured.model_validate_json(done.stdout.strip().splitlines()[-1])


def table_of(cost: BacklogCost) -> Table:
    title = f"{cost.pending:,} pending tasks, CPU milliseconds; made in {cost.whole.filled_s:.0f} s"
    table = Table(title=title, title_justify="left")
    table.add_column("what")
    for heading in (f"{cost.pending:,}", f"{cost.hundredth.pending:,}", "ratio", "goal"):
        table.add_column(heading, justify="right")
    rows = [("round, every worker at work", cost.whole.round_cpu_s, cost.hundredth.round_cpu_s, GOALS["round"])]
    offering = f"round, {cost.whole.clips_a_run} clips offered at each stage"
    rows.append((offering, cost.whole.offering_round_cpu_s, cost.hundredth.offering_round_cpu_s, 0.0))
    for who, cpu_s in cost.whole.polls.items():
        rows.append((f"poll: {who}", cpu_s, cost.hundredth.polls[who], GOALS["poll"]))
    for what, whole, hundredth, goal in rows:
        figures = f"{whole * 1000:.1f}", f"{hundredth * 1000:.1f}", f"{whole / hundredth:.1f}"
        table.add_row(what, *figures, f"{goal * 1000:.0f}" if goal else "")
    return table
