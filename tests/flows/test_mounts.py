"""A worker takes work only while the stores are there that its pool's stages open, and takes it again by itself."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from blocks.device import LocalDevice
from dashcam.catalog.models import DeviceRow
from dashcam.config import DeviceSettings
from dashcam.database import reading
from dashcam.storage.roots import Stores
from flows import mounts
from flows.mounts import Mounts
from flows.preemption import Worker
from flows.watch import WorkerWatch
from flows.worker import server_of
from tests.conftest import REPOSITORY
from tests.flows.main_server import TOKEN, MainServer

MARKER = ".dashcam-store"


def home(tmp_path: Path) -> Stores:
    for name in ("indoor", "shed"):
        (tmp_path / name).mkdir()
        (tmp_path / name / MARKER).touch()
    roots = {"indoor_nas": tmp_path / "indoor", "shed_nas": tmp_path / "shed"}
    return Stores(roots, dict.fromkeys(roots, MARKER))


async def eventually(told: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not told():
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("pool", ["jetson", "gpu", "nas"])
def test_without_a_look_nobody_works(tmp_path: Path, pool: str) -> None:
    assert Mounts(home(tmp_path), pool, lambda: None).missing


def test_only_what_the_pool_opens_counts(tmp_path: Path) -> None:
    stores = home(tmp_path)
    (tmp_path / "shed" / MARKER).unlink()
    there = {pool: Mounts(stores, pool, lambda: None).look() is None for pool in ("server", "jetson", "gpu", "nas")}
    assert there == {"server": True, "jetson": True, "gpu": True, "nas": False}


def test_the_indoor_nas_which_has_no_shed_is_told_so() -> None:
    said = Mounts(Stores({"indoor_nas": Path("/")}), "nas", lambda: None).look()
    assert said == "'shed_nas' is not a store of this device; its stores are: indoor_nas"


def test_a_mount_that_answers_nothing_is_no_mount(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounts, "PATIENCE_S", 0.05)
    looked = Mounts(home(tmp_path), "gpu", lambda: None)
    answers = asyncio.Event()

    async def all_of_it() -> None:
        loop = asyncio.get_running_loop()
        looked.look = lambda: asyncio.run_coroutine_threadsafe(answers.wait(), loop).result() and None  # type: ignore
        watching = asyncio.create_task(looked.watch())
        await eventually(lambda: looked.missing == "indoor_nas does not answer: see to its mount")
        answers.set()
        await eventually(lambda: looked.missing is None)
        watching.cancel()

    asyncio.run(all_of_it())


def test_a_mount_that_hangs_for_ever_keeps_no_process_from_ending(tmp_path: Path) -> None:
    """A thread of asyncio's own would be waited for at the end, without a limit."""
    code = """
import asyncio, threading
from pathlib import Path
from dashcam.storage.roots import Stores
from flows.mounts import Mounts

looked, hangs = Mounts(Stores({}), "gpu", lambda: None), threading.Event()
begun = threading.Event()

def look():
    begun.set()
    hangs.wait()

async def main():
    looked.look = look
    watching = asyncio.create_task(looked.watch())
    while not begun.is_set():
        await asyncio.sleep(0.01)
    watching.cancel()

asyncio.run(main())
"""
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60, cwd=REPOSITORY).returncode == 0


def while_watched(engine: Engine, stores: Stores, acts: Callable[[Worker], Awaitable[None]]) -> None:
    """``acts`` beside the watch of the shed's worker, which hears of a main server."""
    server = MainServer(engine, stores.roots)
    server.start()
    worker = Worker("nas", name="shed")
    device = LocalDevice(DeviceSettings(hostname="shed"), stores, server.url, TOKEN)

    async def both() -> None:
        async with server_of(device) as http:
            ended = asyncio.Event()
            watch = WorkerWatch(worker, device, "nas", http)
            watching = asyncio.create_task(watch.until({asyncio.create_task(ended.wait())}))
            await acts(worker)
            ended.set()
            await watching

    try:
        asyncio.run(both())
    finally:
        server.stop()


def test_a_worker_rests_while_a_store_is_away_and_says_why(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefect: str
) -> None:
    monkeypatch.setattr(mounts, "LOOK_S", 0.05)
    stores = home(tmp_path)
    shed = tmp_path / "shed"

    def told() -> str | None:
        with reading(engine) as session:
            known = session.get(DeviceRow, "shed")
            return known and known.drained

    async def away_and_back(worker: Worker) -> None:
        await eventually(lambda: worker.drained is None)
        (shed / MARKER).rename(tmp_path / "away")
        await eventually(lambda: worker.drained is not None)
        assert f"Store shed_nas is not there: {shed} has no {MARKER}" in str(worker.drained)
        await eventually(lambda: told() == worker.drained)
        (tmp_path / "away").rename(shed / MARKER)
        await eventually(lambda: worker.drained is None and told() is None)

    while_watched(engine, stores, away_and_back)


def test_a_worker_that_begins_without_a_store_says_so_once_in_its_log(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefect: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Else whoever looks into the journal of a device that does nothing finds nothing there."""
    caplog.set_level(logging.INFO, "dashcam.worker")
    monkeypatch.setattr(mounts, "LOOK_S", 0.05)
    stores = home(tmp_path)
    (tmp_path / "shed" / MARKER).unlink()

    async def mounted_later(worker: Worker) -> None:
        await eventually(lambda: "takes no runs" in caplog.text)
        (tmp_path / "shed" / MARKER).touch()
        await eventually(lambda: worker.drained is None)

    while_watched(engine, stores, mounted_later)
    said = [record.getMessage() for record in caplog.records if "takes no runs" in record.getMessage()]
    assert len(said) == 1 and "shed takes no runs: Store shed_nas is not there" in said[0], said
