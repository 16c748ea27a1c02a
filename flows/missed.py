"""A night that was missed because the machine was off is made up for once, in quiet time: never before a clip.

Prefect's schedules go on from now; what they wanted done meanwhile is dropped at a worker's start (`blocks.runs`).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import State, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule
from prefect.client.schemas.sorting import FlowRunSort
from prefect.states import Scheduled

from blocks.runs import CLAIMED, HOUSEKEEPING, live_runs

POOL = "server"
"""Whose worker sees to it."""
LOOK_S = 300.0
QUIET = timedelta(minutes=15)
"""So long no clip has had a run, or waited in one."""
GRACE = timedelta(hours=2)
"""A run that is late on its way, and the hour that a night has more in autumn."""
BEGUN = (*CLAIMED, StateType.COMPLETED, StateType.FAILED)
"""The states of a run that counts: one that died with the machine does not."""

log = logging.getLogger("dashcam.worker")


async def make_up(
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Once per start of the worker: what was missed is run, one after another, each when it is quiet. Then it ends."""
    busy = clock()
    while True:
        await sleep(LOOK_S)
        try:
            async with get_client() as client:
                now = clock()
                if await live_runs(client):
                    busy = now
                if now - busy < QUIET:
                    continue
                nightly = [one for one in await client.read_deployments() if period(one) is not None]
                if await under_way(client, nightly):
                    continue
                missed = await first_missed(client, nightly, now)
                if missed is None:
                    return
                due: State = Scheduled(scheduled_time=now)
                await client.create_flow_run_from_deployment(missed.id, tags=[HOUSEKEEPING], state=due)
                log.info("%s was missed while this machine was off: it runs now", missed.name)
        except httpx.HTTPError as error:
            log.debug("what was missed is not known yet: %s", error)


def period(deployment: DeploymentResponse) -> timedelta | None:
    """A day or a week, as its schedule is; None for what goes by no clock."""
    for each in deployment.schedules if HOUSEKEEPING in deployment.tags else []:
        if each.active and isinstance(each.schedule, CronSchedule):
            return timedelta(days=1 if each.schedule.cron.split()[-1] == "*" else 7)
    return None


async def first_missed(
    client: PrefectClient, nightly: list[DeploymentResponse], now: datetime
) -> DeploymentResponse | None:
    """One whose last run is longer ago than it may be; a schedule that is younger than that has missed nothing."""
    for deployment in sorted(nightly, key=lambda one: one.name):
        newest = await client.read_flow_runs(
            flow_run_filter=in_state(*BEGUN),
            deployment_filter=only(deployment),
            sort=FlowRunSort.EXPECTED_START_TIME_DESC,
            limit=1,
        )
        since = newest[0].expected_start_time if newest else deployment.created
        if since is not None and now - since > (period(deployment) or timedelta.max - GRACE) + GRACE:
            return deployment
    return None


async def under_way(client: PrefectClient, nightly: list[DeploymentResponse]) -> bool:
    """They come one after another: one of them is at work, or has been asked for."""
    waiting = in_state(*CLAIMED, StateType.SCHEDULED)
    runs = await client.read_flow_runs(flow_run_filter=waiting, deployment_filter=only(*nightly), limit=200)
    return any(not (run.auto_scheduled and run.state_type is StateType.SCHEDULED) for run in runs)


def only(*deployments: DeploymentResponse) -> DeploymentFilter:
    return DeploymentFilter(id=DeploymentFilterId(any_=[one.id for one in deployments]))


def in_state(*states: StateType) -> FlowRunFilter:
    return FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(states))))
