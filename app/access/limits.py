"""How often somebody may try to log in."""

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from app.access.addresses import household
from dashcam import Explained

HERE = parse("5 per 5 minutes")
"""One name from one address: a person who has forgotten a password waits a little."""
NAME = parse("50 per hour")
"""One name from anywhere. Not fewer: with few, anybody could keep its owner out."""
ADDRESS = parse("30 per 15 minutes")
"""Any names from one address."""


class TooMany(Explained):
    """Tried too often; the message says for how long to wait."""


class Limits:
    """In memory: a restart of the main server forgives, and costs whoever guesses more than it gives."""

    def __init__(self) -> None:
        self._counts = MovingWindowRateLimiter(MemoryStorage())

    def count(self, name: str, address: str) -> None:
        """Every attempt counts before it is looked at, so that a hundred at once are not a hundred. `TooMany`."""
        place = household(address)
        allowed = self._counts.hit(ADDRESS, "address", place) and self._counts.hit(HERE, "here", name, place)
        if not (allowed and self._counts.hit(NAME, "name", name)):
            raise TooMany("Too many attempts: wait a quarter of an hour, then try again.")

    def forgive(self, name: str, address: str) -> None:
        """That was the person: what was mistyped before does not count any more."""
        self._counts.clear(HERE, "here", name, household(address))
        self._counts.clear(NAME, "name", name)
