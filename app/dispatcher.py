"""The dispatch loop: pending tasks become Prefect flow runs.

The table says what must run, `dashcam.tasks.dispatch` decides what to start, Prefect runs it where a worker is.
A person's acts in the Prefect UI count: a cancelled run's tasks are held until someone says "try again", a paused
pool keeps its run waiting, a retried run holds its tasks while it lives.

A round reads the head of the queue and what runs have, never the queue: 250,000 pending tasks cost it what 25 do.
"""

import asyncio
import logging
import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.exceptions import PrefectException
from prefect.states import Completed
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.outages import PREFECT
from app.system import System
from blocks.runs import TAG, crash_silent_runs, live_runs, runs_by_id
from dashcam.catalog.devices import names_drained
from dashcam.catalog.models import Video
from dashcam.tasks import table
from dashcam.tasks.chain import STAGES
from dashcam.tasks.dispatch import MOST_CLIPS, Offer, key_of, plan
from dashcam.tasks.model import TaskType

PAUSE_S = 0.2
"""What is committed in quick succession is looked at once."""
BUSY_INTERVAL_S = 1.0
IDLE_INTERVAL_S = 15.0
RECONCILE_S = 60.0
GIVING_BACK = timedelta(seconds=60)
MOST_TRIPS, MOST_VIDEOS = 10, 50
"""Of a run, as tags: each of these is in every event of the run too, and Prefect takes no event with more than 100."""
SPENT = timedelta(seconds=60)
"""A claimed run none of whose tasks is pending: so old, nobody starts it any more."""

log = logging.getLogger("dashcam.dispatch")


class Dispatcher:
    def __init__(self, system: System) -> None:
        self.system = system
        self.deployments: dict[str, UUID] = {}
        self.trouble = ""
        self.reconciled = time.monotonic()

    async def run(self) -> None:
        """Until cancelled: a round at each commit, and one now and then in case a commit was missed."""
        while True:
            change = self.system.changes.next()
            try:
                async with get_client() as client:  # kept: making one costs a tenth of a second of CPU
                    await self.rounds(client)
            except Exception as error:  # whatever it is, the next round may be better: without this loop nothing runs
                self.complain(error)
            await self.system.changes.wait(change, BUSY_INTERVAL_S)

    async def rounds(self, client: PrefectClient) -> None:
        """Until Prefect stops answering."""
        while True:
            change = self.system.changes.next()
            with self.system.metrics.rounds.time():
                busy = await self.round(client)
            if time.monotonic() - self.reconciled > RECONCILE_S:
                await self.reconcile(client, datetime.now(UTC))
                self.reconciled = time.monotonic()
            self.trouble = ""
            self.system.outages.note("prefect", None)
            await asyncio.sleep(PAUSE_S)
            await self.system.changes.wait(change, BUSY_INTERVAL_S if busy else IDLE_INTERVAL_S)

    def complain(self, error: Exception) -> None:
        """One line per kind of trouble: the loop goes on, tasks stay pending."""
        self.deployments.clear()  # they may have been made anew meanwhile
        if isinstance(error, httpx.HTTPError | PrefectException):
            self.system.outages.note("prefect", PREFECT)
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
        """Settle what has ended, offer what is free; tells whether anything is pending at all."""
        if not await self.system.ask(table.anything_pending):
            return False
        # before the tasks: what a run completes or fails meanwhile is then not free yet
        live = await live_runs(client)
        await self.settle(client, {str(run.id) for run in live})
        now = datetime.now(UTC)
        if await self.system.ask(partial(table.is_back_in_line, now=now)):
            await self.system.change(partial(table.take_their_places, now=now))
        waiting = await self.system.ask(partial(table.stages_waiting, now=now))
        if waiting:
            await self.offer(client, waiting, live)
        return True

    async def settle(self, client: PrefectClient, live: Collection[str]) -> None:
        """Once for each run that has ended: hold what a person cancelled, count what died or failed without a word."""
        ended = await self.system.ask(table.runs_with_tasks) - set(live)
        if not ended:
            return
        known = await runs_by_id(client, ended)
        # asked after the runs: a worker says that it rests, or is told to, before it stops any
        drained = await self.system.ask(self.read_drained)
        for run_id in sorted(ended):
            run = known.get(run_id)
            if run is None or (run.state is not None and run.state.is_final() and not being_given_back(run, drained)):
                self.system.wake(*await self.system.change(partial(self.note_end, run_id=run_id, run=run)))

    def note_end(self, session: Session, run_id: str, run: FlowRun | None) -> list[str]:
        """Gives the videos that it concerns."""
        tasks = table.tasks_of_run(session, run_id)
        delay = timedelta(seconds=self.system.site.global_.task_retry_delay_seconds)
        settle = partial(table.settle, session, run_id, delay)
        said = run.state.message if run and run.state and run.state.message else "no message"
        if run is not None and run.state_type is StateType.CANCELLED:
            table.hold(session, [task_id for task_id, _ in tasks], f"run {run.name} was cancelled in Prefect")
        elif run is not None and run.state_type is StateType.CRASHED:
            settle(crashed=f"run {run.name} crashed: {said}")
        elif run is not None and run.state_type is StateType.FAILED:
            settle(failed=f"run {run.name} failed: {said}")
        else:
            settle()
        for task_id, _ in tasks:
            self.system.progress.forget(task_id)
        return [video_id for _, video_id in tasks]

    async def offer(self, client: PrefectClient, waiting: Sequence[TaskType], live: Sequence[FlowRun]) -> None:
        drained = await self.system.ask(self.read_drained)
        spent = await self.spent(live)
        held = {task_id for run in live for task_id in task_ids_of(run)}
        busy = await self.system.ask(table.stages_pending)
        for task_type in waiting:
            stage = STAGES[task_type]
            if self.system.shortages.waits(task_type):
                continue
            deployment = await self.deployment(client, stage.flow)
            workers = await client.read_workers_for_work_pool(stage.pool)
            able = sum(worker.status == "ONLINE" and worker.name not in drained for worker in workers)
            at_work = sum(run.deployment_id == deployment and run.id not in spent for run in live)
            room = max(1, able) - at_work
            if room <= 0:
                continue
            free = await self.system.ask(partial(read_free, stage=task_type, room=room, held=held))
            settings = self.system.site.dispatch
            runs = plan(
                [offer_of(task, suspect) for task, suspect in free],
                live_runs=at_work,
                workers=able,
                upstream_busy=not upstream(task_type).isdisjoint(busy),
                linger_s=settings.batch_linger_seconds if stage.urgent else settings.archive_linger_seconds,
                cap_minutes=settings.batch_minutes,
            )
            tasks = {task.task_id: task for task, _ in free}
            for task_ids in runs:
                await self.start(client, deployment, task_type, [tasks[task_id] for task_id in task_ids])

    async def start(
        self, client: PrefectClient, deployment: UUID, task_type: TaskType, tasks: Sequence[table.Waiting]
    ) -> None:
        flow, pool = STAGES[task_type].flow, STAGES[task_type].pool
        task_ids = [task.task_id for task in tasks]
        run = await client.create_flow_run_from_deployment(
            deployment,
            parameters={"task_ids": task_ids},
            tags=[TAG, *await self.system.ask(partial(tags_of, tasks=tasks))],
            name=f"{flow} of {len(tasks)} clip{'s' if len(tasks) > 1 else ''} ({tasks[0].video_id})",
            idempotency_key=key_of(flow, ((task.task_id, task.attempts) for task in tasks)),
        )
        await self.system.change(partial(table.offered, task_ids=task_ids, flow_run_id=str(run.id)))
        self.system.offers[pool].changed()
        log.info("%s: %d task(s) offered as run %s", flow, len(task_ids), run.id)

    async def reconcile(self, client: PrefectClient, now: datetime) -> None:
        """Each minute: runs that died without a word become Crashed, so that their tasks are offered again."""
        spent = await self.spent(await live_runs(client))
        for run_id, since in spent.items():
            if now - since > SPENT:
                state: State = Completed(message="Its clips are through; a worker had moved it back to Pending.")
                await client.set_flow_run_state(run_id, state, force=True)
                log.warning("run %s was complete and is so again", run_id)
        for run in await crash_silent_runs(client, now):
            log.warning("run %s was dead and is now Crashed", run.name)
        await self.system.change(partial(table.shorten_waits, now=now))

    async def spent(self, live: Sequence[FlowRun]) -> dict[UUID, datetime]:
        """Runs that wait to be started although none of their tasks is pending, and since when: a worker of
        Prefect 3.8 may move a completed run back to Pending, where it would stand in the way of the next."""
        claimed = [run for run in live if run.state_type is StateType.PENDING and run.state and task_ids_of(run)]
        if not claimed:
            return {}
        wanted = [task_id for run in claimed for task_id in task_ids_of(run)]
        pending = await self.system.ask(partial(table.pending_among, task_ids=wanted))
        return {run.id: run.state.timestamp for run in claimed if run.state and pending.isdisjoint(task_ids_of(run))}

    def read_drained(self, session: Session) -> set[str]:
        return names_drained(session, datetime.now(UTC))

    async def deployment(self, client: PrefectClient, flow: str) -> UUID:
        if flow not in self.deployments:
            self.deployments[flow] = (await client.read_deployment_by_name(f"{flow}/{flow}")).id
        return self.deployments[flow]


