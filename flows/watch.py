"""Whether a device may work: heard from its main server, and seen by its own rule and in its stores; and telling that
it is there."""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Coroutine
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from blocks.device import LocalDevice
from dashcam.device.availability import Rule, meters_of
from dashcam.tasks.silence import why_silent
from flows.mounts import UNSEEN, Mounts
from flows.preemption import Worker
from flows.spool import Spool, deliver_undelivered

HEARTBEAT_S = 20.0
LOOK_S = 1.0
PATIENCE_S = 2.0
LONGEST = 300
"""Characters of a reason that the main server takes."""

log = logging.getLogger("dashcam.worker")


class WorkerWatch:
    """Whether the device may work, asked of a person (through the main server), its stores and its own rule; and
    heartbeats."""

    def __init__(self, worker: Worker, device: LocalDevice, pool: str, http: httpx.AsyncClient) -> None:
        self.worker, self.settings, self.http = worker, device.settings, http
        self.pool, self.device = pool, device
        self.back = asyncio.Event()
        """The main server answers again: what waits for it need not wait for the next heartbeat."""
        available = device.settings.availability
        self.rule = Rule(available, meters_of(available, device.settings.gpu.device_id if device.settings.gpu else 0))
        self.person: str | None = "the main server has not answered yet"
        self.changed = asyncio.Event()
        self.mounts = Mounts(device.stores, pool, self.changed.set)
        worker.drained = self.person

    async def until(self, ends: set[asyncio.Task[Any]]) -> None:
        """Drains the worker when it should be, until one of these has ended. Raises what ended the watch before that:
        a worker that nobody can pause any more must not go on."""
        tasks = [asyncio.create_task(one) for one in self.parts()]
        try:
            await asyncio.wait({*ends, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for one in ended:
            if isinstance(one, Exception):
                raise one

    def parts(self) -> list[Coroutine[Any, Any, None]]:
        return [self.listen(), self.look(), self.mounts.watch(), self.report(), self.worker.look_when_told()]

    async def listen(self) -> None:
        """Hear at once when a person pauses or resumes the device, and when a run was offered to its pool: the answer
        waits on the server until then."""
        known: dict[str, Any] = {}
        told = False
        path = f"/devices/{quote(self.settings.hostname, safe='')}/pause"
        while True:
            asked = known | {"pool": self.pool, "wait_s": HEARTBEAT_S if known else 0}
            try:
                answer = await self.http.get(path, params=asked, timeout=HEARTBEAT_S + 10)
                word = answer.raise_for_status().json()
            except (httpx.HTTPError, ValueError) as error:
                log.log(logging.DEBUG if told else logging.WARNING, "%s", why_silent(error, self.device.server_url))
                told = True
                await asyncio.sleep(PATIENCE_S)
                continue
            if told:
                told = False
                self.back.set()
            if word["offers"] != known.get("offers"):
                self.worker.look_for_runs()
            known = {"known": word["paused"], "offers": word["offers"]}
            until = datetime.fromisoformat(word["until"]).astimezone() if word["until"] else None
            self.person = None if not word["paused"] else f"paused until {until:%Y-%m-%d %H:%M}" if until else "paused"
            self.changed.set()

    async def look(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.changed.wait(), LOOK_S)
            self.changed.clear()
            against = self.rule.against(datetime.now(), time.monotonic(), bool(self.worker.at_work))
            reason = self.person or self.mounts.missing or against
            rested, self.worker.drained = self.worker.drained, reason
            if reason is None and rested is not None:
                log.info("%s works again", self.settings.hostname)
                self.worker.look_for_runs()
                await self.beat()
            elif reason is not None and rested is None:
                await self.drain()
            elif reason != rested and reason == self.mounts.missing != UNSEEN:  # the rule's has numbers that change
                log.info("%s takes no runs: %s", self.settings.hostname, reason)

    async def drain(self) -> None:
        """Told first: the dispatcher then knows that what ends now is given back."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.beat(), 1)
        await self.worker.drain()
        await self.beat()

    async def report(self) -> None:
        while True:
            self.back.clear()
            if await self.beat():
                await asyncio.to_thread(deliver_undelivered, self.device)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.back.wait(), HEARTBEAT_S)

    async def beat(self) -> bool:
        """Whether the main server has heard it."""
        waiting = len(Spool(self.settings.scratch).files())
        info = {"pool": self.pool, "cores": os.cpu_count()} | ({"results that wait": waiting} if waiting else {})
        told = {"hostname": self.settings.hostname, "device_type": self.settings.device_type, "info": info}
        drained = self.worker.drained
        try:
            answer = await self.http.post("/devices/heartbeat", json=told | {"drained": drained and drained[:LONGEST]})
            answer.raise_for_status()
        except httpx.HTTPError as error:
            log.debug("heartbeat not delivered: %s", error)
            return False
        return True
