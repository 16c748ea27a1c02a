"""Looks at the main server and its devices once a minute, and tells the owner what is wrong: once, until it is over."""

import asyncio
import contextlib
import json
import logging
import math
import time
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from app import findings
from app.messages import send
from app.watched import Lookout
from dashcam import Explained
from dashcam.catalog import devices, work
from dashcam.database import reading
from dashcam.doctor.finding import Finding, warning
from dashcam.doctor.stores import Room, room_of

if TYPE_CHECKING:
    from app.system import System

LOOK_S = 60.0
SAMPLE_S = 3600.0
DAY = 24
log = logging.getLogger("dashcam")


class Caretaker:
    """One per main server."""

    def __init__(self, here: "System") -> None:
        self.here = here
        self.found: list[Finding] = []
        """By the last look."""
        self.rooms: dict[str, Room | None] = {}
        """Of each store; None of one that is away."""
        self.waiting: deque[int] = deque(maxlen=DAY + 1)
        """Clips that waited, hour by hour."""
        self.sampled = -math.inf
        self.told = read_told(self.memory)
        self.watched = Lookout(here)

    @property
    def memory(self) -> Path:
        """What was told outlives this process: a restart is no news."""
        return self.here.upkeep.folder / ".told.json"

    async def go_on(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self.look)
            except (SQLAlchemyError, Explained, OSError) as error:
                log.warning("the main server could not be looked at (%s: %s)", type(error).__name__, error)
            except Exception:  # one that nobody has foreseen must not be the last look: nobody would be told anything
                log.exception("the main server could not be looked at")
            await asyncio.sleep(LOOK_S)

    def look(self) -> None:
        now = datetime.now(UTC)
        self.rooms = {name: room_of(self.here.stores, name) for name in self.here.stores.roots}
        for name, room in self.rooms.items():
            self.here.outages.store(name, room is not None)
        self.found = [*findings.findings(self.here, findings.WATCHED), *self.growing(now)]
        lonely = " ".join(one.said for one in self.found if one.check == "pools" and one.state == "fault")
        self.here.outages.note("devices", lonely or None)
        if self.here.site.notify.urls:
            self.tell([one for one in self.found if self.is_news(one, now)])
            self.watched.look(now)

    def growing(self, now: datetime) -> list[Finding]:
        """More clips wait than a day ago, and the oldest waits for longer."""
        if time.monotonic() - self.sampled >= SAMPLE_S:
            with reading(self.here.engine) as session:
                self.waiting.append(sum(stage.pending for stage in work.backlog(session)))
            self.sampled = time.monotonic()
        more = self.waiting[-1] - self.waiting[0]
        if len(self.waiting) <= DAY or more <= 0 or not any(one.about == "overdue" for one in self.found):
            return []
        said = f"The backlog grows: {self.waiting[-1]} clips wait, {more} more than a day ago."
        return [warning("backlog", said, "See on the page Tasks which stage it is, and give that another device.")]

    def is_news(self, one: Finding, now: datetime) -> bool:
        """Whether the owner is to hear of it. A device may be silent for a while: it is switched off, or restarts."""
        if one.state not in ("warning", "fault"):
            return False
        if one.check != "devices":
            return True
        with reading(self.here.engine) as session:
            seen = {line.hostname: line.last_seen for line in devices.lines(session, now)}
        silence = timedelta(minutes=self.here.site.notify.silent_minutes)
        return one.about in seen and now - seen[one.about] > silence

    def tell(self, news: Sequence[Finding]) -> None:
        """What was not told before; what is over may be told anew."""
        wrong = {f"{one.check} {one.about}": one for one in news}
        told = self.told & wrong.keys()
        for key in wrong.keys() - told:
            one = wrong[key]
            words = one.said if one.remedy is None else f"{one.said} {one.remedy}"
            if send(self.here.site.notify.urls, one.check, words):
                told.add(key)
            else:
                log.warning("nobody could be told that %s", one.said)
        if told != self.told:
            self.told = told
            with contextlib.suppress(OSError):
                self.memory.parent.mkdir(parents=True, exist_ok=True)
                self.memory.write_text(json.dumps(sorted(told)), encoding="utf-8")


def read_told(file: Path) -> set[str]:
    try:
        return set(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return set()