def read_free(session: Session, stage: TaskType, room: int, held: set[int]) -> list[tuple[table.Waiting, bool]]:
    """What ``room`` runs can take at most, and which of it is suspect. Suspects wait until nothing else does.

    ``held`` by live runs is what was retried in Prefect, or offered just before this process died.
    """
    now = datetime.now(UTC)
    found = table.waiting(session, stage, now, room * MOST_CLIPS + len(held))
    free = [(task, False) for task in found if task.task_id not in held]
    if len(free) < room:
        suspects = table.waiting(session, stage, now, room + len(held), suspects=True)
        free += [(task, True) for task in suspects if task.task_id not in held]
    return free


def tags_of(session: Session, tasks: Sequence[table.Waiting]) -> list[str]:
    """By which a person finds the runs of a clip, or of a trip, in Prefect."""
    videos = [task.video_id for task in tasks]
    trips = session.scalars(select(Video.trip).where(Video.video_id.in_(videos), Video.trip.is_not(None)).distinct())
    return [
        *(f"trip:{trip}" for trip in sorted(filter(None, trips))[:MOST_TRIPS]),
        *(f"video:{one}" for one in videos[:MOST_VIDEOS]),
    ]


def offer_of(task: table.Waiting, suspect: bool) -> Offer:
    waited_s = (datetime.now(UTC) - (task.not_before or task.created_at)).total_seconds()
    return Offer(task.task_id, (task.footage_s or 0.0) / 60, waited_s, suspect)


def task_ids_of(run: FlowRun) -> list[int]:
    return list(run.parameters.get("task_ids") or [])


def being_given_back(run: FlowRun, drained: set[str]) -> bool:
    """Its worker has stopped it to give way, and is about to make it Scheduled again."""
    if run.state is None or not run.state.is_crashed() or run.labels.get("prefect.worker.name") not in drained:
        return False
    return datetime.now(UTC) - run.state.timestamp < GIVING_BACK


def upstream(task_type: TaskType) -> set[TaskType]:
    """The stages a clip passes before this one."""
    order = list(STAGES)
    return set(order[: order.index(task_type)])
