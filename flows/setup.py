"""``python -m flows.setup``: Prefect's work pools, blocks and deployments, from the site's settings; repeatable.

Pools and deployments are those of ``prefect.yaml``, as ``prefect --no-prompt deploy --all`` reads it too.
"""

import asyncio
import hashlib
import os
import sys
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

import httpx
import yaml
from prefect import Flow
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyOptions
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.exceptions import ObjectAlreadyExists
from prefect.flows import load_flow_from_entrypoint
from prefect.settings import get_current_settings
from prefect.utilities.callables import parameter_schema
from prefect.workers.process import ProcessWorker

from blocks.register import register
from blocks.runs import HOUSEKEEPING
from dashcam import config
from dashcam.tasks.silence import PREFECT, why_silent

REPOSITORY = Path(__file__).resolve().parents[1]
ENTRYPOINTS = "flows."
"""How the entrypoints of our deployments begin; others in the same Prefect are left alone."""


async def set_up(site: config.Site) -> None:
    """Make or bring up to date what `PREFECT_API_URL` must know, and remove deployments that are no more.

    To be awaited in any process; safe to repeat and at any time: runs that wait or run are not touched.
    """
    await set_up_stages(site)
    await set_up_housekeeping(site)


def is_housekeeping(deployment: dict[str, Any]) -> bool:
    return HOUSEKEEPING in deployment["tags"]


async def set_up_stages(site: config.Site) -> None:
    """What clips need: pools, blocks and the deployments of the stages."""
    async with get_client() as client:
        for pool in project()["definitions"]["work_pools"].values():
            await make_pool(client, pool)
        await register(site, client)
        for deployment in project()["deployments"]:
            if not is_housekeeping(deployment):
                await deploy(client, deployment, zone_of(site))


async def set_up_housekeeping(site: config.Site) -> None:
    """The other deployments; ours that are no more go."""
    deployments = project()["deployments"]
    named = {(deployment["entrypoint"], deployment["name"]) for deployment in deployments}
    async with get_client() as client:
        for deployment in filter(is_housekeeping, deployments):
            await deploy(client, deployment, zone_of(site))
        for known in await client.read_deployments():
            if (known.entrypoint, known.name) not in named and (known.entrypoint or "").startswith(ENTRYPOINTS):
                await client.delete_deployment(known.id)


class Once:
    """Both, in two steps, unless a file says that just this was done already. Its content is of no other use."""

    def __init__(self, site: config.Site, mark: Path) -> None:
        self.site, self.mark = site, mark
        wanted = (REPOSITORY / "prefect.yaml").read_bytes() + site.model_dump_json().encode() + zone_of(site).encode()
        self.version = hashlib.sha256(wanted).hexdigest()

    @property
    def done(self) -> list[str]:
        version, *steps = self.mark.read_text().split() if self.mark.exists() else [""]
        return steps if version == self.version else []

    async def stages(self) -> None:
        if "stages" not in self.done:
            await set_up_stages(self.site)
            self.mark.write_text(f"{self.version} stages")

    async def housekeeping(self) -> None:
        if "housekeeping" not in self.done:
            await set_up_housekeeping(self.site)
            self.mark.write_text(f"{self.version} stages housekeeping")


def project() -> dict[str, Any]:
    """``prefect.yaml``."""
    read: dict[str, Any] = yaml.safe_load((REPOSITORY / "prefect.yaml").read_text(encoding="utf-8"))
    return read


async def make_missing_pools(client: PrefectClient) -> list[str]:
    """The names of those that Prefect did not have."""
    known = {pool.name for pool in await client.read_work_pools()}
    missing = [pool for pool in project()["definitions"]["work_pools"].values() if pool["name"] not in known]
    for pool in missing:
        await make_pool(client, pool)
    return [pool["name"] for pool in missing]


async def make_pool(client: PrefectClient, pool: dict[str, Any]) -> None:
    """The pool and its queues. One that is there keeps its type, its template and whether it is paused.

    Without a template of jobs the first worker would have to write it, and a device may change no pool.
    """
    name, description = pool["name"], pool["description"]
    template = ProcessWorker.get_default_base_job_template()
    try:
        await client.create_work_pool(
            WorkPoolCreate(name=name, type="process", description=description, base_job_template=template)
        )
    except ObjectAlreadyExists:
        there = (await client.read_work_pool(name)).base_job_template
        change = WorkPoolUpdate(description=description, base_job_template=there or template)
        await client.update_work_pool(name, change)
    for queue in pool.get("queues", []):
        try:
            await client.create_work_queue(**queue, work_pool_name=name)
        except ObjectAlreadyExists:
            known = await client.read_work_queue_by_name(queue["name"], work_pool_name=name)
            changes = {key: value for key, value in queue.items() if getattr(known, key) != value}
            if changes:
                await client.update_work_queue(known.id, **changes)


async def deploy(client: PrefectClient, wanted: dict[str, Any], zone: str) -> UUID:
    """One entry of ``deployments``, with the keys that ours use; what Prefect's own command would make of it."""
    flow: Flow[..., Any] = load_flow_from_entrypoint(wanted["entrypoint"])
    limit = ConcurrencyLimitConfig(**wanted["concurrency_limit"]) if "concurrency_limit" in wanted else None
    return await client.create_deployment(
        flow_id=await client.create_flow_from_name(flow.name),
        name=wanted["name"],
        version=flow.version,
        description=wanted["description"],
        entrypoint=wanted["entrypoint"],
        work_pool_name=wanted["work_pool"]["name"],
        work_queue_name=wanted["work_pool"].get("work_queue_name"),
        tags=wanted["tags"],
        schedules=[DeploymentScheduleCreate(schedule=schedule_of(each, zone)) for each in wanted.get("schedules", [])],
        concurrency_limit=limit.limit if limit else None,
        concurrency_options=ConcurrencyOptions(collision_strategy=limit.collision_strategy) if limit else None,
        parameter_openapi_schema=parameter_schema(flow).model_dump(exclude_unset=True),
        enforce_parameter_schema=True,
        pull_steps=[],
    )


def schedule_of(wanted: dict[str, Any], zone: str) -> CronSchedule | IntervalSchedule:
    """Seconds between two runs, or a line as of cron, by the clocks of ``zone``."""
    return CronSchedule(**wanted, timezone=zone) if "cron" in wanted else IntervalSchedule(**wanted)


def zone_of(site: config.Site) -> str:
    """Nights are those of the site: of its ``server.time_zone``, else of this machine; UTC where neither says."""
    named = site.server.time_zone or os.environ.get("TZ", "").removeprefix(":")
    if not named:
        named = os.path.realpath("/etc/localtime").rpartition("/zoneinfo/")[2]
    return named if named in available_timezones() else "UTC"


def unusable(error: httpx.HTTPError) -> str:
    return why_silent(error, str(get_current_settings().api.url), PREFECT)


def main() -> None:
    try:
        asyncio.run(set_up(config.load_site()))
    except config.ConfigError as error:
        sys.exit(str(error))
    except httpx.HTTPError as error:
        sys.exit(unusable(error))


if __name__ == "__main__":
    main()
