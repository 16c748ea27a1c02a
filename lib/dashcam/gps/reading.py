"""What a source says about one moment, and what is refused as impossible. Nothing is repaired."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from dashcam.records import FixQuality

KNOT_MPS = 0.514444
MAX_SPEED_MPS = 85.0
"""306 km/h: what says more is no car."""
_EARTH_M = 6_371_009.0
_NOISE_M = 50.0
"""Between two fixes of one second a receiver may jump so far and still be a receiver."""


@dataclass(frozen=True)
class Reading:
    """One fix as its source gives it.

    ``t_s`` is media time, None when the source knows the clock only; ``utc`` is the source's clock, which some cameras
    run in local time (`gps.clock`), None when it knows media time only.
    """

    t_s: float | None
    utc: datetime | None
    lat: float
    lon: float
    speed_mps: float | None = None
    heading_deg: float | None = None
    quality: FixQuality = "fix"


def reading(
    t_s: float | None,
    utc: datetime | None,
    lat: float,
    lon: float,
    speed_mps: float | None = None,
    heading_deg: float | None = None,
    quality: FixQuality = "fix",
) -> Reading | None:
    """A possible reading, or None: off the globe, at 0,0, faster than a car, before 2000, no number, no time at all."""
    if not (-90 <= lat <= 90 and -180 <= lon <= 180) or (lat == 0 and lon == 0):
        return None
    if t_s is None and utc is None:
        return None
    if t_s is not None and not (math.isfinite(t_s) and t_s >= 0):
        return None
    if utc is not None and not 2000 <= utc.year < 2100:
        return None
    if speed_mps is not None and not 0 <= speed_mps <= MAX_SPEED_MPS:
        return None
    if heading_deg is not None and not 0 <= heading_deg <= 360:
        return None
    heading = None if heading_deg is None else heading_deg % 360
    return Reading(t_s, utc, lat, lon, speed_mps, heading, quality)


def moment(year: int, month: int, day: int, hour: int, minute: int, second: float) -> datetime | None:
    """That moment in UTC, or None when the calendar has no such one (month 13, 31 June, hour 24)."""
    try:
        whole = math.floor(second)
        # added, so that 12.9999996 s is the thirteenth second
        return datetime(year, month, day, hour, minute, whole, tzinfo=UTC) + timedelta(seconds=second - whole)
    except (ValueError, OverflowError):
        return None


def degrees(ddmm: float, limit: int) -> float | None:
    """DDMM.MMMM to degrees; None when it is none (60 minutes or more, beyond ``limit`` degrees, no number)."""
    if not math.isfinite(ddmm) or ddmm < 0:
        return None
    whole, minutes = divmod(ddmm, 100)
    value = whole + minutes / 60
    return value if minutes < 60 and value <= limit else None


def without_spikes(readings: Sequence[Reading]) -> list[Reading]:
    """The readings without those that no car reaches from the one before nor leaves for the one behind."""
    if len(readings) < 3:
        return list(readings)
    unreachable = [_too_far(a, b) for a, b in pairwise(readings)]
    around = [True, *unreachable, True]
    if all(around):  # nothing fits together: that says nothing about any one of them
        return list(readings)
    return [one for one, before, behind in zip(readings, around, around[1:], strict=False) if not (before and behind)]


def _too_far(a: Reading, b: Reading) -> bool:
    if a.t_s is not None and b.t_s is not None:
        seconds = abs(b.t_s - a.t_s)
    elif a.utc is not None and b.utc is not None:
        seconds = abs((b.utc - a.utc).total_seconds())
    else:
        return False
    return metres(a, b) > MAX_SPEED_MPS * max(seconds, 1.0) + _NOISE_M


def metres(a: Reading, b: Reading) -> float:
    """Great-circle distance; half a percent off at worst, which is enough to tell a jump."""
    north, south = math.radians(a.lat), math.radians(b.lat)
    east = math.radians(b.lon - a.lon)
    h = math.sin((south - north) / 2) ** 2 + math.cos(north) * math.cos(south) * math.sin(east / 2) ** 2
    return 2 * _EARTH_M * math.asin(min(1.0, math.sqrt(h)))
