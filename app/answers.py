"""Answers that are remembered until somebody writes to the tables that they are about."""

import time
from collections.abc import Callable, Hashable, Sequence
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import Engine

from dashcam import written

MOST = 64
KEPT_S = 3600.0
T = TypeVar("T")


class Answers:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._lock = Lock()
        self._kept: dict[Hashable, tuple[float, tuple[int, ...], Any]] = {}

    def of(self, key: Hashable, tables: Sequence[str], ask: Callable[[], T], holds: Callable[[T], bool]) -> T:
        """What ``ask`` says, or has said of this ``key`` while nobody has written to the ``tables`` since, and the
        answer ``holds``. In ``key`` is all else that it goes by, who asks among it."""
        since = written.so_often(self.engine, tables)  # before anything is read
        at, then, answer = self._kept.get(key, (0.0, (), None))
        if then == since and time.monotonic() - at < KEPT_S and holds(answer):
            return answer
        answer = ask()
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = time.monotonic(), since, answer
            if len(self._kept) > MOST:
                del self._kept[next(iter(self._kept))]
        return answer
