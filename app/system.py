"""What the web process is made of; one per process, set up by `app.main`."""

import asyncio
import contextlib
import math
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from fastapi import HTTPException
from sqlalchemy import Engine

from app.progress import ProgressBoard
from dashcam.catalog import clocks, work
from dashcam.catalog.arrival import Settling
from dashcam.config import Site
from dashcam.database import reading
from dashcam.storage.roots import Stores

ZONE_KEPT_S = 30.0


class Broadcast:
    """Tells everybody who waits at that moment. To be used on one event loop."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def next(self) -> asyncio.Event:
        """Set at the next change; taken before looking, so that none is missed between looking and waiting."""
        return self._event

    def changed(self) -> None:
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, change: asyncio.Event, timeout_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(change.wait(), timeout_s)


@dataclass
class System:
    engine: Engine
    site: Site
    stores: Stores
    token: str
    progress: ProgressBoard = field(default_factory=ProgressBoard)
    settling: Settling = field(default_factory=Settling)
    pauses: Broadcast = field(default_factory=Broadcast)
    """Of when a person has paused or resumed a device."""
    _zone: tuple[float, tzinfo | None] = (-math.inf, None)
    _loop: asyncio.AbstractEventLoop | None = None
    _change: asyncio.Event = field(default_factory=asyncio.Event)

    def has_pending(self) -> bool:
        """Whether the task table holds anything to do."""
        with reading(self.engine) as session:
            return work.find(session, state="pending", limit=1)[1] > 0

    def zone(self) -> tzinfo | None:
        """Of the times that people see: the site's setting, else where its latest clips were taken, else None, which
        is this machine's own as `datetime.astimezone` means it."""
        looked, zone = self._zone
        if time.monotonic() - looked > ZONE_KEPT_S:
            if name := self.site.server.time_zone:
                zone = ZoneInfo(name)
            else:
                with reading(self.engine) as session:
                    zone = clocks.zone_lived_in(session)
            self._zone = time.monotonic(), zone
        return zone

    def wake(self) -> None:
        """Tell the dispatcher, from any thread, that the task table has changed."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._change.set)

    async def woken(self, timeout_s: float) -> None:
        """Wait for the next change, at most ``timeout_s``."""
        self._loop = asyncio.get_running_loop()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._change.wait(), timeout_s)
        self._change.clear()


def with_zone(moment: datetime) -> datetime:
    """A time in UTC; one without a zone is the local time that pages show."""
    try:
        local = moment if moment.tzinfo is not None else moment.replace(tzinfo=current().zone())
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        raise HTTPException(422, f"{moment.isoformat()} is not a time between the years 1 and 9999 in UTC.") from None


_system: System | None = None


def start(system: System) -> None:
    global _system
    _system = system


def current() -> System:
    if _system is None:
        raise RuntimeError("app.main has not started the system yet")
    return _system
