"""Our flow runs as Prefect knows them, and those it believes alive although nothing works on them.

Prefect never finds these out by itself.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.events.filters import EventFilter, EventNameFilter, EventOccurredFilter, EventResourceFilter
from prefect.states import Crashed

TAG, HOUSEKEEPING = "dashcam", "housekeeping"
CLAIMED = (StateType.PENDING, StateType.RUNNING)
LIVE = (StateType.SCHEDULED, *CLAIMED, StateType.PAUSED, StateType.CANCELLING)
PAGE = 200  # Prefect's API returns no more at once
SILENCE = timedelta(seconds=120)  # flows send a heartbeat every 30 s
CLAIM_LIMIT = timedelta(seconds=90)
"""From Pending, claimed by a worker, to Running: what could not be started keeps its clips from others so long."""


async def live_runs(client: PrefectClient) -> list[FlowRun]:
    """Every run of ours that has not ended."""
    runs: list[FlowRun] = []
    while True:
        page = await client.read_flow_runs(flow_run_filter=ours(LIVE), limit=PAGE, offset=len(runs))
        runs += page
        if len(page) < PAGE:
            return runs


async def runs_by_id(client: PrefectClient, run_ids: Iterable[str]) -> dict[str, FlowRun]:
    """Those of them that Prefect knows."""
    ids = sorted(run_ids)
    found: dict[str, FlowRun] = {}
    for start in range(0, len(ids), PAGE):
        wanted = FlowRunFilter(id=FlowRunFilterId(any_=[UUID(one) for one in ids[start : start + PAGE]]))
        found |= {str(run.id): run for run in await client.read_flow_runs(flow_run_filter=wanted, limit=PAGE)}
    return found


async def claimed_runs(client: PrefectClient, pool: str | None = None) -> Sequence[FlowRun]:
    """Our runs in state Pending or Running, in one pool or in all. More than 200 cannot be: a worker holds few."""
    return await client.read_flow_runs(
        flow_run_filter=ours(CLAIMED, HOUSEKEEPING),
        work_pool_filter=None if pool is None else WorkPoolFilter(name=WorkPoolFilterName(any_=[pool])),
        limit=PAGE,
    )


def ours(states: Iterable[StateType], *more_tags: str) -> FlowRunFilter:
    state = FlowRunFilterState(type=FlowRunFilterStateType(any_=list(states)))
    return FlowRunFilter(tags=FlowRunFilterTags(any_=[TAG, *more_tags]), state=state)


async def crash(client: PrefectClient, run: FlowRun, message: str) -> None:
    """Say what happened; the dispatcher then offers the run's unfinished tasks again."""
    await client.set_flow_run_state(run.id, Crashed(message=message), force=True)


async def crash_runs_of(client: PrefectClient, worker: str, pool: str) -> list[FlowRun]:
    """At a worker's start: what it was running before is dead."""
    dead = [run for run in await claimed_runs(client, pool) if run.labels.get("prefect.worker.name") == worker]
    for run in dead:
        await crash(client, run, f"worker {worker} started anew; this run died with the one before")
    return dead


async def drop_missed_runs(client: PrefectClient, pool: str, now: datetime) -> int:
    """At a worker's start: what a schedule wanted done while nobody was there is not made up for. Gives how many."""
    wanted = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])),
        expected_start_time=FlowRunFilterExpectedStartTime(before_=now),
    )
    in_pool = WorkPoolFilter(name=WorkPoolFilterName(any_=[pool]))
    dropped = kept = 0
    while True:
        page = await client.read_flow_runs(flow_run_filter=wanted, work_pool_filter=in_pool, limit=PAGE, offset=kept)
        for run in page:
            if run.auto_scheduled:
                await client.delete_flow_run(run.id)
                dropped += 1
        kept += sum(not run.auto_scheduled for run in page)
        if len(page) < PAGE:
            return dropped


async def crash_silent_runs(client: PrefectClient, now: datetime) -> list[FlowRun]:
    """The safety net: running without a heartbeat, or claimed and never started.

    A run that has not started has no start time, and one that a worker has moved back to Pending keeps its old one:
    only the time of its state says how long it has been so.
    """
    dead = []
    for run in await claimed_runs(client):
        since = run.state.timestamp if run.state else now
        if run.state_type is StateType.PENDING and now - since > CLAIM_LIMIT:
            dead.append((run, f"claimed by a worker but not started within {CLAIM_LIMIT}"))
        elif (
            run.state_type is StateType.RUNNING and now - since > SILENCE and not await has_heartbeat(client, run, now)
        ):
            dead.append((run, f"no heartbeat for {SILENCE}"))
    for run, message in dead:
        await crash(client, run, message)
    return [run for run, _ in dead]


async def has_heartbeat(client: PrefectClient, run: FlowRun, now: datetime) -> bool:
    wanted = EventFilter(
        occurred=EventOccurredFilter(since=(now - SILENCE).astimezone(UTC)),
        event=EventNameFilter(name=["prefect.flow-run.heartbeat"]),
        resource=EventResourceFilter(id=[f"prefect.flow-run.{run.id}"]),
    )
    page = await client.request("POST", "/events/filter", json={"filter": wanted.model_dump(mode="json"), "limit": 1})
    return bool(page.json()["events"])
