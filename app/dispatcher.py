"""The dispatch loop: pending tasks become Prefect flow runs.

The table says what must run, `dashcam.tasks.dispatch` decides what to start, Prefect runs it where a worker is.
A person's acts in the Prefect UI count: a cancelled run's tasks are held until someone says "try again", a paused
pool keeps its run waiting, a retried run holds its tasks while it lives.
"""

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.exceptions import PrefectException
from sqlalchemy.exc import SQLAlchemyError

from app.system import System
from dashcam.catalog import work
from dashcam.catalog.devices import at_rest
from dashcam.database import reading, writing
from dashcam.tasks import table
from dashcam.tasks.chain import STAGES
from dashcam.tasks.dispatch import Offer, plan
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import TaskRow

TAG = "dashcam"
LIVE = [StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.PAUSED, StateType.CANCELLING]
PAGE = 200  # Prefect's API returns no more at once
BUSY_INTERVAL_S = 1.0
IDLE_INTERVAL_S = 15.0
GIVING_BACK = timedelta(seconds=60)

log = logging.getLogger("dashcam.dispatch")

Pending = Sequence[tuple[TaskRow, float | None]]


class Dispatcher:
    def __init__(self, system: System) -> None:
        self.system = system
        self.deployments: dict[str, UUID] = {}
        self.trouble = ""

    async def run(self) -> None:
        """Until cancelled: a round at each commit, and one now and then in case a commit was missed."""
        while True:
            try:
                async with get_client() as client:  # kept: making one costs a tenth of a second of CPU
                    await self.rounds(client)
            except Exception as error:  # whatever it is, the next round may be better: without this loop nothing runs
                self.complain(error)
            await self.system.woken(BUSY_INTERVAL_S)

    async def rounds(self, client: PrefectClient) -> None:
        """Until Prefect stops answering."""
        while True:
            busy = await self.round(client)
            self.trouble = ""
            await self.system.woken(BUSY_INTERVAL_S if busy else IDLE_INTERVAL_S)

    def complain(self, error: Exception) -> None:
        """One line per kind of trouble: the loop goes on, tasks stay pending."""
        if type(error).__name__ != self.trouble:
            self.trouble = type(error).__name__
            if isinstance(error, httpx.HTTPError | PrefectException):
                what, unexpected = f"Prefect at {self.system.site.server.prefect_url} does not answer", None
            elif isinstance(error, SQLAlchemyError):
                what, unexpected = "the database does not answer", None
            else:
                what, unexpected = "nothing can be offered", error
            log.warning("%s (%s: %s); tasks wait", what, type(error).__name__, error, exc_info=unexpected)

    async def round(self, client: PrefectClient) -> bool:
        """Offer what is free; tells whether anything is pending at all."""
        pending = await asyncio.to_thread(self.read_pending)
        if not pending:
            return False
        live = await live_runs(client)
        held = {task_id for run in live for task_id in run.parameters.get("task_ids", [])}
        unheld = [pair for pair in pending if pair[0].task_id not in held]
        free = await self.without_ended(client, unheld)
        resting = await asyncio.to_thread(self.read_at_rest) if free else set()
        for task_type in STAGES:
            await self.offer(client, task_type, pending, free, live, resting)
        return True

    def read_at_rest(self) -> set[str]:
        with reading(self.system.engine) as session:
            return at_rest(session, datetime.now(UTC))

    def read_pending(self) -> Pending:
        with reading(self.system.engine) as session:
            return work.pending_rows(session)

    async def without_ended(self, client: PrefectClient, free: Pending) -> Pending:
        """Settle tasks whose last run has ended without them: hold those a person cancelled, delay repeated crashes and
        what a run did not even come to."""
        ended = await runs_by_id(client, {row.flow_run_id for row, _ in free if row.flow_run_id})
        # asked after the runs: a worker says that it rests, or is told to, before it stops any
        resting = await asyncio.to_thread(self.read_at_rest) if ended else set()
        ready: list[tuple[TaskRow, float | None]] = []
        for row, duration in free:
            run = ended.get(row.flow_run_id or "")
            if run is not None and being_given_back(run, resting):
                continue
            if run is not None and run.state_type is StateType.CANCELLED:
                await asyncio.to_thread(self.hold, row, f"run {run.name} was cancelled in Prefect")
            elif run is not None and ended_without_a_word(row, run):
                said = run.state.message if run.state and run.state.message else "no message"
                how = "crashed" if run.state_type is StateType.CRASHED else "failed"
                await asyncio.to_thread(self.count_failure, row, f"run {run.name} {how}: {said}")
            elif row.hold is None and (row.not_before is None or row.not_before <= datetime.now(UTC)):
                ready.append((row, duration))
        return ready

    def hold(self, row: TaskRow, reason: str) -> None:
        with writing(self.system.engine) as session:
            table.hold(session, [row.task_id], reason)

    def count_failure(self, row: TaskRow, reason: str) -> None:
        delay = timedelta(seconds=self.system.site.global_.task_retry_delay_seconds)
        with writing(self.system.engine) as session:
            table.fail(session, row.task_id, reason, delay)

    async def offer(
        self,
        client: PrefectClient,
        task_type: TaskType,
        pending: Pending,
        free: Pending,
        live: Sequence[FlowRun],
        resting: set[str],
    ) -> None:
        stage = STAGES[task_type]
        mine = {row.task_id: row for row, _ in free if row.task_type == task_type}
        if not mine:
            return
        deployment = await self.deployment(client, stage.flow)
        workers = await client.read_workers_for_work_pool(stage.pool)
        now = datetime.now(UTC)
        settings = self.system.site.dispatch
        runs = plan(
            [
                Offer(
                    row.task_id,
                    (duration or 0.0) / 60,
                    (now - (row.not_before or row.created_at)).total_seconds(),
                    suspect=row.attempts > max(1, row.failures),
                )
                for row, duration in free
                if row.task_id in mine
            ],
            live_runs=sum(run.deployment_id == deployment for run in live),
            workers=sum(worker.status == "ONLINE" and worker.name not in resting for worker in workers),
            upstream_busy=any(TaskType(row.task_type) in upstream(task_type) for row, _ in pending),
            linger_s=settings.batch_linger_seconds if stage.urgent else settings.archive_linger_seconds,
            cap_minutes=settings.batch_minutes,
        )
        for task_ids in runs:
            await self.start(client, deployment, stage.flow, [mine[task_id] for task_id in task_ids])

    async def start(self, client: PrefectClient, deployment: UUID, flow: str, rows: Sequence[TaskRow]) -> None:
        task_ids = [row.task_id for row in rows]
        # attempts makes the key new for every offer: Prefect returns the old run, crashed or not, for a key it knows
        key = ",".join(f"{row.task_id}:{row.attempts}" for row in rows)
        run = await client.create_flow_run_from_deployment(
            deployment,
            parameters={"task_ids": task_ids},
            tags=[TAG],
            name=f"{flow} of {len(rows)} clip{'s' if len(rows) > 1 else ''} ({rows[0].video_id})",
            idempotency_key=f"{flow}:{hashlib.sha256(key.encode()).hexdigest()}",
        )
        await asyncio.to_thread(self.note_offer, task_ids, str(run.id))
        log.info("%s: %d task(s) offered as run %s", flow, len(task_ids), run.id)

    def note_offer(self, task_ids: Sequence[int], flow_run_id: str) -> None:
        with writing(self.system.engine) as session:
            table.offered(session, task_ids, flow_run_id)

    async def deployment(self, client: PrefectClient, flow: str) -> UUID:
        if flow not in self.deployments:
            self.deployments[flow] = (await client.read_deployment_by_name(f"{flow}/{flow}")).id
        return self.deployments[flow]


