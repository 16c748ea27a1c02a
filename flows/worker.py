"""The worker of one pool on this device: ``python -m flows.worker POOL`` (the command is ``dashcam worker POOL``).

A Prefect process worker, plus two things Prefect leaves out: at its start it declares dead what it was running
before (a power cut leaves such runs Running for ever), and it tells the main server that the device is there.
"""

import argparse
import asyncio
import logging
import os
import shutil
import time

import httpx
from prefect.client.orchestration import get_client
from prefect.settings import get_current_settings
from prefect.utilities.processutils import setup_signal_handlers_worker
from prefect.workers.process import ProcessWorker

from blocks.device import Device, NotSetUp, load_device
from dashcam.tasks.client import MainServer
from flows.stale import crash_runs_of

HEARTBEAT_S = 20
SETUP_POLL_S = 1

log = logging.getLogger("dashcam.worker")


async def work(pool: str, limit: int, device: Device) -> None:
    name = device.settings.hostname
    empty_scratch(device)
    async with get_client() as client:
        for run in await crash_runs_of(client, name, pool):
            log.warning("run %s did not survive; its unfinished clips will be offered again", run.name)
    heartbeats = asyncio.create_task(send_heartbeats(device, pool))
    heartbeat_s = int(get_current_settings().worker.heartbeat_seconds)
    worker = ProcessWorker(work_pool_name=pool, name=name, limit=limit, heartbeat_interval_seconds=heartbeat_s)
    try:
        await worker.start()
    finally:
        heartbeats.cancel()


def this_device() -> Device:
    """Waits for ``dashcam setup``: a worker may be started first, and its start takes as long."""
    told = False
    while True:
        try:
            return load_device()
        except NotSetUp as missing:
            if not told:
                log.warning("waiting: %s", missing)
            told = True
            time.sleep(SETUP_POLL_S)


def empty_scratch(device: Device) -> None:
    """What an interrupted run left is worthless: every stage starts from its inputs."""
    shutil.rmtree(device.settings.scratch, ignore_errors=True)
    device.settings.scratch.mkdir(parents=True, exist_ok=True)


async def send_heartbeats(device: Device, pool: str) -> None:
    server = MainServer(device.server_url, device.token)
    info = {"pool": pool, "cores": os.cpu_count()}
    while True:
        try:
            await asyncio.to_thread(server.heartbeat, device.settings.hostname, device.settings.device_type, info)
        except httpx.HTTPError as error:
            log.debug("heartbeat not delivered: %s", error)
        await asyncio.sleep(HEARTBEAT_S)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pool")
    parser.add_argument("--limit", type=int, default=1, help="flow runs at once on this device")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    setup_signal_handlers_worker(os.getpid(), f"the {arguments.pool} worker", log.info)
    try:
        asyncio.run(work(arguments.pool, arguments.limit, this_device()))
    except KeyboardInterrupt:
        log.info("stopped")


if __name__ == "__main__":
    main()
