"""What orchestration costs: clips through the embedded system, and through the same stages called as functions.

Overhead of a stage is what its flow runs took by the clock, from being offered to their end, less what the stage's
own functions took in them (which each run writes down as its artifact). On a machine with other work the clock says
little; then compare the CPU seconds: the whole system's, less those of the functions alone.
"""

import time
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
from pydantic import BaseModel, TypeAdapter
from rich.table import Table

from dashcam import Explained, Say, config
from dashcam.device.availability import used_s
from dashcam.embedded.home import Home
from dashcam.embedded.job import Clip, Job, find_clips
from dashcam.embedded.processes import members
from dashcam.embedded.system import EmbeddedSystem, embedded_system
from dashcam.tasks.chain import STAGES
from dashcam.tasks.model import TaskType

PAGE = 200
LOADING, PROCESS = "(loading)", "(process)"
"""As `flows.clips` names what is not a clip."""


class NothingMeasured(Explained):
    """The clips cannot be measured; the message is one plain sentence."""


class StageCost(BaseModel):
    """All flow runs of one stage together, in seconds by the clock."""

    runs: int
    wall_s: float
    """From being offered to the end."""
    work_s: float
    """The stage's own functions, without loading models."""
    waiting_s: float
    """Until a worker had claimed the run."""
    starting_s: float
    """From there until the flow's first line: processes, imports."""
    loading_s: float
    """Models."""
    direct_s: float
    """The same functions called one after the other in one process, no Prefect, nothing beside it."""
    overhead_s_per_clip: float
    overhead_cpu_s_per_clip: float
    """Of the runs' processes: what they used less what the stage's functions used in them."""


class PipelineCost(BaseModel):
    clips: int
    footage_s: float
    stages: dict[str, StageCost]
    overhead_s_per_clip_stage: float
    wall_s: float
    """From handing the clips in to the last one's end, with the system already up."""
    direct_s: float
    wall_over_direct: float
    cpu_s: float
    """Of the whole system, Prefect's server included, from handing in to the end of the last run."""
    direct_cpu_s: float
    overhead_cpu_s_per_clip_stage: float


def measure(folder: Path, clips: Path, say: Say) -> PipelineCost:
    """The clips below ``clips`` through all stages, in the empty ``folder``. Raises `NothingMeasured`."""
    found = [clip for clip in find_clips([clips]) if clip.trouble is None]
    if not found:
        raise NothingMeasured(f"There are no clips in {clips}: name a folder that holds some.")
    say(f"{len(found)} clips without Prefect")
    from dashcam.bench.direct import run_stages  # the stages: OpenCV and ONNX, only when something is measured

    cpu_before = time.process_time()
    direct, footage_s = run_stages([clip.path for clip in found], folder / "direct")
    direct_cpu_s = time.process_time() - cpu_before
    with embedded_system(Home(folder / "data"), say) as system:
        system.start()
        system.wait_for_all()
        began, cpu_before = time.monotonic(), cpu_of(system)
        work_off(system, found, say)
        wall_s = time.monotonic() - began
        with system.prefect_api() as prefect:
            costs = {
                stage.flow: cost_of(prefect, stage.flow, len(found), direct[task_type])
                for task_type, stage in STAGES.items()
            }
        cpu_s = cpu_of(system) - cpu_before
    steps = len(found) * len(costs)
    overhead = sum(cost.wall_s - cost.work_s for cost in costs.values()) / steps
    direct_s = sum(direct.values())
    return PipelineCost(
        clips=len(found),
        footage_s=round(footage_s, 1),
        stages=costs,
        overhead_s_per_clip_stage=round(overhead, 3),
        wall_s=round(wall_s, 1),
        direct_s=round(direct_s, 1),
        wall_over_direct=round(wall_s / direct_s, 2),
        cpu_s=round(cpu_s, 1),
        direct_cpu_s=round(direct_cpu_s, 1),
        overhead_cpu_s_per_clip_stage=round((cpu_s - direct_cpu_s) / steps, 3),
    )


def cpu_of(system: EmbeddedSystem) -> float:
    """CPU seconds of all its processes up to now, ended ones included."""
    pids = [child.process.pid for child in system.children.values() if child.process is not None]
    return sum(used_s(process) for process in members(pids))


def work_off(system: EmbeddedSystem, clips: Sequence[Clip], say: Say) -> None:
    job = Job(system.client(), list(clips))
    job.hand_in()

    def tick(standing: Any) -> None:
        say(f"{standing.done[TaskType.FINALIZE_VIDEO]:.0f} of {len(clips)} clips are through")

    job.follow(config.load_site(system.home.config).dispatch.max_failures, tick)
    if failed := [clip.trouble for clip in job.clips if clip.trouble]:
        raise NothingMeasured(f"{len(failed)} of {len(clips)} clips failed, the first with: {failed[0]}")


