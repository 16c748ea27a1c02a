"""Devices say that they are there and what they are, and hear whether they are paused."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel, Field
from sqlalchemy import select

from app import system
from app.access import callers
from app.system import Broadcast
from dashcam.catalog import devices
from dashcam.catalog.models import DeviceRow
from dashcam.database import reading, writing

router = APIRouter(prefix="/devices", tags=["devices"])


class Heartbeat(BaseModel):
    hostname: str = Field(min_length=1, max_length=253)
    device_type: str = Field(min_length=1, max_length=40)
    info: dict[str, Any] = {}
    drained: str | None = Field(None, max_length=300)
    """Why the device takes no work; None while it does."""


class DeviceState(Heartbeat):
    last_seen: datetime
    paused: bool
    paused_until: datetime | None


class PauseAnswer(BaseModel):
    paused: bool
    until: datetime | None = None


class PauseAndOffers(PauseAnswer):
    offers: int
    """How many runs have been offered to the pool since this server started."""


class PauseWish(BaseModel):
    for_s: float | None = Field(None, gt=0, le=366 * 86400)
    """None is until someone resumes it."""


@router.post("/heartbeat")
def heartbeat(beat: Heartbeat) -> None:
    here = system.current()
    callers.only_its_own(lambda its: its.of_name(beat.hostname))
    with writing(here.engine) as session:
        works_again = devices.beat(session, **beat.model_dump(), now=datetime.now(UTC))
    if works_again:  # what waits for such a device may be offered to it at once
        here.changes.changed()
    if beat.drained is not None:
        here.progress.forget_device(beat.hostname)


@router.get("")
def list_devices() -> list[DeviceState]:
    with reading(system.current().engine) as session:
        return [state_of(device) for device in session.scalars(select(DeviceRow).order_by(DeviceRow.hostname))]


@router.get("/{hostname}")
def get_device(hostname: str) -> DeviceState:
    with reading(system.current().engine) as session:
        device = session.get(DeviceRow, hostname)
    if device is None:
        raise unknown(hostname)
    return state_of(device)


@router.get("/{hostname}/pause")
async def get_pause(
    request: Request,
    hostname: str,
    known: bool | None = None,
    pool: Annotated[str | None, Query(max_length=40)] = None,
    offers: int = 0,
    wait_s: Annotated[float, Query(ge=0, le=60)] = 0,
) -> PauseAndOffers:
    """Whether a person has paused the device, and how many runs its ``pool`` was offered. With ``wait_s`` the answer
    waits so long for a pause other than ``known`` or another number of ``offers``."""
    here = system.current()
    offered = here.offers.get(pool or "", Broadcast())
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_s
    gone = asyncio.create_task(disconnected(request))
    try:
        while True:
            changes = (here.pauses.next(), offered.next())
            pause = await asyncio.to_thread(read_pause, hostname)
            left = deadline - loop.time()
            if pause.paused != known or offered.number != offers or left <= 0 or gone.done():
                return PauseAndOffers(paused=pause.paused, until=pause.until, offers=offered.number)
            if pause.until is not None:
                left = min(left, max(0.1, (pause.until - datetime.now(UTC)).total_seconds()))
            await first_of(changes, gone, left)
    except asyncio.CancelledError:
        raise HTTPException(503, "The main server is being stopped.") from None
    finally:
        gone.cancel()


async def first_of(changes: Iterable[asyncio.Event], gone: asyncio.Task[None], limit_s: float) -> None:
    waiting = [asyncio.create_task(change.wait()) for change in changes]
    try:
        await asyncio.wait([*waiting, gone], timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()


async def disconnected(request: Request) -> None:
    """Until who asks has gone: a server that is being stopped waits for every request that is not answered."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


@router.put("/{hostname}/pause")
async def pause_device(hostname: str, wish: PauseWish) -> PauseAnswer:
    """The device gives back what it works on, within seconds, and takes nothing until then. Other devices may."""
    until = None if wish.for_s is None else datetime.now(UTC) + timedelta(seconds=wish.for_s)
    return await change_pause(hostname, PauseAnswer(paused=True, until=until))


@router.delete("/{hostname}/pause")
async def resume_device(hostname: str) -> PauseAnswer:
    return await change_pause(hostname, PauseAnswer(paused=False))


async def change_pause(hostname: str, pause: PauseAnswer) -> PauseAnswer:
    def write() -> bool:
        with writing(system.current().engine) as session:
            if pause.paused:
                return devices.pause(session, hostname, pause.until)
            return devices.resume(session, hostname)

    if not await asyncio.to_thread(write):
        raise unknown(hostname)
    system.current().pauses.changed()
    return pause


def read_pause(hostname: str) -> devices.Pause:
    with reading(system.current().engine) as session:
        return devices.pause_of(session, hostname, datetime.now(UTC))


def unknown(hostname: str) -> HTTPException:
    return HTTPException(404, f"No device called {hostname} has reported here.")


def state_of(device: DeviceRow) -> DeviceState:
    pause = devices.wanted(device, datetime.now(UTC))
    return DeviceState(
        hostname=device.hostname,
        device_type=device.device_type,
        info=device.info,
        drained=device.drained,
        last_seen=device.last_seen,
        paused=pause.paused,
        paused_until=pause.until,
    )
