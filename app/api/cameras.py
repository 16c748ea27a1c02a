"""The cameras' clocks: how far they are ahead, and a person's correction."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app import system
from dashcam.catalog import clocks
from dashcam.database import reading

router = APIRouter(prefix="/cameras", tags=["cameras"])


class Correction(BaseModel):
    camera: str = Field(max_length=60)
    """``front``, ``rear``, ..., empty for clips whose name does not say."""
    ahead_s: float = Field(ge=-clocks.TEN_YEARS_S, le=clocks.TEN_YEARS_S)
    """How far the camera's clock is ahead of the right local time, in seconds; 0 takes a correction back."""


class Corrected(BaseModel):
    changed: int
    """Clips whose time changed; those timed by the satellites' UTC never do."""


@router.get("/clocks")
def list_clocks() -> list[clocks.CameraTime]:
    with reading(system.current().engine) as session:
        return clocks.cameras(session)


@router.put("/clocks")
def correct_clock(correction: Correction) -> Corrected:
    """Correct a camera's clock; times, places and trips of its clips are derived anew."""
    here = system.current()
    return Corrected(changed=clocks.correct(here.engine, correction.camera, correction.ahead_s, here.site))
