"""Which clips' tasks have changed, for those who follow them. Kept in memory only: a restart begins a new epoch."""

import threading
from collections import deque
from collections.abc import Iterable
from itertools import islice
from uuid import uuid4

KEPT = 20_000


class Journal:
    def __init__(self) -> None:
        self.epoch = uuid4().hex
        self.number = 0
        self._lock = threading.Lock()
        self._videos: deque[str] = deque(maxlen=KEPT)

    def note(self, video_ids: Iterable[str]) -> None:
        """Their tasks have changed, and what has is committed."""
        with self._lock:
            noted = list(video_ids)
            self._videos.extend(noted)
            self.number += len(noted)

    def since(self, epoch: str | None, number: int) -> list[str] | None:
        """Each video noted after that number, once; None when that is not known any more."""
        with self._lock:
            missed = self.number - number
            if epoch != self.epoch or not 0 <= missed <= len(self._videos):
                return None
            return list(dict.fromkeys(islice(self._videos, len(self._videos) - missed, None)))
