"""A worker on a real Prefect server runs our flows as they are deployed, and nothing that a run or a deployment brings.

And what it does with runs at its start and when it is stopped is done to its own, and to none that has ended.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx
import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolCreate
from prefect.client.schemas.filters import WorkPoolFilter, WorkPoolFilterName
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.schedules import IntervalSchedule
from prefect.states import Cancelled, Completed, Crashed, Failed, Pending, Running, Scheduled, State

from blocks.device import LocalDevice
from blocks.runs import crash_runs_of, drop_missed_runs
from dashcam.config import DeviceSettings
from dashcam.storage.roots import Stores
from flows.preemption import Worker, give_back
from flows.watch import WorkerWatch

pytestmark = pytest.mark.timeout(240)

T = TypeVar("T")
OURS = "flows.scan.scan"


def ask(question: Callable[[PrefectClient], Awaitable[T]]) -> T:
    async def in_prefect() -> T:
        async with get_client() as client:
            return await question(client)

    return asyncio.run(in_prefect())


@pytest.fixture
def pool(prefect: str) -> str:
    name = f"pool-{uuid4().hex[:8]}"

    async def make(client: PrefectClient) -> str:
        await client.create_work_pool(WorkPoolCreate(name=name, type="process"))
        return name

    return ask(make)


async def offered(client: PrefectClient, pool: str, *, run: dict[str, Any] | None = None, **deployment: Any) -> UUID:
    """The number of a run that waits in the pool."""
    flow_id = await client.create_flow_from_name("scan")
    deployed = await client.create_deployment(
        flow_id, f"d-{uuid4().hex[:8]}", work_pool_name=pool, **{"entrypoint": OURS} | deployment
    )
    made = await client.create_flow_run_from_deployment(deployed, **(run or {}))
    return made.id


def work_once(pool: str, run_id: UUID, folder: Path, scratch: Path | None = None) -> FlowRun:
    """What a worker makes of the run that waits."""

    async def work(client: PrefectClient) -> FlowRun:
        worker = Worker(pool, name="here", environment={"DASHCAM_CONFIG": str(folder)}, scratch=scratch)
        await asyncio.wait_for(worker.start(run_once=True, printer=lambda line: None), 120)
        return await client.read_flow_run(run_id)

    return ask(work)


FOREIGN: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "a run's command": ({"job_variables": {"command": "touch {mark}"}}, {}, "it brings command of its own"),
    "a run's environment": ({"job_variables": {"env": {"BASH_ENV": "{mark}"}}}, {}, "it brings env of its own"),
    "a run's folder": ({"job_variables": {"working_dir": "{folder}"}}, {}, "it brings working_dir of its own"),
    "a deployment's command": ({}, {"job_variables": {"command": "touch {mark}"}}, "brings job variables"),
    "another's flow": ({}, {"entrypoint": "{folder}/evil.py:evil"}, "which is no flow of ours"),
    "another's module": ({}, {"entrypoint": "evil.evil"}, "which is no flow of ours"),
    "another function of ours": ({}, {"entrypoint": "flows.worker.main"}, "which is no flow of ours"),
    "pull steps": (
        {},
        {"pull_steps": [{"prefect.deployments.steps.run_shell_script": {"script": "touch {mark}"}}]},
        "brings pull steps",
    ),
    "a path": ({}, {"path": "{folder}"}, "brings a path"),
}


def filled(value: Any, **words: object) -> Any:
    if isinstance(value, dict):
        return {key: filled(inner, **words) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, **words) for inner in value]
    return value.format(**words) if isinstance(value, str) else value


@pytest.mark.parametrize("what", FOREIGN)
def test_what_is_not_ours_is_refused_with_a_sentence_and_nothing_of_it_is_run(
    pool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    mark = tmp_path / "mark"
    evil = f"from pathlib import Path\nfrom prefect import flow\n@flow\ndef evil():\n    Path({str(mark)!r}).touch()\n"
    (tmp_path / "evil.py").write_text(evil)
    monkeypatch.syspath_prepend(tmp_path)
    run, deployment = (filled(one, mark=mark, folder=tmp_path) for one in FOREIGN[what][:2])
    run_id = ask(lambda client: offered(client, pool, run=run, **deployment))
    done = work_once(pool, run_id, tmp_path)
    assert done.state is not None and done.state.type is StateType.FAILED
    assert "Refused: this worker runs only the flows of dashcam-processor" in str(done.state.message)
    assert FOREIGN[what][2] in str(done.state.message)
    assert not mark.exists()


def test_a_run_of_ours_is_run(pool: str, tmp_path: Path) -> None:
    """By our own command: it comes as far as its settings, which are not there."""
    run_id = ask(lambda client: offered(client, pool))
    done = work_once(pool, run_id, tmp_path)
    assert done.state is not None and done.state.type is StateType.FAILED
    assert "token" in str(done.state.message)


def test_what_a_killed_flow_has_left_in_the_scratch_goes_when_no_flow_runs(pool: str, tmp_path: Path) -> None:
    """Not at the worker's next start alone, which may be a year away."""
    for left in ("clip-1/frame", "undelivered/7.json"):
        (tmp_path / "scratch" / left).parent.mkdir(parents=True)
        (tmp_path / "scratch" / left).write_text("{}")
    run_id = ask(lambda client: offered(client, pool))
    work_once(pool, run_id, tmp_path, tmp_path / "scratch")
    assert [one.name for one in (tmp_path / "scratch").iterdir()] == ["undelivered"]


