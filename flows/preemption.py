"""A worker that gives way: it stops what it runs within seconds, hands it back to its pool and takes no more.

A run that was stopped is Scheduled again and keeps its tasks, so another worker of the pool may take it up, or this
one later; what it had completed it skips. Nothing has failed, and no attempt is counted.
"""

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import httpx
from prefect import Flow
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State
from prefect.flows import load_flow_from_entrypoint
from prefect.runner._flow_run_executor import FlowRunExecutorContext
from prefect.states import Scheduled
from prefect.workers.base import BaseWorker
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult

from dashcam.embedded.forkserver import ForkServer
from flows import scratch
from flows.ours import Foreign, entrypoint_of, refuse
from flows.starting import Starter

GRACE_S = 3.0
"""From asking a flow to end to ending it; the stage removes its half-written files meanwhile."""
LIMIT_S = 4.5
POLL_S = 0.1

log = logging.getLogger("dashcam.worker")


class Configuration(ProcessJobConfiguration):
    """Nothing of what a run, its deployment or its pool say is used (`flows.ours`), so nothing of it is asked for."""

    @classmethod
    async def resolve_for_flow_run(cls, flow_run: FlowRun, **_: Any) -> Self:
        configuration = cls()
        configuration.prepare_for_flow_run(flow_run)
        return configuration

    @classmethod
    def _base_environment(cls) -> dict[str, str]:
        return {}


class Worker(ProcessWorker):
    """A process worker of Prefect that runs only our flows, in processes forked for it, and that can be drained."""

    job_configuration = Configuration

    @classmethod
    def __dispatch_key__(cls) -> str:
        return "process that gives way"  # by "process" Prefect finds its own

    def __init__(
        self,
        pool: str,
        *,
        forks: ForkServer | None = None,
        environment: Mapping[str, str] | None = None,
        scratch: Path | None = None,
        **options: Any,
    ) -> None:
        """``environment`` is added to this process's own for each flow; without ``forks`` interpreters are started.
        ``scratch`` is emptied whenever none of them runs."""
        super().__init__(work_pool_name=pool, **options)
        self.pool, self.scratch = pool, scratch
        self.forks, self.environment = forks, environment or {}
        self.drained: str | None = None
        """Why it takes no runs; None while it does."""
        self.begun = asyncio.Event()
        """Prefect knows it, and it looks for runs."""
        self.at_work: dict[UUID, Starter] = {}
        self._looking = asyncio.Lock()
        self._wanted = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Without Prefect's runner: it is for runs that bring their code with them, of which there are none here, and
        its folder, /tmp/runner_storage, belongs to whoever was the first of all users of this machine."""
        await BaseWorker.__aenter__(self)
        return self

    async def __aexit__(self, *why: Any) -> None:
        await BaseWorker.__aexit__(self, *why)

    async def _worker_metadata(self) -> None:
        """Which of Prefect's collections are installed, for others to see: finding out imports them all."""

    async def get_and_submit_flow_runs(self) -> list[FlowRun]:
        async with self._looking:  # two answers of Prefect that cross could start a run a second time
            return [] if self.drained else await super().get_and_submit_flow_runs()

    def look_for_runs(self) -> None:
        """Now, and not when it is time again: one was offered, or there is room for one."""
        self._wanted.set()

    async def look_when_told(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self.get_and_submit_flow_runs()
            except httpx.HTTPError as error:
                log.info("Prefect does not answer (%s); it is asked again when it is time", error)

    async def _initialize_after_sync(self) -> None:
        await super()._initialize_after_sync()
        self.begun.set()
        self.look_for_runs()

    def _release_limit_slot(self, flow_run_id: UUID) -> None:
        super()._release_limit_slot(flow_run_id)
        self.look_for_runs()

    async def _propose_pending_state(self, flow_run: FlowRun) -> bool:
        """Prefect before 3.9.4 would claim a run from a list that has grown old, and that has ended meanwhile."""
        now = await self.client.read_flow_run(flow_run.id)
        ended = now.state is not None and now.state.is_final()
        return False if ended else await super()._propose_pending_state(flow_run)

    async def run(
        self, flow_run: FlowRun, configuration: ProcessJobConfiguration, task_status: Any = None
    ) -> ProcessWorkerResult:
        """Of the configuration, which a run and its deployment can change, nothing is used."""
        try:
            entrypoint = await entrypoint_of(self.client, flow_run)
        except Foreign as foreign:
            log.warning("run %s is refused: %s", flow_run.name, foreign)
            await refuse(self.client, flow_run, foreign)
            return nothing_run(task_status)
        if self.drained and await give_back(self.client, flow_run.id, self.drained):  # claimed in the last moment
            return nothing_run(task_status)
        try:
            status = await self.execute(flow_run, entrypoint, task_status)
            if self.drained and await give_back(self.client, flow_run.id, self.drained):
                status = 0  # else Prefect would call it Crashed
            return ProcessWorkerResult(status_code=status, identifier="")
        finally:
            self.at_work.pop(flow_run.id, None)
            if self.scratch is not None and not self.at_work:  # listed before another can begin
                await asyncio.to_thread(scratch.remove, scratch.left_in(self.scratch))

    async def execute(self, flow_run: FlowRun, entrypoint: str, task_status: Any) -> int:
        """The flow's exit status, once it has ended."""

        async def ours(run: FlowRun) -> Flow[..., Any]:
            return load_flow_from_entrypoint(entrypoint)

        async with FlowRunExecutorContext() as context:
            starter = Starter(self.forks, self.environment, entrypoint, context.control_channel)
            self.at_work[flow_run.id] = starter
            executor = context.create_executor(flow_run, starter, resolve_flow=ours, propose_submitting=False)
            running = asyncio.create_task(executor.submit())
            begun = asyncio.create_task(starter.begun.wait())
            await asyncio.wait({running, begun}, return_when=asyncio.FIRST_COMPLETED)
            begun.cancel()
            if task_status is not None:
                task_status.started(starter.pid)
            result = await running
        if result is None or result.status_code is None:
            raise RuntimeError("the flow's process could not be started")
        return result.status_code

    async def drain(self) -> None:
        """Stop what is under way (``drained`` says why); returns when it is handed back, after `LIMIT_S` at most."""
        log.info("%s takes no runs: %s", self.name, self.drained)
        loop = asyncio.get_running_loop()
        began = loop.time()
        asked: set[Starter] = set()
        while self.at_work and loop.time() - began < LIMIT_S:
            for starter in list(self.at_work.values()):
                if starter not in asked:
                    asked.add(starter)
                    starter.terminate()  # once: a second signal would cut its clearing up short
                elif loop.time() - began > GRACE_S:
                    starter.kill()
            await asyncio.sleep(POLL_S)
        for starter in asked:
            starter.kill()


def nothing_run(task_status: Any) -> ProcessWorkerResult:
    if task_status is not None:
        task_status.started(None)
    return ProcessWorkerResult(status_code=0, identifier="")


async def give_back(client: PrefectClient, run_id: UUID, reason: str) -> bool:
    """Offer a run of ours that was cut off to the pool again; False when it has ended by itself, or holds no tasks."""
    run = await client.read_flow_run(run_id)
    ended = run.state is not None and run.state.is_final() and not run.state.is_crashed()
    if ended or not run.parameters.get("task_ids"):
        return False
    state: State = Scheduled(message=f"Given back by its worker: {reason}")
    await client.set_flow_run_state(run_id, state, force=True)
    return True
