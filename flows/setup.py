"""``python -m flows.setup``: Prefect's work pools, blocks and deployments, from the site's settings; repeatable."""

import asyncio
import subprocess
import sys
from pathlib import Path

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists

from blocks.register import register
from dashcam import config
from dashcam.tasks.chain import POOLS

REPOSITORY = Path(__file__).resolve().parents[1]


async def make_pools() -> None:
    async with get_client() as client:
        for pool in POOLS:
            try:
                await client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
            except ObjectAlreadyExists:
                continue


def main() -> None:
    asyncio.run(make_pools())
    register(config.load_site())
    argv = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    sys.exit(subprocess.run(argv, cwd=REPOSITORY, check=False).returncode)


if __name__ == "__main__":
    main()
