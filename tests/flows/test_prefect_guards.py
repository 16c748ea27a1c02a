"""What Prefect 3.8 does to runs that have ended, or never began, on a real Prefect server; and that it does no harm."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.exceptions import Abort, ObjectNotFound
from prefect.flows import load_flow_from_entrypoint
from prefect.states import Completed, Crashed, Pending, Running, Scheduled, State
from prefect.utilities.engine import propose_state
from prefect.workers.process import ProcessWorker

from blocks.register import register_all
from blocks.runs import CLAIM_LIMIT, crash_silent_runs
from dashcam.config import Site
from flows.backup import backup
from flows.preemption import Worker
from flows.scan import scan
from flows.setup import project, set_up
from tests.conftest import REPOSITORY

SITE = Site.model_validate({"extra_stores": {"local": "/"}})


async def heavy_run(client: PrefectClient) -> FlowRun:
    """A new run of the heavy stage, without tasks; gives it as a worker that asks for work sees it."""
    try:
        deployment = await client.read_deployment_by_name("heavy/heavy")
    except ObjectNotFound:
        await set_up(SITE)
        deployment = await client.read_deployment_by_name("heavy/heavy")
    return await client.create_flow_run_from_deployment(
        deployment.id, parameters={"task_ids": []}, tags=["dashcam"], state=Scheduled()
    )


def in_prefect(test: Callable[[PrefectClient], Awaitable[None]]) -> None:
    async def run() -> None:
        async with get_client() as client:
            await test(client)

    asyncio.run(run())


async def state_of(client: PrefectClient, run_id: UUID) -> StateType | None:
    return (await client.read_flow_run(run_id)).state_type


def test_a_worker_with_an_old_list_leaves_a_completed_run_completed(prefect: str) -> None:
    async def test(client: PrefectClient) -> None:
        seen = await heavy_run(client)
        await client.set_flow_run_state(seen.id, Completed(), force=True)  # by another worker, meanwhile
        async with Worker("gpu", name="slow-pc") as ours:
            assert await ours._propose_pending_state(seen) is False
        assert await state_of(client, seen.id) is StateType.COMPLETED
        async with ProcessWorker("gpu", name="slow-pc") as theirs:
            assert await theirs._propose_pending_state(seen) is True, "mended in Prefect: our guard can go"

    in_prefect(test)


def test_a_worker_needs_no_folder_that_belongs_to_another_user(
    prefect: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prefect's own makes one in /tmp/runner_storage, which is whoever's was the first there."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    async def test(client: PrefectClient) -> None:
        async with Worker("gpu", name="pc"):
            assert list(tmp_path.iterdir()) == []
        async with ProcessWorker("gpu", name="pc"):
            assert list(tmp_path.iterdir()) != [], "mended in Prefect: our worker can begin as it does"

    in_prefect(test)


def test_a_run_that_nobody_else_has_taken_is_taken(prefect: str) -> None:
    async def test(client: PrefectClient) -> None:
        run = await heavy_run(client)
        async with Worker("gpu", name="pc") as ours:
            assert await ours._propose_pending_state(run) is True
        assert await state_of(client, run.id) is StateType.PENDING

    in_prefect(test)


def test_what_a_worker_says_of_a_process_that_died_after_its_end_changes_nothing(prefect: str) -> None:
    async def test(client: PrefectClient) -> None:
        run = await heavy_run(client)
        await client.set_flow_run_state(run.id, Completed(), force=True)
        with pytest.raises(Abort, match="terminal state"):
            await propose_state(client, Crashed(message="exit code -15"), flow_run_id=run.id)
        assert await state_of(client, run.id) is StateType.COMPLETED

    in_prefect(test)


STOPPED_AT_THE_END = """
import os, signal, sys
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.flow_engine import run_flow
from flows.clips import work_off

@flow
def stage():
    state = work_off([], lambda device: None)
    os.kill(os.getpid(), signal.SIGTERM)
    return state

with get_client(sync_client=True) as client:
    run = client.create_flow_run(stage)
