"""What the site needs and has not now, for the banner over every page: in memory, so that no page asks anything.

Whoever meets it says so: the caretaker, which looks each minute, the dispatcher, and who keeps the zone.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from dashcam.storage.layout import INDOOR, SHED

DATABASE = "The database does not answer: what pages show may be old, and results wait on the devices until it is back."
PREFECT = "Prefect does not answer: clips wait until it is back."
STORES = {
    SHED: "The archive ({}) is away: pictures return when it is back.",
    INDOOR: "The store of the clips ({}) is away: clips wait, and newer pictures return when it is back.",
}
OTHER = "The store {} is away: what lies there returns when it is back."


class Outage(NamedTuple):
    said: str
    since: datetime
    """As it was first met."""


@dataclass
class Outages:
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _away: dict[str, Outage] = field(default_factory=dict)

    def note(self, key: str, said: str | None) -> None:
        """What is away, or, with None, that it is there."""
        if said is None:
            self._away.pop(key, None)
        else:
            met = self._away.get(key)
            self._away[key] = Outage(said, met.since if met else self.now())

    def store(self, name: str, there: bool) -> None:
        self.note(f"store {name}", None if there else STORES.get(name, OTHER).format(name))

    def all(self) -> list[Outage]:
        """Longest ago first."""
        away = tuple(self._away.values())  # at once: others note what they meet on threads of their own
        return sorted(away, key=lambda one: one.since)