def cost_of(prefect: httpx.Client, flow: str, clips: int, direct_s: float) -> StageCost:
    runs = ended_runs(prefect, flow)
    phases = [phases_of(prefect, run["id"]) for run in runs]
    rows = [row for run in runs for row in rows_of(prefect, run["id"])]
    work = [row for row in rows if row["clip"] not in (LOADING, PROCESS)]
    wall_s = sum(sum(one) for one in phases)
    work_s = sum(row["seconds"] for row in work)
    process_cpu_s = sum(row["cpu_seconds"] for row in rows if row["clip"] == PROCESS)
    return StageCost(
        runs=len(runs),
        wall_s=round(wall_s, 2),
        work_s=round(work_s, 2),
        waiting_s=round(sum(one[0] for one in phases), 2),
        starting_s=round(sum(one[1] for one in phases), 2),
        loading_s=round(sum(row["seconds"] for row in rows if row["clip"] == LOADING), 2),
        direct_s=round(direct_s, 2),
        overhead_s_per_clip=round((wall_s - work_s) / clips, 3),
        overhead_cpu_s_per_clip=round((process_cpu_s - sum(row["cpu_seconds"] for row in work)) / clips, 3),
    )


def ended_runs(prefect: httpx.Client, flow: str) -> list[dict[str, Any]]:
    """Its runs, once Prefect knows the end of each: a run outlives its last clip by a second."""
    wanted = {"flows": {"name": {"any_": [flow]}}, "limit": PAGE}
    deadline = time.monotonic() + 60
    while True:
        runs = ask(prefect, "/flow_runs/filter", wanted)
        if all(run["state"]["type"] == "COMPLETED" for run in runs):
            return runs
        if time.monotonic() > deadline:
            raise NothingMeasured(f"A run of {flow} did not end well: see it in Prefect's log.")
        time.sleep(0.5)


def phases_of(prefect: httpx.Client, run_id: str) -> tuple[float, float, float]:
    """Seconds from being offered to being claimed, from there to running, from there to the end."""
    states = prefect.get("/flow_run_states/", params={"flow_run_id": run_id}).raise_for_status().json()
    first: dict[str, datetime] = {}
    for state in sorted(states, key=lambda state: state["timestamp"]):
        first.setdefault(state["type"], datetime.fromisoformat(state["timestamp"]))
    moments = [first[kind] for kind in ("SCHEDULED", "PENDING", "RUNNING", "COMPLETED")]
    waiting, starting, running = ((later - earlier).total_seconds() for earlier, later in pairwise(moments))
    return waiting, starting, running


def rows_of(prefect: httpx.Client, run_id: str) -> list[dict[str, Any]]:
    """What the run wrote down about each clip, about loading and about its process."""
    wanted = {"artifacts": {"flow_run_id": {"any_": [run_id]}, "key": {"like_": "%-times"}}}
    tables = ask(prefect, "/artifacts/filter", wanted)
    rows = TypeAdapter(list[dict[str, Any]])
    return [row for table in tables for row in rows.validate_json(table["data"])]


def ask(prefect: httpx.Client, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    answer: list[dict[str, Any]] = prefect.post(path, json=body).raise_for_status().json()
    return answer


def table_of(cost: PipelineCost) -> Table:
    title = (
        f"{cost.clips} clips, {cost.footage_s:,.0f} s of footage: {cost.overhead_s_per_clip_stage:.3f} s of overhead "
        f"per clip and stage, {cost.overhead_cpu_s_per_clip_stage:.3f} s of CPU; {cost.wall_s:,.0f} s in all "
        f"({cost.cpu_s:,.0f} of CPU), {cost.direct_s:,.0f} s ({cost.direct_cpu_s:,.0f}) without Prefect"
    )
    table = Table(title=title, title_justify="left")
    table.add_column("stage")
    headings = ("runs", "wall s", "work s", "waiting", "starting", "models", "direct s", "overhead a clip", "of CPU")
    for heading in headings:
        table.add_column(heading, justify="right")
    for flow, one in cost.stages.items():
        seconds = (one.wall_s, one.work_s, one.waiting_s, one.starting_s, one.loading_s, one.direct_s)
        overhead = (one.overhead_s_per_clip, one.overhead_cpu_s_per_clip)
        figures = (*(f"{value:.1f}" for value in seconds), *(f"{value:.3f}" for value in overhead))
        table.add_row(flow, str(one.runs), *figures)
    return table
