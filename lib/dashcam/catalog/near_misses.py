"""Hard braking close behind another car: how few seconds were left until both would have met.

How fast the car's plate grows in the picture tells it, whatever the lens and however far away: distance goes as one
over the plate's width, and the time that is left is the distance over how fast it shrinks (Lee 1976, "tau"). It makes
no moment of anything that was none, but says more of one: who drives past parked cars, or brakes at a light, hears
nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from dashcam.catalog.models import SightingRow, Video
from dashcam.config.model import PlaceSettings
from dashcam.gps.trips import TripEvent

BEFORE_S, AFTER_S = 2.5, 2.0
"""Around the fix at which the braking begins."""
LEFT_S = 2.5
"""With more time than that it is no near miss: two seconds are the usual distance between cars."""
BESIDE_M = 1.75
"""A car whose plate is further beside our way stands at the kerb, or drives in another lane."""
OVER_S, LEAST = 1.0, 4
"""The growth is that over so long, of so many reads at least."""
GROWN, LEAST_PX = 1.12, 20.0
"""Less growth, and of a narrower plate, could be how its boxes are drawn."""


def misses(session: Session, events: Iterable[TripEvent], settings: PlaceSettings) -> dict[tuple[str, float], float]:
    """Of those that were near misses the seconds that were left, by clip and second of the event."""
    braked = [one for one in events if one.kind == "braking"]
    if not braked:
        return {}
    around = [
        and_(
            SightingRow.video_id == one.video_id,
            SightingRow.first_s <= one.t_s + AFTER_S,
            SightingRow.last_s >= one.t_s - BEFORE_S,
        )
        for one in braked
    ]
    columns = SightingRow.video_id, SightingRow.reads, Video.facts
    ahead = select(*columns).join(Video, Video.video_id == SightingRow.video_id).where(Video.camera == "front")
    seen = session.execute(ahead.where(or_(*around))).all()
    found: dict[tuple[str, float], float] = {}
    for one in braked:
        near = [
            left_s([read for read in reads if -BEFORE_S <= read["t_s"] - one.t_s <= AFTER_S], facts["width"], settings)
            for video_id, reads, facts in seen
            if video_id == one.video_id and facts
        ]
        if known := [seconds for seconds in near if seconds is not None]:
            found[one.video_id, one.t_s] = min(known)
    return found


def left_s(reads: Sequence[Mapping[str, Any]], width: int, settings: PlaceSettings) -> float | None:
    """The fewest seconds that were left to a car in our way, of its plate's boxes in a picture so many pixels wide;
    None where there were more than `LEFT_S`, or nobody can tell."""
    reads = sorted(reads, key=lambda read: float(read["t_s"]))
    times = np.array([read["t_s"] for read in reads])
    boxes = np.array([read["box"] for read in reads]).reshape(-1, 4)
    wide = boxes[:, 2] - boxes[:, 0]
    times, boxes, wide = (column[wide >= LEAST_PX] for column in (times, boxes, wide))
    beside_m = np.abs((boxes[:, 0] + boxes[:, 2]) / 2 - width / 2) * settings.plate_width_m / wide
    left = []
    for last in range(LEAST - 1, len(times)):
        some = slice(np.searchsorted(times, times[last] - OVER_S), last + 1)
        since = times[some] - times[last]
        if len(since) >= LEAST and since[0] < 0 and beside_m[last] <= BESIDE_M:
            slope, there = np.polyfit(since, 1 / wide[some], 1)
            if there > 0 and (there + slope * since[0]) / there >= GROWN:
                left.append(float(there / -slope))
    return round(min(left), 1) if left and min(left) <= LEFT_S else None
