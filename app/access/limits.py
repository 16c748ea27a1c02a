"""How often somebody may try to log in."""

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from app.access.addresses import household
from dashcam import Explained
from dashcam.access.audit import Attempt

HERE = parse("5 per 5 minutes")
"""One name from one address: a person who has forgotten a password waits a little."""
NAME = parse("50 per hour")
"""One name from anywhere. Not fewer: with few, anybody could keep its owner out."""
ADDRESS = parse("30 per 15 minutes")
"""Any names from one address."""


class TooMany(Explained):
    """Tried too often; the message says for how long to wait."""


class Limits:
    """In memory; what was tried ``before`` this start, as the audit log has it, counts too."""

    def __init__(self, before: Callable[[], Iterable[Attempt]] = tuple) -> None:
        self._counts = MovingWindowRateLimiter(MemoryStorage())
        self._before: Callable[[], Iterable[Attempt]] | None = before
        self._recalling = threading.Lock()

    def count(self, name: str, address: str) -> None:
        """Every attempt counts before it is looked at, so that a hundred at once are not a hundred. `TooMany`.

        Not for the event loop: the first looks up what was tried before.
        """
        self._recall()
        place = household(address)
        allowed = self._counts.hit(ADDRESS, "address", place) and self._counts.hit(HERE, "here", name, place)
        if not (allowed and self._counts.hit(NAME, "name", name)):
            raise TooMany("Too many attempts: wait a quarter of an hour, then try again.")

    def forgive(self, name: str, address: str) -> None:
        """That was the person: what was mistyped before does not count any more."""
        self._counts.clear(HERE, "here", name, household(address))
        self._counts.clear(NAME, "name", name)

    def _recall(self) -> None:
        with self._recalling:
            if self._before is None:
                return
            now = datetime.now(UTC)
            for attempt in self._before():
                if attempt.let_in:
                    self.forgive(attempt.name, attempt.address)
                    continue
                place, age_s = household(attempt.address), (now - attempt.at).total_seconds()
                counted = {
                    ADDRESS: ("address", place),
                    HERE: ("here", attempt.name, place),
                    NAME: ("name", attempt.name),
                }
                for limit, whose in counted.items():
                    if age_s < limit.get_expiry():
                        self._counts.hit(limit, *whose)
            self._before = None
