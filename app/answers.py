"""Answers that are remembered until somebody writes to the tables that they are about: those asked for last."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from functools import cache
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import Engine

from dashcam import written
from dashcam.database import Base

OF_THE_WORK = {
    "task", "device", "holding", "archive_check", "retention_plan", "leftover", "audit", "login_session",
    "access_token", "visit",
}  # fmt: skip
"""Tables that are written to all the time, and tell nothing of what was driven and seen."""
OF_WAYS = "trip", "route"
OF_MAPS = (*OF_WAYS, "video", "position", "sighting", "plate", "plate_merge", "plate_suffix", "plate_near")
"""What maps read: a note, a mark or a backup makes none of them anew."""
MOST = 64
KEPT_S = 3600.0
T = TypeVar("T")


@cache
def of_the_catalogue() -> tuple[str, ...]:
    """All other tables."""
    return tuple(sorted(set(Base.metadata.tables) - OF_THE_WORK))


class Answers:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, tuple[float, tuple[int, ...], Any]] = OrderedDict()

    def of(
        self, key: Hashable, tables: Sequence[str], ask: Callable[[], T], holds: Callable[[T], bool] = lambda _: True
    ) -> T:
        """What ``ask`` says, or has said of this ``key`` while nobody has written to the ``tables`` since, and the
        answer ``holds``. In ``key`` is all else that it goes by, who asks among it."""
        since = written.so_often(self.engine, tables)  # before anything is read
        at, then, answer = self._kept.get(key, (0.0, (), None))
        if then != since or time.monotonic() - at > KEPT_S or not holds(answer):
            at, answer = time.monotonic(), ask()
        with self._lock:
            self._kept[key] = at, since, answer
            self._kept.move_to_end(key)
            if len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return answer
