"""Pools and deployments on a real Prefect server: ``dashcam setup`` and Prefect's own command."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate

from dashcam.config import Site
from dashcam.tasks.chain import POOLS, STAGES
from flows import plugin
from flows.setup import Once, set_up
from tests.conftest import REPOSITORY

SITE = Site.model_validate({"extra_stores": {"local": "/"}})

Deployments = dict[str, dict[str, Any]]


async def cleared(client: PrefectClient) -> None:
    for deployment in await client.read_deployments():
        await client.delete_deployment(deployment.id)
    for pool in await client.read_work_pools():
        await client.delete_work_pool(pool.name)


async def deployments(client: PrefectClient) -> Deployments:
    """What they are made of, without numbers and times of their own, nor the version: in a checkout Prefect's own
    command names the commit."""
    found = {}
    own = {"id", "created", "updated", "schedules", "labels", "last_polled", "version"}
    for one in await client.read_deployments():
        kept = one.model_dump(mode="json", exclude=own)
        kept["schedules"] = [
            (getattr(each.schedule, "interval", None), getattr(each.schedule, "cron", None)) for each in one.schedules
        ]
        kept["global_concurrency_limit"] = limit.limit if (limit := one.global_concurrency_limit) else None
        found[one.name] = {key: value for key, value in kept.items() if key not in ("status", "concurrency_limit_id")}
    return found


def deploy_all(url: str) -> subprocess.CompletedProcess[str]:
    """``prefect --no-prompt deploy --all``, as a person types it in the repository."""
    paths = os.pathsep.join((str(REPOSITORY / "lib"), str(REPOSITORY)))
    environment = os.environ | {"PREFECT_API_URL": url, "PYTHONPATH": paths, "COLUMNS": "500"}
    argv = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    return subprocess.run(
        argv, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_setup_and_prefects_own_command_make_the_same_deployments(prefect: str) -> None:
    async def by_setup() -> Deployments:
        async with get_client() as client:
            await cleared(client)
            await set_up(SITE)
            made = await deployments(client)
            for deployment in await client.read_deployments():
                await client.delete_deployment(deployment.id)
            return made

    async def as_they_are() -> Deployments:
        async with get_client() as client:
            return await deployments(client)

    made = asyncio.run(by_setup())
    assert {stage.flow for stage in STAGES.values()} < set(made)
    assert made["scan"]["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    ended = deploy_all(prefect)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert asyncio.run(as_they_are()) == made


def test_on_a_new_server_prefects_own_command_makes_the_pools_first(prefect: str) -> None:
    async def new_server() -> None:
        async with get_client() as client:
            await cleared(client)

    async def pools_and_deployments() -> tuple[set[str], Deployments]:
        async with get_client() as client:
            return {pool.name for pool in await client.read_work_pools()}, await deployments(client)

    asyncio.run(new_server())
    ended = deploy_all(prefect)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Made the work pools that Prefect did not have: server, jetson, gpu, nas." in ended.stdout
    pools, made = asyncio.run(pools_and_deployments())
    assert pools == set(POOLS)
    assert {stage.flow for stage in STAGES.values()} < set(made)


def test_the_embedded_system_deploys_for_its_clips_first_and_each_once(prefect: str, tmp_path: Path) -> None:
    stages = {stage.flow for stage in STAGES.values()}

    async def made() -> set[str]:
        async with get_client() as client:
            return set(await deployments(client))

    async def in_steps() -> None:
        async with get_client() as client:
            await cleared(client)
        await Once(SITE, tmp_path / "deployed").stages()
        assert await made() == stages
        await Once(SITE, tmp_path / "deployed").housekeeping()
        assert {"scan", "retention", "sweep", "backup", "scrub", "maintenance"} == await made() - stages
        async with get_client() as client:
            await cleared(client)
        again = Once(SITE, tmp_path / "deployed")
        await again.stages()
        await again.housekeeping()
        assert not await made(), "the file says that it was done"
        await Once(SITE.model_copy(update={"extra_stores": {"other": "/"}}), tmp_path / "deployed").stages()
        assert await made() == stages, "other settings, other blocks"

    asyncio.run(in_steps())


@pytest.mark.parametrize(
    ("argv", "makes"),
    [
        (["/venv/bin/python", "/venv/bin/prefect", "--no-prompt", "deploy", "--all"], True),
        (["python", "-m", "prefect", "deploy"], True),
        (["C:/venv/python.exe", "C:/venv/Scripts/prefect.exe", "deploy", "--all"], True),
        (["/venv/bin/python", "/venv/bin/prefect", "deployment", "run", "heavy/heavy"], False),
        (["/venv/bin/python", "-m", "pytest", "deploy", "prefect"], False),
        (["/venv/bin/python", "/venv/bin/dashcam", "process", "deploy"], False),
    ],
)
def test_pools_are_made_by_the_command_that_deploys_and_by_no_other(argv: list[str], makes: bool) -> None:
    assert plugin.deploys(argv) is makes


def test_without_a_prefect_its_own_command_ends_in_one_sentence() -> None:
    ended = deploy_all("http://127.0.0.1:9/api")
    assert ended.returncode == 1
    assert ended.stderr.startswith("Prefect at http://127.0.0.1:9/api does not run: nothing listens there.")
    assert ended.stderr.count("\n") == 1 and not ended.stdout


def test_setup_may_be_repeated_and_keeps_what_a_person_has_set(prefect: str) -> None:
    async def repeated() -> None:
        async with get_client() as client:
            await cleared(client)
            await client.create_work_pool(WorkPoolCreate(name="gpu", type="docker"))
            await set_up(SITE)
            before = await deployments(client)
            (scan,) = [one for one in await client.read_deployments() if one.name == "scan"]
            foreign = await client.create_flow_from_name("a-flow-of-their-own")
            theirs = await client.create_deployment(foreign, "theirs", entrypoint="their.flow", work_pool_name="server")
            await client.create_deployment(scan.flow_id, "gone", entrypoint="flows.gone.gone", work_pool_name="server")
            await client.update_work_pool("jetson", WorkPoolUpdate(is_paused=True))
            queue = await client.read_work_queue_by_name("housekeeping", work_pool_name="server")
            await client.update_work_queue(queue.id, priority=1)

            await set_up(SITE)
            after = await deployments(client)
            assert after.pop("theirs")
            await client.delete_deployment(theirs)
            assert after == before, "what is no more has gone, the rest is as it was"
            pools = {pool.name: pool for pool in await client.read_work_pools()}
            assert (pools["gpu"].type, pools["server"].type) == ("docker", "process")
            assert pools["jetson"].is_paused
            queues = await client.read_work_queues(work_pool_name="server")
            priorities = {one.name: one.priority for one in queues}
            assert priorities["housekeeping"] > priorities["default"]

    asyncio.run(repeated())


def test_every_pool_and_deployment_says_what_it_is_for(prefect: str) -> None:
    async def described() -> dict[str, str | None]:
        async with get_client() as client:
            await cleared(client)
            await set_up(SITE)
            pools = {f"pool {one.name}": one.description for one in await client.read_work_pools()}
            return pools | {one.name: one.description for one in await client.read_deployments()}

    told = asyncio.run(described())
    assert {f"pool {name}" for name in POOLS} < set(told)
    assert all(told.values()), told
