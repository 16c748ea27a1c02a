"""The archives' health: which is read next, what was found, what is done about it."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel

from app import system
from dashcam.catalog.models import Video
from dashcam.database import reading, writing
from dashcam.tasks.model import TaskType
from dashcam.upkeep import checks
from dashcam.upkeep.checks import CheckResult, Health, ToCheck

router = APIRouter(prefix="/archives", tags=["archives"])


class Noted(BaseModel):
    mended_by: TaskType | None
    """The clip is done again from this stage on."""


@router.get("/unchecked")
def unchecked(limit: Annotated[int, Query(ge=1, le=1000)] = 50) -> list[ToCheck]:
    """Archives whose last check is longest ago, never checked ones first."""
    with reading(system.current().engine) as session:
        return checks.next_ones(session, limit)


@router.get("/damaged")
def damaged(limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> list[Health]:
    """Archives that are not what their manifests say, and whether they are being mended."""
    with reading(system.current().engine) as session:
        return checks.damaged(session, limit)


@router.post("/{video_id}/checked")
def checked(video_id: str, verdict: CheckResult) -> Noted:
    """An archive was read; where something is wrong, its clip is done again from its bundle or from its file, as long
    as one of them is there."""
    here = system.current()
    with reading(here.engine) as session:
        if session.get(Video, video_id) is None:
            raise HTTPException(404, f"There is no video {video_id}.")
        way = checks.way_out(session, here.stores, video_id) if verdict.wrong else None
    with writing(here.engine) as session:
        stage = checks.note(session, video_id, verdict, way, datetime.now(UTC))
    if stage is not None:
        here.wake(video_id)
    return Noted(mended_by=stage)
