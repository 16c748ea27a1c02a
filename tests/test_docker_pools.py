"""Pools of type docker, as deploy/docker describes them: made and deployed to on a real Prefect server.

No container runs here; what Docker would be asked for is built by Prefect's worker and checked by Docker's client.
"""

import asyncio
import os
import subprocess
import sys
from typing import Any

import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.states import Scheduled

from flows.setup import set_up
from tests.conftest import REPOSITORY
from tests.test_setup import SITE, cleared

worker = pytest.importorskip("prefect_docker.worker", reason="pip install 'dashcam-processor[docker]'")
containers = pytest.importorskip("docker.models.containers")

FLOWS = {"gpu": "heavy", "jetson": "preprocess"}


async def asked_for(client: PrefectClient, pool: str) -> dict[str, Any]:
    """What Docker is asked for when a run of this pool starts."""
    deployment = await client.read_deployment_by_name(f"{FLOWS[pool]}/{FLOWS[pool]}")
    assert deployment.work_pool_name == pool
    run: FlowRun = await client.create_flow_run_from_deployment(
        deployment.id, parameters={"task_ids": []}, tags=["test"], state=Scheduled()
    )
    template = (await client.read_work_pool(pool)).base_job_template
    configuration = await worker.DockerWorkerJobConfiguration.from_template_and_values(
        template, values={"command": "touch /tmp/hole"}
    )
    configuration.prepare_for_flow_run(run, deployment)
    configuration.env["PREFECT_API_URL"] = "http://main-server:4200/api"
    assert configuration.image_pull_policy == "Never"
    settings = worker.DockerWorker._build_container_settings(None, None, configuration)
    return dict(containers._create_container_args(settings | {"version": "1.43"}))


def test_pools_of_type_docker_are_made_and_deployed_to(prefect: str) -> None:
    async def made() -> dict[str, dict[str, Any]]:
        async with get_client() as client:
            await cleared(client)
            for pool in FLOWS:
                argv = ["work-pool", "create", pool, "--type", "docker"]
                template = REPOSITORY / "deploy" / "docker" / f"{pool}.json"
                subprocess.run(
                    [sys.executable, "-m", "prefect", *argv, "--base-job-template", str(template)],
                    env=os.environ | {"PREFECT_API_URL": prefect},
                    check=True,
                    capture_output=True,
                    timeout=120,
                )
            await set_up(SITE)
            pools = {pool.name: pool.type for pool in await client.read_work_pools()}
            assert {pool: pools[pool] for pool in FLOWS} == {"gpu": "docker", "jetson": "docker"}
            assert pools["server"] == "process"
            return {pool: await asked_for(client, pool) for pool in FLOWS}

    asked = asyncio.run(made())
    for pool, container in asked.items():
        assert container["image"] == f"dashcam-{pool}:latest"
        assert container["entrypoint"] == ["tini", "--"]
        assert container["command"] == "python -m prefect.engine"
        assert container["environment"]["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] == "30"
        assert container["environment"]["PREFECT__FLOW_RUN_ID"]
        assert "/etc/dashcam-processor:/etc/dashcam-processor:ro" in container["host_config"]["Binds"]
    assert asked["gpu"]["host_config"]["DeviceRequests"][0]["Capabilities"] == [["gpu", "compute", "utility", "video"]]
    assert asked["jetson"]["host_config"]["DeviceCgroupRules"] == ["c 189:* rmw"]