print(run.id, flush=True)
os.environ["PREFECT__FLOW_RUN_ID"] = str(run.id)
run_flow(stage, flow_run=run)
"""


def test_a_run_that_is_stopped_when_its_work_is_over_is_completed(prefect: str, tmp_path: Path) -> None:
    """As a worker stops it that gives way, in the moment before Prefect knows that the run has ended."""
    asyncio.run(register_all(SITE))
    (tmp_path / "devices").mkdir()
    environment = os.environ | {
        "PREFECT_API_URL": prefect,
        "PYTHONPATH": os.pathsep.join((str(REPOSITORY / "lib"), str(REPOSITORY))),
        "DASHCAM_CONFIG": str(tmp_path),
        "DASHCAM_DEVICE": "gpu-pc",
        "DASHCAM_TOKEN": "not used",
        "DASHCAM_SCRATCH": str(tmp_path / "scratch"),
    }
    argv = [sys.executable, "-c", STOPPED_AT_THE_END]
    ended = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=120, check=False)

    async def test(client: PrefectClient) -> None:
        assert await state_of(client, UUID(ended.stdout.strip())) is StateType.COMPLETED, ended.stderr

    in_prefect(test)


@pytest.mark.parametrize(("late", "state"), [(-1, StateType.PENDING), (1, StateType.CRASHED)])
def test_a_run_that_was_claimed_and_never_started_is_dead_by_the_time_of_its_state(
    prefect: str, late: int, state: StateType
) -> None:
    async def test(client: PrefectClient) -> None:
        run = await heavy_run(client)
        await client.set_flow_run_state(run.id, Pending(), force=True)
        claimed = await client.read_flow_run(run.id)
        assert claimed.start_time is None, "Prefect gives it none"
        await crash_silent_runs(client, datetime.now(UTC) + CLAIM_LIMIT + timedelta(seconds=30 * late))
        assert await state_of(client, run.id) is state

    in_prefect(test)


def test_a_scan_is_not_begun_while_another_is_under_way(prefect: str) -> None:
    """Nor are late ones worked off after a night: the first takes the place, and the others are cancelled."""

    async def test(client: PrefectClient) -> None:
        await set_up(SITE)
        deployment = await client.read_deployment_by_name("scan/scan")
        late = [await client.create_flow_run_from_deployment(deployment.id, state=Scheduled()) for _ in range(3)]
        states = [await propose_state(client, Pending(), flow_run_id=run.id) for run in late]
        assert [state.type for state in states] == [StateType.PENDING, StateType.CANCELLED, StateType.CANCELLED]
        await client.set_flow_run_state(late[0].id, Completed(), force=True)
        again = await client.create_flow_run_from_deployment(deployment.id, state=Scheduled())
        assert (await propose_state(client, Pending(), flow_run_id=again.id)).type is StateType.PENDING

    in_prefect(test)


@pytest.mark.parametrize(
    ("run", "called"),
    [
        (partial(scan, folders=["indoor_nas:raw", "local:x"]), "scan of indoor_nas:raw, local:x at "),
        (backup, "backup at "),
    ],
    ids=["scan", "backup"],
)
def test_a_scheduled_run_is_named_after_what_it_does_and_when(
    prefect: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Callable[..., State], called: str
) -> None:
    monkeypatch.setenv("DASHCAM_CONFIG", str(tmp_path))
    monkeypatch.delenv("DASHCAM_TOKEN", raising=False)
    state = run(return_state=True)  # without a token: named all the same
    assert state.is_failed()

    async def test(client: PrefectClient) -> None:
        run = await client.read_flow_run(state.state_details.flow_run_id)  # type: ignore[arg-type]
        assert run.name.startswith(f"{called}{datetime.now():%Y-}")

    in_prefect(test)


def test_whatever_has_a_schedule_names_its_runs() -> None:
    entries = [each["entrypoint"] for each in project()["deployments"] if "schedules" in each]
    assert len(entries) >= 6
    assert [entry for entry in entries if not load_flow_from_entrypoint(entry).flow_run_name] == []


def test_clips_that_come_in_never_stand_behind_housekeeping(prefect: str) -> None:
    """A main server has three runs at once: a long scan, scrubbing and what is late leave one of them free."""

    async def test(client: PrefectClient) -> None:
        await set_up(SITE)

        async def run_of(flow: str, state: State) -> UUID:
            deployment = await client.read_deployment_by_name(f"{flow}/{flow}")
            given = {"task_ids": []} if flow in ("ingest", "finalize") else {}
            run = await client.create_flow_run_from_deployment(
                deployment.id, parameters=given, tags=["test"], state=state
            )
            return run.id

        busy = [await run_of(flow, Scheduled()) for flow in ("scrub", "retention")]
        for run_id in busy:
            await client.set_flow_run_state(run_id, Running(), force=True)
        late, came_in = await run_of("finalize", Scheduled()), await run_of("ingest", Scheduled())
        try:
            soon = datetime.now(UTC) + timedelta(seconds=10)
            given = await client.get_scheduled_flow_runs_for_work_pool("server", scheduled_before=soon)
            ids = {one.flow_run.id for one in given}
            assert came_in in ids and late not in ids
        finally:
            for run_id in (*busy, late, came_in):
                await client.set_flow_run_state(run_id, Completed(), force=True)

    in_prefect(test)
