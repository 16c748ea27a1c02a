"""Prefect as the dispatcher's client meets it, with its runs and their states in memory."""

import asyncio
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
from prefect.client.schemas.filters import FlowRunFilter, WorkPoolFilter
from prefect.client.schemas.objects import FlowRun, Worker, WorkerStatus
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound
from prefect.states import Scheduled, State

from dashcam.tasks.chain import STAGES

MOST = 200


class PrefectInMemory:
    """Keeps Prefect's own rules where the dispatcher leans on them: a known idempotency key gives the old run in
    whatever state it is, a page has at most 200 runs, a start time is set by Running alone and stays."""

    def __init__(self) -> None:
        self.runs: dict[UUID, FlowRun] = {}
        self.deployments = {f"{stage.flow}/{stage.flow}": uuid4() for stage in STAGES.values()}
        self.workers: dict[str, list[Worker]] = {}
        self.heartbeats: set[UUID] = set()
        self.asked: list[str] = []
        self.before_read: list[Any] = []
        """Called, and forgotten, before the next reading of runs: what happens at that moment."""

    # what a test does

    def online(self, pool: str, *names: str) -> None:
        self.workers[pool] = [Worker(name=name, work_pool_id=uuid4(), status=WorkerStatus.ONLINE) for name in names]

    def put(self, run: FlowRun | UUID, state: State, worker: str | None = None) -> FlowRun:
        """The run is in that state now."""
        one = self.runs[run if isinstance(run, UUID) else run.id]
        one.state, one.state_type, one.state_name = state, state.type, state.name
        if state.is_running() and one.start_time is None:
            one.start_time = state.timestamp
        if worker is not None:
            one.labels = {**one.labels, "prefect.worker.name": worker}
        return one

    def made_by_hand(self, flow: str, task_ids: Iterable[int], state: State) -> FlowRun:
        run = FlowRun(
            flow_id=uuid4(),
            deployment_id=self.deployments[f"{flow}/{flow}"],
            parameters={"task_ids": list(task_ids)},
            tags=["dashcam"],
        )
        self.runs[run.id] = run
        return self.put(run, state)

    def live(self) -> list[FlowRun]:
        return [run for run in self.runs.values() if run.state is not None and not run.state.is_final()]

    def given(self) -> list[list[int]]:
        """The tasks of every run ever made, in their order."""
        return [run.parameters["task_ids"] for run in self.runs.values()]

    # what the client asks

    async def read_flow_runs(
        self,
        *,
        flow_run_filter: FlowRunFilter,
        work_pool_filter: WorkPoolFilter | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[FlowRun]:
        self.asked.append("runs")
        for happens in self.before_read:
            await asyncio.to_thread(happens)
        self.before_read.clear()
        found = [run.model_copy(deep=True) for run in self.runs.values() if fits(run, flow_run_filter)]
        return found[offset : offset + min(limit or MOST, MOST)]

    async def create_flow_run_from_deployment(
        self, deployment_id: UUID, *, parameters: dict[str, Any], tags: list[str], name: str, idempotency_key: str
    ) -> FlowRun:
        for run in self.runs.values():
            if run.idempotency_key == idempotency_key:
                return run
        run = FlowRun(
            flow_id=uuid4(),
            deployment_id=deployment_id,
            name=name,
            parameters=json.loads(json.dumps(parameters)),
            tags=tags,
            idempotency_key=idempotency_key,
        )
        self.runs[run.id] = run
        return self.put(run, Scheduled())

    async def read_deployment_by_name(self, name: str) -> DeploymentResponse:
        if name not in self.deployments:
            raise ObjectNotFound(Exception(name))
        return DeploymentResponse(id=self.deployments[name], name=name.split("/")[1], flow_id=uuid4())

    async def read_workers_for_work_pool(self, pool: str) -> list[Worker]:
        return self.workers.get(pool, [])

    async def set_flow_run_state(self, run_id: UUID, state: State, force: bool = False) -> None:
        self.put(run_id, state)

    async def request(self, method: str, path: str, json: dict[str, Any]) -> httpx.Response:
        (resource,) = json["filter"]["resource"]["id"]
        heard = UUID(resource.removeprefix("prefect.flow-run.")) in self.heartbeats
        return httpx.Response(200, json={"events": [{}] if heard else []})


def fits(run: FlowRun, wanted: FlowRunFilter) -> bool:
    ids = wanted.id.any_ if wanted.id else None
    states = wanted.state.type.any_ if wanted.state and wanted.state.type else None
    tags = wanted.tags.all_ if wanted.tags else None
    return (
        (ids is None or run.id in ids)
        and (states is None or run.state_type in states)
        and (tags is None or set(tags) <= set(run.tags))
    )


def ago(state: State, seconds: float) -> State:
    """The state as it was taken on so long ago."""
    state.timestamp = datetime.fromtimestamp(datetime.now(UTC).timestamp() - seconds, UTC)
    return state
