"""A worker that can no longer be paused says so and ends, rather than go on for ever."""

import asyncio
from collections.abc import Sequence

import httpx
import psutil
import pytest

from blocks.device import Device
from dashcam.availability import Rule
from dashcam.config import DeviceSettings
from dashcam.config.model import Availability
from dashcam.storage.roots import Stores
from flows.giving_way import Worker
from flows.worker import Watch


class Lost:
    """A card whose driver has gone."""

    name = "graphics card"

    def percent(self, ours: Sequence[psutil.Process], working: bool) -> float:
        raise OSError("GPU is lost")


async def watched(rule: Rule, seconds: float) -> None:
    async with httpx.AsyncClient(base_url="http://127.0.0.1:9") as nobody:
        watch = Watch(Worker("gpu"), Device(DeviceSettings(), Stores({}), "http://127.0.0.1:9", ""), "gpu", nobody)
        watch.rule = rule
        await watch.until({asyncio.create_task(asyncio.sleep(seconds))})


def test_a_watch_that_breaks_is_heard_of() -> None:
    with pytest.raises(OSError, match="GPU is lost"):
        asyncio.run(watched(Rule(Availability(), [(Lost(), 20.0)]), 30))


def test_a_server_that_does_not_answer_breaks_nothing() -> None:
    asyncio.run(watched(Rule(Availability(), []), 0.2))
