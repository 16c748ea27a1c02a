"""A worker that can no longer be paused says so and ends, rather than go on for ever."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import httpx
import psutil
import pytest

from blocks.device import LocalDevice
from blocks.runs import SILENCE
from dashcam.cli import site
from dashcam.config import DeviceSettings
from dashcam.config.model import Availability
from dashcam.device.availability import Rule
from dashcam.storage.roots import Stores
from dashcam.tasks.chain import POOLS
from flows.preemption import Worker
from flows.watch import WorkerWatch


class Lost:
    """A card whose driver has gone."""

    name = "graphics card"

    def percent(self, ours: Sequence[psutil.Process], working: bool) -> float:
        raise OSError("GPU is lost")


async def watched(rule: Rule, seconds: float, pool: str = "gpu") -> bool:
    """Whether it was watched for as long as it should."""
    async with httpx.AsyncClient(base_url="http://127.0.0.1:9") as nobody:
        watch = WorkerWatch(
            Worker(pool), LocalDevice(DeviceSettings(), Stores({}), "http://127.0.0.1:9", ""), pool, nobody
        )
        watch.rule = rule
        worked = asyncio.create_task(asyncio.sleep(seconds))
        await watch.until({worked})
        return worked.done()


def test_a_watch_that_breaks_is_heard_of() -> None:
    with pytest.raises(OSError, match="GPU is lost"):
        asyncio.run(watched(Rule(Availability(), [(Lost(), 20.0)]), 30))


@pytest.mark.parametrize("pool", POOLS)
def test_a_server_that_does_not_answer_breaks_nothing(pool: str) -> None:
    assert asyncio.run(watched(Rule(Availability(), []), 0.2, pool))


def test_flows_of_every_worker_tell_that_they_are_alive_before_they_are_taken_for_dead(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In Prefect's own rhythm, 180 s, `reconcile` declared every longer run dead on devices other than the server."""

    def started(program: str, argv: Sequence[str]) -> None:
        raise SystemExit

    mine = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    monkeypatch.setattr(os, "environ", mine | {"DASHCAM_CONFIG": str(tmp_path)})
    monkeypatch.setattr(os, "execv", started)
    with pytest.raises(SystemExit):
        site.run_module("flows.worker", "gpu")
    assert 3 * float(os.environ["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"]) < SILENCE.total_seconds()
