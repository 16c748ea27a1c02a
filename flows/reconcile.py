"""Every minute, pool server: runs that died without a word become Crashed, so that their tasks are offered again."""

from datetime import UTC, datetime

from prefect import flow, get_run_logger
from prefect.client.orchestration import get_client

from flows.stale import crash_silent_runs


@flow(timeout_seconds=50)
async def reconcile() -> None:
    async with get_client() as client:
        dead = await crash_silent_runs(client, datetime.now(UTC))
    for run in dead:
        get_run_logger().warning("run %s was dead and is now Crashed", run.name)
