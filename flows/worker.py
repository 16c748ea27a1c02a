"""The worker of this machine: ``python -m flows.worker POOL [POOL ...]`` (the command is ``dashcam worker``).

For each pool a Prefect process worker, plus what Prefect leaves out: at its start it declares dead what it was running
before (a power cut leaves such runs Running for ever), it tells the main server that the device is there, and it gives
way: when a person pauses the device, when its own rule says so, and when it is stopped (`flows.watch`,
`flows.preemption`).
"""

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Coroutine, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from http import HTTPStatus
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import httpx
from filelock import FileLock, Timeout
from prefect.client.orchestration import get_client
from prefect.settings import get_current_settings

from blocks.device import LocalDevice, NotSetUp, load_devices
from blocks.runs import crash_runs_of, drop_missed_runs
from dashcam import NO_USE_TRYING, Explained, config, logs
from dashcam.device import service
from dashcam.embedded import forkserver
from dashcam.embedded.forkserver import ForkServer
from flows import missed, scratch
from flows.preemption import Worker
from flows.setup import Once, unusable
from flows.watch import WorkerWatch

SETUP_POLL_S = 1
PREFECT_POLL_S = 0.1
HOUSEKEEPING_S = 30.0
"""From the start of the workers to deploying what no clip waits for."""
LOG_BYTES = 5_000_000

log = logging.getLogger("dashcam.worker")


class PoolTaken(Explained):
    """This machine has a worker of the pool already."""


async def work(worker: Worker, device: LocalDevice, stopped: asyncio.Event) -> None:
    """Until ``stopped``; then what is under way is given back. Raises what ends it before."""
    pool = worker.pool
    name = device.settings.hostname
    scratch.empty(device.settings.scratch)
    async with get_client() as client:
        for run in await crash_runs_of(client, name, pool):
            log.warning("run %s did not survive; its unfinished clips will be offered again", run.name)
        if dropped := await drop_missed_runs(client, pool, datetime.now(UTC)):
            log.info("%d scheduled runs of %s that were missed are dropped", dropped, pool)
    async with server_of(device) as http:
        watch = WorkerWatch(worker, device, pool, http)
        running = asyncio.create_task(worker.start(printer=log.debug))
        stop = asyncio.create_task(stopped.wait())
        beside = [asyncio.create_task(missed.make_up())] if pool == missed.POOL else []
        try:
            await watch.until({running, stop})
        finally:
            for one in (stop, *beside):
                one.cancel()
            if not running.done():
                worker.drained = "the worker was stopped" if stopped.is_set() else "the worker failed"
                await watch.drain()
                running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def worker_of(pool: str, limit: int | None, device: LocalDevice, forks: ForkServer | None) -> Worker:
    return Worker(
        pool,
        name=device.settings.hostname,
        limit=limit or device.settings.max_concurrent_tasks,
        heartbeat_interval_seconds=int(get_current_settings().worker.heartbeat_seconds),
        forks=forks,
        environment={"DASHCAM_POOL": pool},
        scratch=device.settings.scratch,
    )


async def work_for(pools: Sequence[str], limit: int | None, mark: Path | None) -> None:
    """For all of them, until SIGTERM or Ctrl-C, or until one of them fails, which is raised.

    With ``mark`` Prefect and what it must know may come later than this process: it waits, and sets up.
    """
    stopped = told_to_stop()
    stop = asyncio.create_task(stopped.wait())
    alive = asyncio.create_task(service.keep_telling())
    set_up = None if mark is None else Once(config.load_site(), mark)
    ready = asyncio.create_task(this_machine(pools, set_up))
    await asyncio.wait({ready, stop}, return_when=asyncio.FIRST_COMPLETED)
    if not ready.done():
        ready.cancel()
        alive.cancel()
        return
    devices = await ready
    with ExitStack() as held:
        for pool, device in zip(pools, devices, strict=True):
            held.enter_context(alone(pool, device.settings.scratch))
        forks = fork_server()
        works: list[asyncio.Task[None]] = []
        try:
            for pool, device in zip(pools, devices, strict=True):
                if stopped.is_set():
                    break
                worker = worker_of(pool, limit, device, forks)
                works.append(asyncio.create_task(work(worker, device, stopped)))
                await either(works[-1], worker.begun.wait())  # clips come to the first pool first
            if set_up is not None:
                works.append(asyncio.create_task(housekeeping(set_up, stopped)))
            await asyncio.gather(*works)
        finally:
            for one in works:
                one.cancel()
            await asyncio.gather(*works, return_exceptions=True)
            alive.cancel()


