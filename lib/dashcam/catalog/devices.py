"""Devices as the main server knows them: who is there, who takes no work and why."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from dashcam.catalog.models import DeviceRow

SILENT = timedelta(seconds=90)
"""A device says that it is there every 20 s; one not heard of for so long is gone."""


class Pause(NamedTuple):
    """What a person wants of a device."""

    paused: bool
    until: datetime | None = None
    """None is until someone says otherwise."""


def beat(
    session: Session, hostname: str, device_type: str, info: dict[str, Any], drained: str | None, now: datetime
) -> bool:
    """The device is there; ``drained`` is why it takes no work. What a person wants of it stays. Whether it takes work
    that it did not take before."""
    known = session.get(DeviceRow, hostname)
    rested = known is None or known.drained is not None
    told = DeviceRow(hostname=hostname, device_type=device_type, info=info, drained=drained, last_seen=now)
    session.merge(told)
    return rested and drained is None


def pause(session: Session, hostname: str, until: datetime | None = None) -> bool:
    """False when no such device has reported here."""
    device = session.get(DeviceRow, hostname)
    if device is not None:
        device.paused, device.paused_until = True, until
    return device is not None


def resume(session: Session, hostname: str) -> bool:
    """False when no such device has reported here."""
    device = session.get(DeviceRow, hostname)
    if device is not None:
        device.paused, device.paused_until = False, None
    return device is not None


def pause_of(session: Session, hostname: str, now: datetime) -> Pause:
    """Whether the device is paused now; nobody has paused one that is not known."""
    device = session.get(DeviceRow, hostname)
    return Pause(False) if device is None else wanted(device, now)


def wanted(device: DeviceRow, now: datetime) -> Pause:
    over = device.paused_until is not None and device.paused_until <= now
    return Pause(True, device.paused_until) if device.paused and not over else Pause(False)


def names_drained(session: Session, now: datetime) -> set[str]:
    """The names of those that take no work: paused, or drained by a rule of their own."""
    found = session.scalars(select(DeviceRow))
    return {one.hostname for one in found if one.drained is not None or wanted(one, now).paused}


@dataclass(frozen=True)
class DeviceLine:
    hostname: str
    device_type: str
    last_seen: datetime
    info: dict[str, Any]
    pause: Pause
    drained: str | None


def lines(session: Session, now: datetime) -> list[DeviceLine]:
    """All of them as the pages show them, by type and name."""
    rows = session.scalars(select(DeviceRow).order_by(DeviceRow.device_type, DeviceRow.hostname))
    return [
        DeviceLine(row.hostname, row.device_type, row.last_seen, dict(row.info), wanted(row, now), row.drained)
        for row in rows
    ]
