"""Where the car was at any moment of a clip, between its fixes."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from dashcam.records import Fix

MAX_OUTSIDE_S = 2.0
"""Before the first and after the last fix, its position holds this long."""
MAX_GAP_S = 5.0
"""Across a longer gap nobody knows the way."""


@dataclass(frozen=True)
class Position:
    lat: float
    lon: float
    speed_mps: float | None
    heading_deg: float | None


class Track:
    """The fixes of one clip. ``at(t_s)`` is the position there, or None when no fix is near enough."""

    def __init__(self, fixes: Sequence[Fix]) -> None:
        self.fixes = sorted(fixes, key=lambda fix: fix.t_s)
        self._times = [fix.t_s for fix in self.fixes]

    def at(self, t_s: float) -> Position | None:
        """Position, speed and heading at ``t_s`` seconds of media time."""
        after = bisect_right(self._times, t_s)
        if after and self._times[after - 1] == t_s:
            return _position(self.fixes[after - 1])
        if 0 < after < len(self.fixes):
            return _between(self.fixes[after - 1], self.fixes[after], t_s)
        if not self.fixes:
            return None
        nearest = self.fixes[-1 if after else 0]
        return _position(nearest) if abs(nearest.t_s - t_s) <= MAX_OUTSIDE_S else None


def _position(fix: Fix) -> Position:
    return Position(fix.lat, fix.lon, fix.speed_mps, fix.heading_deg)


def _between(a: Fix, b: Fix, t_s: float) -> Position | None:
    gap = b.t_s - a.t_s
    if gap > MAX_GAP_S:
        return None
    part = (t_s - a.t_s) / gap
    east = (b.lon - a.lon + 180) % 360 - 180
    lon = (a.lon + east * part + 180) % 360 - 180
    speed = None if a.speed_mps is None or b.speed_mps is None else a.speed_mps + (b.speed_mps - a.speed_mps) * part
    return Position(a.lat + (b.lat - a.lat) * part, lon, speed, _heading(a.heading_deg, b.heading_deg, part))


def _heading(a: float | None, b: float | None, part: float) -> float | None:
    """On the unit circle: between 350 and 10 degrees lies north."""
    if a is None or b is None:
        return a if b is None else b
    x = (1 - part) * math.cos(math.radians(a)) + part * math.cos(math.radians(b))
    y = (1 - part) * math.sin(math.radians(a)) + part * math.sin(math.radians(b))
    if math.hypot(x, y) < 1e-9:
        return a if part < 0.5 else b
    return math.degrees(math.atan2(y, x)) % 360
