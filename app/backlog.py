"""What a backlog costs the main server: ``python -m app.backlog FOLDER PENDING``, a part of ``dashcam bench backlog``.

The real table, dispatcher, API and questions of the pages, on a new SQLite database; only Prefect is a stand-in that
answers at once, because what it costs is measured elsewhere.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any, cast
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State, Worker, WorkerStatus
from prefect.client.schemas.responses import DeploymentResponse
from prefect.states import Completed, Running
from sqlalchemy import Engine, insert

import migrations
from app import api, system
from app.dispatcher import Dispatcher
from app.pages import dashboard, tasks
from dashcam.bench.backlog import Measured
from dashcam.catalog.models import Video
from dashcam.config import Site
from dashcam.database import open_engine, reading, writing
from dashcam.storage.roots import Stores
from dashcam.tasks import table
from dashcam.tasks.chain import POOLS, STAGES
from dashcam.tasks.dispatch import MOST_CLIPS
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import TaskRow

ROUNDS = 15
POLLS = 8
PAGE_POLL_S = 2.0
CHUNK = 10_000
TOKEN = "a token of this benchmark"
BEGAN = datetime(2025, 6, 28, tzinfo=UTC)
"""A year back: what came in later than now would be waited for, and no run be made of it."""
SHARES = {
    TaskType.INGEST_VIDEO: 0.4,
    TaskType.PREPROCESS_VIDEO: 0.1,
    TaskType.HEAVY_PROCESS_VIDEO: 0.4,
    TaskType.ARCHIVE_VIDEO: 0.08,
    TaskType.FINALIZE_VIDEO: 0.02,
}
"""Of the pending tasks: a year of clips was just handed in, and the card is the slowest."""


def fill(engine: Engine, pending: int) -> None:
    """So many clips, each with one pending task and the complete ones before it; some are held or failed before."""
    for start in range(0, pending, CHUNK):
        videos, rows = [], []
        for number in range(start, min(start + CHUNK, pending)):
            video, own = clip(number, number / pending)
            videos.append(video)
            rows += own
        with writing(engine) as session:
            session.execute(insert(Video), videos)
            session.execute(insert(TaskRow), rows)
    with closing(engine.raw_connection()) as raw:  # as a database that has rested: nothing left in the write-ahead log
        raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")


def clip(number: int, place: float) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """``place`` from 0 to 1 says at which stage it waits."""
    at = BEGAN + timedelta(seconds=60 * number)
    video_id, name = f"{number:016x}", f"2026_{number:010d}F.MP4"
    duration_s = None if place < SHARES[TaskType.INGEST_VIDEO] else 60.0
    video = {"video_id": video_id, "name": name, "source": f"indoor_nas:raw/{name}", "created_at": at}
    rows = list(stages_of(place))
    known = {"video_id": video_id, "revision": 1, "created_at": at, "footage_s": duration_s}
    inputs = [{"device": "indoor_nas", "path": f"raw/{name}", "type": "video"}]
    own = [
        known
        | {"task_type": stage, "device_type": STAGES[stage].pool, "inputs": inputs, "state": "complete"}
        | {"completed_at": at, "attempts": 1, "failures": 0, "crashes": 0, "outcome": "processed"}
        | {"last_error": None, "not_before": None, "hold": None}
        for stage in rows
    ]
    own[-1] |= {"state": "pending", "completed_at": None, "attempts": 0, "outcome": None}
    if number % 100 == 1:
        later = datetime.now(UTC) + timedelta(hours=number % 6)
        own[-1] |= {"failures": 2, "attempts": 2, "last_error": "the store is away", "not_before": later}
    elif number % 200 == 2:
        own[-1] |= {"hold": "run heavy was cancelled in Prefect", "attempts": 1}
    elif number % 1000 == 3:
        own[-1] |= {"crashes": 2, "attempts": 2, "failures": 1}
    return video | {"duration_s": duration_s, "start_utc": at if duration_s else None}, own


def stages_of(place: float) -> Iterator[TaskType]:
    """The stages a clip has come to, the last of which is pending."""
    for stage, share in SHARES.items():
        yield stage
        place -= share
        if place < 0:
            return


class NoPrefect:
    """Answers the dispatcher at once: a worker per pool is online, a run lives until it is told to end."""

    def __init__(self) -> None:
        self.deployments = {f"{stage.flow}/{stage.flow}": uuid4() for stage in STAGES.values()}
        self.workers = {pool: [Worker(name=pool, work_pool_id=uuid4(), status=WorkerStatus.ONLINE)] for pool in POOLS}
        self.runs: dict[UUID, FlowRun] = {}

    def end_all(self) -> None:
        for run in self.runs.values():
            run.state = Completed()
            run.state_type = run.state.type

    async def read_flow_runs(self, *, flow_run_filter: Any, limit: int, offset: int = 0) -> list[FlowRun]:
        if flow_run_filter.id is not None:
            return [self.runs[run_id] for run_id in flow_run_filter.id.any_ if run_id in self.runs]
        return [run for run in self.runs.values() if run.state is not None and run.state.is_running()]

    async def create_flow_run_from_deployment(self, deployment: UUID, *, parameters: Any, **_: Any) -> FlowRun:
        state: State = Running()
        run = FlowRun(flow_id=uuid4(), deployment_id=deployment, parameters=parameters, state=state)
        run.state_type = state.type
        self.runs[run.id] = run
        return run

    async def read_deployment_by_name(self, name: str) -> DeploymentResponse:
        return DeploymentResponse(id=self.deployments[name], name=name, flow_id=uuid4(), labels={})

    async def read_workers_for_work_pool(self, pool: str) -> list[Worker]:
        return self.workers[pool]


async def cpu_of(act: Callable[[], Awaitable[Any]]) -> float:
    """CPU seconds of this process, its threads included."""
    began = time.process_time()
    await act()
    return time.process_time() - began


async def rounds(here: system.System) -> tuple[float, float]:
    """Of one that finds every worker at work, and of one in which every run has ended and new ones are made."""
    prefect, dispatcher = NoPrefect(), Dispatcher(here)
    round_of = lambda: dispatcher.round(cast(PrefectClient, prefect))  # noqa: E731
    offering, quiet = [], []
    for _ in range(ROUNDS + 1):
        prefect.end_all()
        offering.append(await cpu_of(round_of))
        quiet.append(await cpu_of(round_of))
    if not all(len(run.parameters["task_ids"]) for run in prefect.runs.values()):
        raise RuntimeError("a run without clips was made")
    return median(quiet[1:]), median(offering[1:])


async def job_polls(here: system.System) -> dict[str, float]:
    """What `dashcam process` asks, with something under way and something changed, and the owner's list."""
    web = FastAPI()
    web.include_router(api.router)
    with reading(here.engine) as session:
        some = table.briefs(session, TaskRow.task_id <= 20 * len(STAGES))[:20]
    for task in some[:4]:
        here.progress.report(task.task_id, 0.5, "gpu-pc")
    headers = {"Authorization": f"Bearer {here.token}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=web), base_url="http://main/api/v1", headers=headers
    ) as client:

        async def changes() -> None:
            at: dict[str, str | int] = {"epoch": here.journal.epoch, "number": here.journal.number}
            here.wake(*(task.video_id for task in some))
            told = (await client.get("/tasks/changes", params=at | {"wait_s": 1})).raise_for_status().json()
            asked = await client.post("/tasks/pending", json={"video_ids": told["video_ids"]})
            if len(asked.raise_for_status().json()) != len(some):
                raise RuntimeError("what changed was not told")

        async def pending() -> None:
            listed = await client.get("/tasks/pending", params={"device_type": "gpu", "limit": 100})
            listed.raise_for_status()

        return {
            "process": median([await cpu_of(changes) for _ in range(ROUNDS)]),
            "pending": median([await cpu_of(pending) for _ in range(ROUNDS)]),
        }


