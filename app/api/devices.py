"""Devices say that they are there, and what they are."""

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field
from sqlalchemy import select

from app import system
from dashcam.catalog.models import Device
from dashcam.database import reading, writing

router = APIRouter(prefix="/devices", tags=["devices"])


class Heartbeat(BaseModel):
    hostname: str = Field(min_length=1, max_length=253)
    device_type: str = Field(min_length=1, max_length=40)
    info: dict[str, Any] = {}


class DeviceState(Heartbeat):
    last_seen: datetime


@router.post("/heartbeat")
def heartbeat(beat: Heartbeat) -> None:
    with writing(system.current().engine) as session:
        session.merge(Device(**beat.model_dump(), last_seen=datetime.now(UTC)))


@router.get("")
def list_devices() -> list[DeviceState]:
    with reading(system.current().engine) as session:
        return [state_of(device) for device in session.scalars(select(Device).order_by(Device.hostname))]


@router.get("/{hostname}")
def get_device(hostname: str) -> DeviceState:
    with reading(system.current().engine) as session:
        device = session.get(Device, hostname)
    if device is None:
        raise HTTPException(404, f"No device called {hostname} has reported here.")
    return state_of(device)


def state_of(device: Device) -> DeviceState:
    return DeviceState(
        hostname=device.hostname, device_type=device.device_type, info=device.info, last_seen=device.last_seen
    )
