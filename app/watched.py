"""Tells of watched plates that were seen in clips which have come through, once each."""

import contextlib
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from app.messages import send
from dashcam.catalog import watching
from dashcam.catalog.watching import PlateSeen
from dashcam.database import reading

if TYPE_CHECKING:
    from app.system import System

SETTLED = timedelta(minutes=1)
"""What was completed later may not be committed yet."""
MOST = 12
"""Plates that one message names."""
log = logging.getLogger("dashcam")


class Lookout:
    """One per main server. What it remembers is a time alone, no plate."""

    def __init__(self, here: "System") -> None:
        self.here = here
        self.since: datetime | None = None
        """Until when all was told."""

    @property
    def memory(self) -> Path:
        return self.here.upkeep.folder / ".watched"

    def look(self, now: datetime) -> None:
        """Tell what has come in since the last time that somebody took it; the first look only says from when on."""
        until = now - SETTLED
        if self.since is None:
            self.since = read_time(self.memory)
        if self.since is None:
            self.keep(until)
            return
        with reading(self.here.engine) as session:
            watched = watching.numbers(session, self.here.site)
            seen, reached = watching.news(session, watched, self.since, until)
        if seen and not send(self.here.site.notify.urls, "watched plates", words(seen, self.here.zone())):
            log.warning("nobody could be told of watched plates: it is tried again")
            return
        self.keep(reached)

    def keep(self, reached: datetime) -> None:
        self.since = reached
        with contextlib.suppress(OSError):
            self.memory.parent.mkdir(parents=True, exist_ok=True)
            self.memory.write_text(reached.isoformat(), encoding="utf-8")


def read_time(file: Path) -> datetime | None:
    try:
        found = datetime.fromisoformat(file.read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        return None
    return found if found.tzinfo is not None else None


def words(seen: Sequence[PlateSeen], zone: tzinfo | None) -> str:
    more = [f"and {len(seen) - MOST} more"] if len(seen) > MOST else []
    return "\n".join([*(sentence(one, zone) for one in seen[:MOST]), *more])


def sentence(one: PlateSeen, zone: tzinfo | None) -> str:
    when = f"{one.last.astimezone(zone):%d %b %Y, %H:%M:%S}" if one.last else "at a time that is not known"
    often = f", {one.times} times in all" if one.times > 1 else ""
    alike = "" if one.text == one.watched else f" It may be a misread of {one.watched}, which is watched."
    return f"{one.text} was seen: {when}{often}.{alike}"