async def page_polls(here: system.System) -> dict[str, float]:
    """What open pages ask every two seconds, on the average: they do not count each time, and have when they opened."""
    looks: dict[str, Callable[[], Awaitable[Any]]] = {
        "dashboard": dashboard.look,
        "tasks": lambda: tasks.look("pending", 1),
        "tasks in trouble": lambda: tasks.look("stuck", 1),
    }
    for look in looks.values():
        await look()
    spent = dict.fromkeys(looks, 0.0)
    for _ in range(POLLS):
        for name, look in looks.items():
            spent[name] += await cpu_of(look)
        here.wake()
        await asyncio.sleep(PAGE_POLL_S)
    return {name: seconds / POLLS for name, seconds in spent.items()}


async def measure(here: system.System, pending: int, filled_s: float) -> Measured:
    quiet, offering = await rounds(here)
    return Measured(
        pending=pending,
        filled_s=filled_s,
        round_cpu_s=quiet,
        offering_round_cpu_s=offering,
        polls=await job_polls(here) | await page_polls(here),
        clips_a_run=MOST_CLIPS,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("pending", type=int)
    asked = parser.parse_args()
    engine = open_engine(f"sqlite:///{asked.folder / f'{asked.pending}.db'}")
    migrations.upgrade(engine)
    began = time.monotonic()
    fill(engine, asked.pending)
    here = system.System(engine, Site(), Stores({}), TOKEN)
    system.start(here)
    print(asyncio.run(measure(here, asked.pending, time.monotonic() - began)).model_dump_json())
    engine.dispose()


if __name__ == "__main__":
    main()
