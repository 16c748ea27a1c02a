"""When a clip began, in UTC: the GPS clock if it has one, then the file name, the container, the file's own date."""

from datetime import UTC, datetime, timedelta, tzinfo
from statistics import median
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from dashcam.records import Fix

_SLACK = timedelta(minutes=7, seconds=30)
"""Half of the smallest step between time zones: closer than this is the same clock."""


class Clock(NamedTuple):
    """``gps_ahead`` is what to subtract from the fixes' clock, zero unless the camera writes local time there."""

    start_utc: datetime
    source: Literal["gps", "name", "container", "file"]
    gps_ahead: timedelta = timedelta(0)


def zone(name: str | None) -> tzinfo:
    """The configured time zone, or this computer's. ``ZoneInfoNotFoundError`` for a name that is none."""
    return ZoneInfo(name) if name else datetime.now().astimezone().tzinfo or UTC


def decide(
    fixes: list[Fix],
    name_local: datetime | None,
    time_zone: str | None,
    created: datetime | None,
    modified: datetime,
) -> Clock:
    """Choose the most trusted source. ``name_local`` has no zone; ``created`` and ``modified`` do.

    Some firmwares (A119 Mini 2) write local time into the GPS records. When these agree with the file name as it stands
    while the zone is not UTC, the records are local.
    """
    if fixes:
        start = _median_start(fixes)
        ahead = timedelta(0)
        if name_local is not None and abs(start - name_local.replace(tzinfo=UTC)) < _SLACK:
            ahead = start - _in_utc(start.replace(tzinfo=None), time_zone)
        return Clock(start - ahead, "gps", ahead)
    if name_local is not None:
        return Clock(_in_utc(name_local, time_zone), "name")
    if created is not None:
        return Clock(created.astimezone(UTC), "container")
    return Clock(modified.astimezone(UTC), "file")


def _median_start(fixes: list[Fix]) -> datetime:
    """Media time 0 on the GPS clock: the median, so that a few wrong records do not matter."""
    seconds = median(fix.utc.timestamp() - fix.t_s for fix in fixes)
    return datetime.fromtimestamp(round(seconds, 3), UTC)


def _in_utc(local: datetime, time_zone: str | None) -> datetime:
    if time_zone is None:
        return local.astimezone(UTC)
    return local.replace(tzinfo=ZoneInfo(time_zone)).astimezone(UTC)
