"""How plates were met, each weighed once and remembered, so that a page which names many costs what one may."""

import math
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from threading import Lock

from sqlalchemy import select
from sqlalchemy.orm import Session

from dashcam import written
from dashcam.catalog import followed
from dashcam.catalog.encounters import Met
from dashcam.catalog.models import Plate, SightingRow, TripRow, Video

KEPT_S = 3600.0
"""If what the other cars did there may have come in since."""
GOES_BY = tuple(row.__tablename__ for row in (SightingRow, TripRow, Video))
"""Tables: while nobody writes to them, what was weighed is as it was."""
MOST = 10_000


@dataclass(frozen=True)
class Weighed:
    by: tuple[object, ...]
    """What was kept of the plate then (`plate_facts`)."""
    since: tuple[int, ...]
    """How often the tables had been written to that it `GOES_BY`."""
    at: float
    met: Met


class Meanings:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.rests_until = -math.inf
        """So long no page that is open, however many are, weighs any more of them."""
        self._lock = Lock()
        self._weighed: dict[tuple[Hashable, int], Weighed] = {}
        self._trips: dict[Hashable, tuple[float, followed.Trips]] = {}

    def known(self, view: Hashable, plate_id: int, by: tuple[object, ...], since: tuple[int, ...]) -> Met | None:
        one = self._weighed.get((view, plate_id))
        holds = one is not None and one.by == by and (one.since == since or self.clock() - one.at < KEPT_S)
        return one.met if one is not None and holds else None

    def trips(self, view: Hashable) -> followed.Trips:
        """Of all of them at once, as they were within the same time."""
        with self._lock:
            self._trips = {of: one for of, one in self._trips.items() if self.clock() - one[0] < KEPT_S}
            return self._trips.setdefault(view, (self.clock(), followed.Trips()))[1]

    def keep(self, view: Hashable, plate_id: int, by: tuple[object, ...], since: tuple[int, ...], met: Met) -> None:
        with self._lock:
            self._weighed.pop((view, plate_id), None)
            self._weighed[view, plate_id] = Weighed(by, since, self.clock(), met)
            if len(self._weighed) > MOST:
                del self._weighed[next(iter(self._weighed))]


def since(session: Session) -> tuple[int, ...]:
    """How often the tables were written to that a weighing `GOES_BY`, asked before they are read."""
    return written.so_often(session.get_bind().engine, GOES_BY)


class Weighing:
    """One look at many plates, which weighs for so long at most: seconds of CPU, and to the end of the plate at hand.

    ``view`` is what of the catalogue is there for who asks: of another's plates nothing is remembered for them.
    """

    def __init__(
        self, session: Session, kept: Meanings, zone: tzinfo | None, left_s: float, view: Hashable = None
    ) -> None:
        self.session, self.kept, self.zone, self.left_s, self.view = session, kept, zone, left_s, view
        self.since = since(session)
        self.left: list[int] = []
        """The plates that are for the next look."""

    def at(self, plate_ids: Sequence[int]) -> dict[int, Met]:
        """Of those that are known, and of the first of the others."""
        kept = select(Plate.plate_id, Plate.times, Plate.first_seen, Plate.last_seen)
        facts = {row[0]: tuple(row[1:]) for row in self.session.execute(kept.where(Plate.plate_id.in_(plate_ids)))}
        found: dict[int, Met] = {}
        for plate_id in plate_ids:
            by = facts.get(plate_id, ())
            met = self.kept.known(self.view, plate_id, by, self.since)
            if met is None and self.left_s > 0:
                began = time.thread_time()
                met = followed.briefly(self.session, plate_id, self.zone, self.kept.trips(self.view))
                self.left_s -= time.thread_time() - began
                self.kept.keep(self.view, plate_id, by, self.since, met)
            if met is None:
                self.left.append(plate_id)
            else:
                found[plate_id] = met
        return found
