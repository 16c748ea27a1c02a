"""A worker that gives way: it stops what it runs within seconds, hands it back to its pool and takes no more.

A run that was stopped is Scheduled again and keeps its tasks, so another worker of the pool may take it up, or this
one later; what it had completed it skips. Nothing has failed, and no attempt is counted.
"""

import asyncio
import contextlib
import logging
from typing import Any
from uuid import UUID

import psutil
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Scheduled
from prefect.utilities.processutils import command_to_string, get_sys_executable
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult

GRACE_S = 3.0
"""From asking a flow to end to ending it; the stage removes its half-written files meanwhile."""
LIMIT_S = 4.5
POLL_S = 0.1

log = logging.getLogger("dashcam.worker")


class LeanJob(ProcessJobConfiguration):
    """Starts a flow's process directly. Prefect would start one before it that prepares a workspace: twice the time."""

    def prepare_for_flow_run(self, *args: Any, **kwargs: Any) -> None:
        self.command = self.command or command_to_string([get_sys_executable(), "-m", "prefect.engine"])
        super().prepare_for_flow_run(*args, **kwargs)


class Worker(ProcessWorker):
    """A process worker of Prefect that can rest."""

    job_configuration = LeanJob

    @classmethod
    def __dispatch_key__(cls) -> str:
        return "process that gives way"  # by "process" Prefect finds its own

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.resting: str | None = None
        """Why it takes no runs; None while it does."""
        self.at_work: set[UUID] = set()

    async def get_and_submit_flow_runs(self) -> list[FlowRun]:
        return [] if self.resting else await super().get_and_submit_flow_runs()

    async def _propose_pending_state(self, flow_run: FlowRun) -> bool:
        """Prefect before 3.9.4 would claim a run from a list that has grown old, and that has ended meanwhile."""
        now = await self.client.read_flow_run(flow_run.id)
        ended = now.state is not None and now.state.is_final()
        return False if ended else await super()._propose_pending_state(flow_run)

    async def run(
        self, flow_run: FlowRun, configuration: ProcessJobConfiguration, task_status: Any = None
    ) -> ProcessWorkerResult:
        if self.resting and await give_back(self.client, flow_run.id, self.resting):  # claimed in the last moment
            if task_status is not None:
                task_status.started(None)
            return ProcessWorkerResult(status_code=0, identifier="")
        self.at_work.add(flow_run.id)
        try:
            result = await super().run(flow_run, configuration, task_status)
            if self.resting and await give_back(self.client, flow_run.id, self.resting):
                result.status_code = 0  # else Prefect would call it Crashed
            return result
        finally:
            self.at_work.discard(flow_run.id)

    async def rest(self) -> None:
        """Stop what is under way (``resting`` says why); returns when it is handed back, after `LIMIT_S` at most."""
        log.info("resting: %s", self.resting)
        loop = asyncio.get_running_loop()
        began = loop.time()
        asked: dict[psutil.Process, list[psutil.Process]] = {}
        while self.at_work and loop.time() - began < LIMIT_S:
            for flow in psutil.Process().children():
                if flow not in asked:
                    asked[flow] = flow.children(recursive=True)
                    with contextlib.suppress(psutil.Error):
                        flow.terminate()  # once: a second signal would cut its clearing up short
            for flow, started in asked.items():
                if loop.time() - began > GRACE_S or not flow.is_running():
                    kill([flow, *started])
            await asyncio.sleep(POLL_S)
        kill([process for flow, started in asked.items() for process in (flow, *started)])


def kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()


async def give_back(client: PrefectClient, run_id: UUID, reason: str) -> bool:
    """Offer a run of ours that was cut off to the pool again; False when it has ended by itself, or holds no tasks."""
    run = await client.read_flow_run(run_id)
    ended = run.state is not None and run.state.is_final() and not run.state.is_crashed()
    if ended or not run.parameters.get("task_ids"):
        return False
    state: State = Scheduled(message=f"Given back by its worker: {reason}")
    await client.set_flow_run_state(run_id, state, force=True)
    return True