async def in_state(client: PrefectClient, pool: str, state: State, worker: str, task_ids: list[int]) -> UUID:
    run_id = await offered(client, pool, run={"parameters": {"task_ids": task_ids}, "tags": ["dashcam"]})
    await client.update_flow_run_labels(run_id, {"prefect.worker.name": worker})
    await client.set_flow_run_state(run_id, state, force=True)
    return run_id


async def states(client: PrefectClient, *runs: UUID) -> list[StateType | None]:
    return [(await client.read_flow_run(run)).state_type for run in runs]


def test_a_workers_start_crashes_only_its_own_runs(pool: str) -> None:
    async def all_of_it(client: PrefectClient) -> list[StateType | None]:
        mine = await in_state(client, pool, Running(), "me", [1])
        claimed = await in_state(client, pool, Pending(), "me", [2])
        anothers = await in_state(client, pool, Running(), "somebody", [3])
        waits = await in_state(client, pool, Scheduled(), "me", [4])
        done = await in_state(client, pool, Completed(), "me", [5])
        dead = await crash_runs_of(client, "me", pool)
        assert {run.id for run in dead} == {mine, claimed}
        return await states(client, mine, claimed, anothers, waits, done)

    crashed = StateType.CRASHED
    assert ask(all_of_it) == [crashed, crashed, StateType.RUNNING, StateType.SCHEDULED, StateType.COMPLETED]


@pytest.mark.parametrize("ended", [Completed(), Failed(), Cancelled()], ids=["completed", "failed", "cancelled"])
def test_giving_back_never_schedules_a_run_again_that_has_ended(pool: str, ended: State) -> None:
    async def all_of_it(client: PrefectClient) -> tuple[bool, StateType | None]:
        run = await in_state(client, pool, ended, "me", [1])
        return await give_back(client, run, "paused"), (await client.read_flow_run(run)).state_type

    assert ask(all_of_it) == (False, ended.type)


@pytest.mark.parametrize("cut_off", [Running(), Crashed()], ids=["running", "crashed"])
def test_a_run_that_was_cut_off_is_given_back(pool: str, cut_off: State) -> None:
    async def all_of_it(client: PrefectClient) -> tuple[bool, StateType | None, str]:
        run = await in_state(client, pool, cut_off, "me", [1])
        given = await give_back(client, run, "paused")
        now = (await client.read_flow_run(run)).state
        assert now is not None
        return given, now.type, str(now.message)

    assert ask(all_of_it) == (True, StateType.SCHEDULED, "Given back by its worker: paused")


def test_what_a_schedule_wanted_while_nobody_was_there_is_not_made_up_for(pool: str) -> None:
    """A folder that was down for a night worked off a hundred scans first."""
    now = datetime.now(UTC)

    async def all_of_it(client: PrefectClient) -> tuple[int, set[str]]:
        flow_id = await client.create_flow_from_name("scan")
        every_minute = DeploymentScheduleCreate(schedule=IntervalSchedule(interval=timedelta(minutes=1)))
        deployed = await client.create_deployment(
            flow_id, f"d-{uuid4().hex[:8]}", work_pool_name=pool, entrypoint=OURS, schedules=[every_minute]
        )
        for hours in (-5, -4, -3, -2, 1):
            begin, end = now + timedelta(hours=hours), now + timedelta(hours=hours + 1)
            window = {"start_time": begin.isoformat(), "end_time": end.isoformat(), "max_runs": 1000}
            await client.request("POST", f"/deployments/{deployed}/schedule", json=window)
        asked = Scheduled(scheduled_time=now - timedelta(hours=2))
        persons = await client.create_flow_run_from_deployment(deployed, state=asked)
        dropped = await drop_missed_runs(client, pool, now)
        in_pool = WorkPoolFilter(name=WorkPoolFilterName(any_=[pool]))
        left = await client.read_flow_runs(work_pool_filter=in_pool, limit=200)
        assert persons.id in {run.id for run in left}, "what a person has asked for is done"
        return dropped, {"late" if run.expected_start_time < now else "ahead" for run in left if run.auto_scheduled}

    dropped, left = ask(all_of_it)
    assert dropped > 200, "more than a page of Prefect's"
    assert left == {"ahead"}


def test_no_run_is_taken_before_it_is_known_whether_a_person_has_paused_the_device(pool: str) -> None:
    async def all_of_it(client: PrefectClient) -> StateType | None:
        run_id = await offered(client, pool)
        worker = Worker(pool, name="here")
        async with httpx.AsyncClient(base_url="http://127.0.0.1:9") as nobody:
            device = LocalDevice(DeviceSettings(), Stores({}), "http://127.0.0.1:9", "")
            watch = WorkerWatch(worker, device, pool, nobody)
            await watch.until({asyncio.create_task(worker.start(run_once=True, printer=lambda line: None))})
        return (await client.read_flow_run(run_id)).state_type

    assert ask(all_of_it) is StateType.SCHEDULED