async def either(task: asyncio.Task[Any], other: Coroutine[Any, Any, Any]) -> None:
    """Until one of them has ended."""
    beside = asyncio.create_task(other)
    await asyncio.wait({task, beside}, return_when=asyncio.FIRST_COMPLETED)
    beside.cancel()


async def housekeeping(set_up: Once, stopped: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stopped.wait(), HOUSEKEEPING_S)
        return
    await set_up.housekeeping()


def fork_server() -> ForkServer | None:
    """The one that forked this process, else one of its own: it ends with this process."""
    if inherited := ForkServer.inherited():
        return inherited
    if not forkserver.available():
        return None
    server, _ = ForkServer.begin([sys.executable, "-m", "flows.forkserver"])
    return server


async def prefect_answers() -> None:
    url = f"{get_current_settings().api.url}/health"
    async with httpx.AsyncClient(timeout=5, verify=config.certificates(url)) as http:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if (await http.get(url)).is_success:
                    return
            await asyncio.sleep(PREFECT_POLL_S)


def server_of(device: LocalDevice) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {device.token}"}
    url = f"{device.server_url}/api/v1"
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=5, verify=config.certificates(url))


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


async def this_machine(pools: Sequence[str], set_up: Once | None = None) -> list[LocalDevice]:
    """As it works for each pool. Waits for ``dashcam setup``, which may come later, or does it."""
    if set_up is not None:
        await prefect_answers()
        await set_up.stages()
    told = False
    while True:
        try:
            return await asyncio.to_thread(load_devices, pools)
        except NotSetUp as missing:
            if not told:
                log.warning("waiting: %s", missing)
            told = True
            await asyncio.sleep(SETUP_POLL_S)


def alone(pool: str, scratch: Path) -> FileLock:
    """Held while this process works for the pool: a second would empty its scratch under its clips. Raises
    `PoolTaken`."""
    scratch.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(scratch.parent / f"{scratch.name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        sentence = (
            f"A worker of the pool {pool} runs on this machine already, with the scratch {scratch}: stop it first."
        )
        raise PoolTaken(sentence) from None
    return lock


def say_to(file: Path | None) -> None:
    """With the date where it is a file; what follows output has its own."""
    if file is None:
        logs.begin("%(asctime)s %(message)s")
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    kept = RotatingFileHandler(file, maxBytes=LOG_BYTES, backupCount=3, encoding="utf-8")
    logs.begin("%(asctime)s %(message)s", kept, clock=None)


def without_right(error: Exception) -> httpx.HTTPStatusError | None:
    """Where this device is let in no more, or never was: the answer that says so. A person has to see to that, and a
    worker that is started again each few seconds would only ask once more."""
    if isinstance(error, ExceptionGroup):
        return next((found for part in error.exceptions if (found := without_right(part))), None)
    if isinstance(error, httpx.HTTPStatusError) and error.response.status_code == HTTPStatus.UNAUTHORIZED:
        return error
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pools", nargs="+", metavar="POOL")
    parser.add_argument("--limit", type=int, help="flow runs at once; default: the device's max_concurrent_tasks")
    parser.add_argument(
        "--set-up", type=Path, metavar="MARK", help="wait for Prefect, and set it up unless MARK says so"
    )
    parser.add_argument("--log", type=Path, help="write what it says there, in files of 5 MB, of which 4 are kept")
    arguments = parser.parse_args()
    say_to(arguments.log)
    if get_current_settings().api.url is None:  # Prefect would start a server of its own, for this process alone
        sys.exit("PREFECT_API_URL is not set: start this with `dashcam worker`, which knows it from the settings.")
    try:
        asyncio.run(work_for(arguments.pools, arguments.limit, arguments.set_up))
    except Explained as error:
        sys.exit(str(error))
    except (httpx.HTTPError, ExceptionGroup) as error:
        if refused := without_right(error):
            print(unusable(refused), file=sys.stderr)
            sys.exit(NO_USE_TRYING)
        if isinstance(error, httpx.HTTPError):
            sys.exit(unusable(error))
        raise
    log.info("stopped")


if __name__ == "__main__":
    main()
