"""A night without power is made up for, once and in quiet time, on a real Prefect server."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.schedules import CronSchedule
from prefect.states import Completed, Crashed, Running, Scheduled, State

from blocks.runs import live_runs
from dashcam.config import Site
from flows import missed
from flows.missed import QUIET, make_up
from flows.setup import schedule_of, set_up, zone_of

NIGHTLY = {"backup", "retention", "scrub", "sweep"}


class Enough(Exception):
    """The test has seen what it wanted to."""


class Night:
    """Time passes as the loop sleeps; what it has asked for ends in ``ending`` at the next look."""

    def __init__(self, ahead: timedelta, looks: int = 60, ending: State | None = None) -> None:
        self.at, self.looks, self.ending = datetime.now(UTC) + ahead, looks, ending or Completed()
        self.made: list[tuple[str, datetime]] = []

    def clock(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.looks -= 1
        async with get_client() as client:
            for run in await asked_for(client):
                assert run.deployment_id is not None
                self.made.append(((await client.read_deployment(run.deployment_id)).name, self.at))
                await client.set_flow_run_state(run.id, self.ending, force=True)
        if not self.looks:
            raise Enough

    def pass_by(self) -> list[str]:
        """The flows that were made up for, in order; it ended by itself."""
        asyncio.run(make_up(self.clock, self.sleep))
        return [name for name, _ in self.made]


async def asked_for(client: PrefectClient) -> list[FlowRun]:
    runs = await client.read_flow_runs(limit=200)
    return [run for run in runs if run.state_type is StateType.SCHEDULED and not run.auto_scheduled]


@pytest.fixture
def deployed(prefect: str) -> None:
    async def anew() -> None:
        async with get_client() as client:
            for deployment in await client.read_deployments():
                await client.delete_deployment(deployment.id)
            for run in await client.read_flow_runs(limit=200):
                await client.delete_flow_run(run.id)
        await set_up(Site.model_validate({"extra_stores": {"local": "/"}}))

    asyncio.run(anew())


def test_a_new_site_has_missed_nothing(deployed: None) -> None:
    assert Night(timedelta(0)).pass_by() == []
    assert Night(timedelta(hours=25)).pass_by() == []


def test_each_nightly_flow_that_was_missed_is_run_once_and_one_after_another(deployed: None) -> None:
    night = Night(timedelta(days=3))
    assert night.pass_by() == sorted(NIGHTLY), "a week has not passed"
    assert len({at for _, at in night.made}) == len(NIGHTLY)
    assert Night(night.at + timedelta(hours=20) - datetime.now(UTC)).pass_by() == [], "the next night is to come"
    weeks = Night(timedelta(days=11))
    assert set(weeks.pass_by()) == NIGHTLY | {"maintenance"}


def test_a_run_that_died_with_the_machine_does_not_count(deployed: None) -> None:
    night = Night(timedelta(days=3), looks=8, ending=Crashed())
    with pytest.raises(Enough):
        night.pass_by()
    assert {name for name, _ in night.made} == {"backup"} and len(night.made) > 1


def test_nothing_is_made_up_for_while_clips_are_worked_on_and_for_a_while_after(deployed: None) -> None:
    async def heavy(*states: State) -> None:
        async with get_client() as client:
            deployment = await client.read_deployment_by_name("heavy/heavy")
            for run in await live_runs(client):
                await client.set_flow_run_state(run.id, states[0], force=True)
            if len(states) > 1:
                run = await client.create_flow_run_from_deployment(
                    deployment.id, parameters={"task_ids": []}, tags=["dashcam"], state=states[0]
                )
                await client.set_flow_run_state(run.id, states[1], force=True)

    asyncio.run(heavy(Scheduled(), Running()))
    busy = Night(timedelta(days=3), looks=8)
    with pytest.raises(Enough):
        busy.pass_by()
    assert busy.made == []
    asyncio.run(heavy(Completed()))
    quiet = Night(timedelta(days=3))
    began = quiet.at
    assert quiet.pass_by() == sorted(NIGHTLY)
    assert quiet.made[0][1] - began >= QUIET


def test_nights_are_those_of_the_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert zone_of(Site()) == "Asia/Tokyo"
    assert zone_of(Site.model_validate({"server": {"time_zone": "Europe/Amsterdam"}})) == "Europe/Amsterdam"
    schedule = schedule_of({"cron": "40 2 * * *"}, "Europe/Amsterdam")
    assert isinstance(schedule, CronSchedule) and schedule.timezone == "Europe/Amsterdam"
    monkeypatch.setenv("TZ", "CET-1CEST")  # POSIX's own form, which is no name of a zone
    assert zone_of(Site()) == "UTC"
    assert missed.LOOK_S > 0
