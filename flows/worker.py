"""The worker of one pool on this device: ``python -m flows.worker POOL`` (the command is ``dashcam worker POOL``).

A Prefect process worker, plus what Prefect leaves out: at its start it declares dead what it was running before (a
power cut leaves such runs Running for ever), it tells the main server that the device is there, and it gives way: when
a person pauses the device, when its own rule says so, and when it is stopped (`flows.preemption`).
"""

import argparse
import asyncio
import contextlib
import logging
import os
import shutil
import signal
import sys
import time
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx
from prefect.client.orchestration import get_client
from prefect.settings import get_current_settings

from blocks.device import LocalDevice, NotSetUp, load_device
from blocks.runs import crash_runs_of
from dashcam.config import ConfigError
from dashcam.device.availability import Rule, meters_of
from flows.preemption import Worker

HEARTBEAT_S = 20.0
LOOK_S = 1.0
PATIENCE_S = 2.0
SETUP_POLL_S = 1

log = logging.getLogger("dashcam.worker")


async def work(pool: str, limit: int, device: LocalDevice) -> None:
    """Until SIGTERM or Ctrl-C; then what is under way is given back."""
    name = device.settings.hostname
    stopped = told_to_stop()
    empty_scratch(device)
    async with get_client() as client:
        for run in await crash_runs_of(client, name, pool):
            log.warning("run %s did not survive; its unfinished clips will be offered again", run.name)
    heartbeat_s = int(get_current_settings().worker.heartbeat_seconds)
    worker = Worker(work_pool_name=pool, name=name, limit=limit, heartbeat_interval_seconds=heartbeat_s)
    async with server_of(device) as http:
        watch = Watch(worker, device, pool, http)
        running = asyncio.create_task(worker.start())
        try:
            await watch.until({running, asyncio.create_task(stopped.wait())})
        finally:
            if not running.done():
                worker.resting = "the worker was stopped" if stopped.is_set() else "the worker failed"
                await watch.rest()
                running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def server_of(device: LocalDevice) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {device.token}"}
    return httpx.AsyncClient(base_url=f"{device.server_url}/api/v1", headers=headers, timeout=5)


def told_to_stop() -> asyncio.Event:
    """Set by the first SIGTERM or Ctrl-C; the second ends this process at once."""
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()

    def stop(signum: int, frame: object) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_DFL)
        loop.call_soon_threadsafe(stopped.set)

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, stop)
    return stopped


class Watch:
    """Whether the device may work, asked of a person (through the main server) and of its own rule; and heartbeats."""

    def __init__(self, worker: Worker, device: LocalDevice, pool: str, http: httpx.AsyncClient) -> None:
        self.worker, self.settings, self.http = worker, device.settings, http
        self.info = {"pool": pool, "cores": os.cpu_count()}
        available = device.settings.availability
        self.rule = Rule(available, meters_of(available, device.settings.gpu.device_id if device.settings.gpu else 0))
        self.person: str | None = "the main server has not answered yet"
        self.changed = asyncio.Event()
        worker.resting = self.person

    async def until(self, ends: set[asyncio.Task[Any]]) -> None:
        """Lets the worker rest when it should, until one of these has ended. Raises what ended the watch before that:
        a worker that nobody can pause any more must not go on."""
        tasks = [asyncio.create_task(one) for one in (self.listen(), self.look(), self.report())]
        try:
            await asyncio.wait({*ends, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for one in ended:
            if isinstance(one, Exception):
                raise one

    async def listen(self) -> None:
        """Hear at once when a person pauses or resumes the device: the answer waits on the server until then."""
        known, told = None, False
        while True:
            asked = {"wait_s": 0 if known is None else HEARTBEAT_S} | ({} if known is None else {"known": known})
            try:
                path = f"/devices/{quote(self.settings.hostname, safe='')}/pause"
                answer = await self.http.get(path, params=asked, timeout=HEARTBEAT_S + 10)
                pause = answer.raise_for_status().json()
            except (httpx.HTTPError, ValueError) as error:
                log.log(logging.DEBUG if told else logging.WARNING, "the main server does not answer: %s", error)
                told = True
                await asyncio.sleep(PATIENCE_S)
                continue
            known = bool(pause["paused"])
            until = datetime.fromisoformat(pause["until"]).astimezone() if pause["until"] else None
            self.person = None if not known else f"paused until {until:%Y-%m-%d %H:%M}" if until else "paused"
            self.changed.set()

    async def look(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.changed.wait(), LOOK_S)
            self.changed.clear()
            against = self.rule.against(datetime.now(), time.monotonic(), bool(self.worker.at_work))
            reason = self.person or against
            rested, self.worker.resting = self.worker.resting, reason
            if (reason is None) == (rested is None):
                continue
            if reason is None:
                log.info("working again")
                await self.beat()
            else:
                await self.rest()

    async def rest(self) -> None:
        """Told first: the dispatcher then knows that what ends now is given back."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.beat(), 1)
        await self.worker.rest()
        await self.beat()

    async def report(self) -> None:
        while True:
            await self.beat()
            await asyncio.sleep(HEARTBEAT_S)

    async def beat(self) -> None:
        told = {"hostname": self.settings.hostname, "device_type": self.settings.device_type, "info": self.info}
        try:
            answer = await self.http.post("/devices/heartbeat", json=told | {"resting": self.worker.resting})
            answer.raise_for_status()
        except httpx.HTTPError as error:
            log.debug("heartbeat not delivered: %s", error)


def this_device() -> LocalDevice:
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


def empty_scratch(device: LocalDevice) -> None:
    """What an interrupted run left is worthless: every stage starts from its inputs."""
    shutil.rmtree(device.settings.scratch, ignore_errors=True)
    device.settings.scratch.mkdir(parents=True, exist_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pool")
    parser.add_argument("--limit", type=int, default=1, help="flow runs at once on this device")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    if get_current_settings().api.url is None:  # Prefect would start a server of its own, for this process alone
        sys.exit("PREFECT_API_URL is not set: start this with `dashcam worker`, which knows it from the settings.")
    try:
        asyncio.run(work(arguments.pool, arguments.limit, this_device()))
    except ConfigError as error:
        sys.exit(str(error))
    except httpx.HTTPError as error:
        place = get_current_settings().api.url
        sys.exit(f"Prefect at {place} cannot be used ({error}): see that it runs, and that PREFECT_API_URL is right.")
    log.info("stopped")


if __name__ == "__main__":
    main()
