"""The first minute and the idle night: one clip on a new data folder and on one that exists, over the stages' own work,
and what the system uses when there is nothing to do."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
from pydantic import BaseModel
from rich.table import Table

from dashcam import Explained, Say
from dashcam.bench.pipeline import NothingMeasured, cpu_of
from dashcam.embedded.home import Home
from dashcam.embedded.job import find_clips
from dashcam.embedded.processes import members
from dashcam.embedded.system import EmbeddedSystem, embedded_system

SETTLE_S = 60.0
"""From the start of the idle system to measuring it: what it does once is not what it does all night."""

ALONE = """
import json, sys, time
from pathlib import Path
from dashcam.bench.direct import run_stages
began, cpu = time.perf_counter(), time.process_time()
run_stages([Path(sys.argv[1])], Path(sys.argv[2]))
print(json.dumps({"wall_s": time.perf_counter() - began, "cpu_s": time.process_time() - cpu}))
"""


class CommandCost(BaseModel):
    wall_s: float
    cpu_s: float

    def over(self, own: "CommandCost") -> "CommandCost":
        return CommandCost(wall_s=round(self.wall_s / own.wall_s, 2), cpu_s=round(self.cpu_s / own.cpu_s, 2))


class Idle(BaseModel):
    over_s: float
    cpu_percent: float
    """Of one core."""
    pss_mb: float


class StartCost(BaseModel):
    own: CommandCost
    """The stages as plain functions on the same clip, their models' loading included."""
    new_folder: CommandCost
    new_folder_over_own: CommandCost
    known_folder: CommandCost
    known_folder_over_own: CommandCost
    idle: Idle | None


class RunFailed(Explained):
    """A run of the command that was to be measured has failed."""


def measure(folder: Path, clips: Path, idle_s: float, say: Say) -> StartCost:
    """The first two clips below ``clips``, each in a run of its own, in the empty ``folder``. Idle over ``idle_s``; 0
    leaves that out. Raises `NothingMeasured` and `RunFailed`."""
    found = [clip.path for clip in find_clips([clips]) if clip.trouble is None]
    if len(found) < 2:
        raise NothingMeasured(
            f"There are fewer than two clips in {clips}: one is for a new data folder, one for later."
        )
    data = folder / "data"
    runs = []
    for number, clip in enumerate(found[:2]):
        say(f"{clip.name} on a {'known' if number else 'new'} data folder")
        runs.append(spent_by([sys.executable, "-m", "dashcam.cli", "process", str(clip), "--data", str(data)]))
    say("The stages alone")
    own = [spent_alone(clip, folder / clip.stem) for clip in found[:2]]
    mean = CommandCost(wall_s=sum(one.wall_s for one in own) / 2, cpu_s=sum(one.cpu_s for one in own) / 2)
    idle = idle_cost(data, idle_s, say) if idle_s else None
    new, known = runs
    return cost_of(mean, new, known, idle)


def cost_of(own: CommandCost, new: CommandCost, known: CommandCost, idle: Idle | None) -> StartCost:
    return StartCost(
        own=own,
        new_folder=new,
        new_folder_over_own=new.over(own),
        known_folder=known,
        known_folder_over_own=known.over(own),
        idle=idle,
    )


def spent_by(argv: Sequence[str]) -> CommandCost:
    """By a command and all that it starts and waits for."""
    began, before = time.monotonic(), children_cpu_s()
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RunFailed(f"{' '.join(argv[2:])} has failed: {done.stderr.strip().splitlines()[-1:]}")
    return CommandCost(wall_s=round(time.monotonic() - began, 2), cpu_s=round(children_cpu_s() - before, 2))


def children_cpu_s() -> float:
    return sum(psutil.Process().cpu_times()[2:4])


def spent_alone(clip: Path, folder: Path) -> CommandCost:
    """By the stages as plain functions on the clip, without their imports; in a process of its own."""
    done = subprocess.run([sys.executable, "-c", ALONE, clip, folder], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RunFailed(f"The stages alone have failed: {done.stderr.strip().splitlines()[-1:]}")
    return CommandCost.model_validate_json(done.stdout.splitlines()[-1])


def idle_cost(data: Path, over_s: float, say: Say) -> Idle:
    with embedded_system(Home(data), say) as system:
        system.start()
        system.wait_for_all()
        say(f"Nothing to do for {SETTLE_S + over_s:.0f} s")
        time.sleep(SETTLE_S)
        began, before = time.monotonic(), cpu_of(system)
        time.sleep(over_s)
        took, used = time.monotonic() - began, cpu_of(system) - before
        return Idle(over_s=round(took, 1), cpu_percent=round(100 * used / took, 2), pss_mb=round(pss_mb(system), 1))


def pss_mb(system: EmbeddedSystem) -> float:
    """Memory of all its processes, pages that they share counted once."""
    pids = [child.process.pid for child in system.children.values() if child.process is not None]
    return (
        sum(float(process.memory_full_info()._asdict()["pss"]) for process in [*members(pids), psutil.Process()]) / 1e6
    )


def table_of(cost: StartCost) -> Table:
    table = Table(title="One clip, over the stages' own work, and nothing to do", title_justify="left")
    for heading in ("", "wall s", "CPU s", "wall over own", "CPU over own"):
        table.add_column(heading, justify="right" if heading else "left")
    table.add_row("the stages alone", f"{cost.own.wall_s:.1f}", f"{cost.own.cpu_s:.1f}", "", "")
    for name, spent, over in (
        ("new data folder", cost.new_folder, cost.new_folder_over_own),
        ("known data folder", cost.known_folder, cost.known_folder_over_own),
    ):
        ratios = (f"{over.wall_s:.1f}", f"{over.cpu_s:.1f}")
        table.add_row(name, f"{spent.wall_s:.1f}", f"{spent.cpu_s:.1f}", *ratios)
    if cost.idle is not None:
        idle = f"{cost.idle.cpu_percent:.1f} % of a core, {cost.idle.pss_mb:.0f} MB"
        table.add_row(f"nothing to do for {cost.idle.over_s:.0f} s", idle)
    return table
