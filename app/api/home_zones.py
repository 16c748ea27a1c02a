"""Home zones: those of the settings, and those that people draw."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query

from app import system
from dashcam.catalog import home_zones
from dashcam.config.privacy import Zone

router = APIRouter(prefix="/home-zones", tags=["privacy"])


@router.get("")
def list_zones() -> list[Zone]:
    """All that count: by the settings (``privacy.home_zones``), then those that were drawn."""
    return system.current().site.privacy.home_zones


@router.post("", status_code=204)
def draw_zone(zone: Zone) -> None:
    """From now on no export has a place inside it, and no viewer is shown one. One with the same middle is resized."""
    system.current().settle(partial(home_zones.draw, zone=zone))


@router.delete("", status_code=204)
def remove_zone(lat: Annotated[float, Query(ge=-90, le=90)], lon: Annotated[float, Query(ge=-180, le=180)]) -> None:
    """One that was drawn, by its middle as it is listed."""
    if not system.current().settle(partial(home_zones.rub_out, lat=lat, lon=lon)):
        raise HTTPException(404, "No home zone was drawn there; those of config.json are removed there.")