def being_given_back(run: FlowRun, resting: set[str]) -> bool:
    """Its worker has stopped it to give way, and is about to make it Scheduled again."""
    if run.state is None or not run.state.is_crashed() or run.labels.get("prefect.worker.name") not in resting:
        return False
    return datetime.now(UTC) - run.state.timestamp < GIVING_BACK


def ended_without_a_word(row: TaskRow, run: FlowRun) -> bool:
    """Whether the task's run has ended in a way that counts as its failure, which nobody has counted yet.

    The first crash is retried at once (a power cut is nobody's fault); later ones count. A run that failed has said so
    of this task when it waits until a time after the run's start.
    """
    if run.state_type is StateType.CRASHED:
        return row.attempts > row.failures + 1
    told = row.not_before is not None and run.start_time is not None and row.not_before > run.start_time
    return run.state_type is StateType.FAILED and not told


def upstream(task_type: TaskType) -> set[TaskType]:
    """The stages a clip passes before this one."""
    order = list(STAGES)
    return set(order[: order.index(task_type)])


async def live_runs(client: PrefectClient) -> list[FlowRun]:
    """Every run of ours that has not ended."""
    wanted = FlowRunFilter(
        tags=FlowRunFilterTags(all_=[TAG]), state=FlowRunFilterState(type=FlowRunFilterStateType(any_=LIVE))
    )
    runs: list[FlowRun] = []
    while True:
        page = await client.read_flow_runs(flow_run_filter=wanted, limit=PAGE, offset=len(runs))
        runs += page
        if len(page) < PAGE:
            return runs


async def runs_by_id(client: PrefectClient, run_ids: set[str]) -> dict[str, FlowRun]:
    ids = sorted(run_ids)
    found: dict[str, FlowRun] = {}
    for start in range(0, len(ids), PAGE):
        wanted = FlowRunFilter(id=FlowRunFilterId(any_=[UUID(one) for one in ids[start : start + PAGE]]))
        found |= {str(run.id): run for run in await client.read_flow_runs(flow_run_filter=wanted, limit=PAGE)}
    return found
