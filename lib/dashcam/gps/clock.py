"""When a clip began, in UTC: the GPS clock if it has one, then the file name, the container, the file's own date.

Three clocks are told apart. The name of a file is in the camera's local time; the GPS records carry UTC, with some
firmwares (A119 Mini 2, Novatek's TS mode) local time that is labelled UTC.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from statistics import median
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from dashcam.records import ClockKind, Fix

_SLACK = timedelta(minutes=7, seconds=30)
"""Half of the smallest step between time zones: closer than this is the same clock."""
_CLOSED_WITHIN = timedelta(minutes=15)
"""A file's date is believed to say which of two possible hours it was, when it lies this near."""


class Clock(NamedTuple):
    """``gps_ahead`` is what to subtract from the fixes' clock, zero unless the camera writes local time there.

    ``zone`` is that of the camera's clock, where no file name tells it that of the place. ``camera_ahead_s`` is how far
    the clock of the file names is ahead of UTC, when the GPS tells.
    """

    start_utc: datetime
    source: Literal["gps", "name", "container", "file"]
    gps_ahead: timedelta = timedelta(0)
    kind: ClockKind = "camera"
    zone: str = ""
    camera_ahead_s: float | None = None


def local(moment: datetime, time_zone: str | None) -> datetime:
    """The moment in the configured time zone, or in this computer's, with the offset from UTC of that moment and not of
    today. ``ZoneInfoNotFoundError`` for a name that is none."""
    return moment.astimezone(ZoneInfo(time_zone) if time_zone else None)


def known_zone(name: str) -> ZoneInfo | None:
    """A zone that a clip names; None for no name, and for one that this computer does not know."""
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, LookupError):
        return None


def decide(
    fixes: list[Fix],
    name_local: datetime | None,
    time_zone: str | None,
    created: datetime | None,
    modified: datetime,
) -> Clock:
    """Choose the most trusted source. ``name_local`` has no zone; ``created`` and ``modified`` do.

    ``time_zone`` is that of the camera's clock; None is this computer's, of which a place knows better.
    """
    if fixes:
        return _by_gps(fixes, name_local, time_zone)
    if name_local is not None:
        return Clock(_in_utc(name_local, time_zone, modified), "name", zone=time_zone or "")
    if created is not None:
        return Clock(created.astimezone(UTC), "container")
    return Clock(modified.astimezone(UTC), "file")


def _by_gps(fixes: list[Fix], name_local: datetime | None, time_zone: str | None) -> Clock:
    """UTC, unless the records agree with the file name although the local time there is not UTC."""
    start = _median_start(fixes)
    where = time_zone or zone_at(fixes[len(fixes) // 2]) or ""
    if name_local is None:
        return Clock(start, "gps", kind="utc", zone=where)
    behind_name = name_local.replace(tzinfo=UTC) - start
    configured = _offset(start, time_zone)
    if configured and abs(behind_name - configured) < _SLACK:
        zone = where if where and _offset(start, where) == configured else ""
        return Clock(start, "gps", kind="utc", zone=zone, camera_ahead_s=behind_name.total_seconds())
    ahead = timedelta(0)
    if abs(behind_name) < _SLACK:
        ahead = start - _in_utc(start.replace(tzinfo=None), where or None)
    camera_ahead = (behind_name + ahead).total_seconds()
    return Clock(start - ahead, "gps", ahead, "gps_local" if ahead else "utc", where, camera_ahead)


def zone_at(fix: Fix) -> str | None:
    """The name of the time zone at a place; None where nobody has set one."""
    name = _finder().timezone_at(lng=fix.lon, lat=fix.lat)
    return None if name is None else str(name)


@lru_cache(maxsize=1)
def _finder() -> Any:
    from timezonefinder import TimezoneFinder  # a third of a second and 20 MB that most clips do not need

    return TimezoneFinder()


def _offset(moment: datetime, time_zone: str | None) -> timedelta:
    return local(moment, time_zone).utcoffset() or timedelta(0)


def _median_start(fixes: list[Fix]) -> datetime:
    """Media time 0 on the GPS clock: the median, so that a few wrong records do not matter."""
    seconds = median(fix.utc.timestamp() - fix.t_s for fix in fixes)
    return datetime.fromtimestamp(round(seconds, 3), UTC)


def _in_utc(local: datetime, time_zone: str | None, modified: datetime | None = None) -> datetime:
    """In the hour that comes twice in autumn, the second one when the file's date says so."""
    both = [_aware(local.replace(fold=fold), time_zone) for fold in (0, 1)]
    if both[0] < both[1] and modified is not None and timedelta(0) <= modified - both[1] < _CLOSED_WITHIN:
        return both[1]
    return both[0]


def _aware(local: datetime, time_zone: str | None) -> datetime:
    return (local if time_zone is None else local.replace(tzinfo=ZoneInfo(time_zone))).astimezone(UTC)
