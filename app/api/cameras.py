"""The cameras' clocks and lenses, and what a person says of them."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app import system
from dashcam.catalog import clocks, lenses
from dashcam.config.model import Lens
from dashcam.database import reading

router = APIRouter(prefix="/cameras", tags=["cameras"])


class Correction(BaseModel):
    camera: str = Field(max_length=60)
    """``front``, ``rear``, ..., empty for clips whose name does not say."""
    ahead_s: float = Field(ge=-clocks.TEN_YEARS_S, le=clocks.TEN_YEARS_S)
    """How far the camera's clock is ahead of the right local time, in seconds; 0 takes a correction back."""


class LensSaid(BaseModel):
    camera: Literal["front", "rear", "telephoto"]
    lens: Lens | None
    """What its picture spans; null takes back what was said, so that the settings count again."""


@router.get("/lenses")
def list_lenses() -> dict[str, Lens]:
    """By camera: what people have said, else what the settings name (``place.lenses``); others are guessed."""
    here = system.current()
    with reading(here.engine) as session:
        return {str(camera): lens for camera, lens in lenses.known(session, here.site.place).lenses.items()}


@router.put("/lenses", status_code=202)
def set_lens(said: LensSaid) -> None:
    """Say how wide a camera's lens is; where other cars were is estimated anew by it, beside everything else."""
    system.current().corrections.ask_for_lens(said.camera, said.lens)


@router.get("/clocks")
def list_clocks() -> list[clocks.CameraTime]:
    with reading(system.current().engine) as session:
        known = clocks.cameras(session)
    return system.current().corrections.told(known)


@router.put("/clocks", status_code=202)
def correct_clock(correction: Correction) -> clocks.Correcting:
    """Correct a camera's clock; times, places and trips of its clips are derived anew, beside everything else.

    Answers at once. How far it is says ``correcting`` of the camera (`GET /cameras/clocks`) until it has ``ended``; a
    restart of the main server goes on with it.
    """
    return system.current().corrections.ask_for(correction.camera, correction.ahead_s)
