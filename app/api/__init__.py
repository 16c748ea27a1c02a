"""The REST API, ``/api/v1``: what the flows on every device use, and scripts may."""

from datetime import UTC, datetime

from fastapi import APIRouter, Depends

from app import everything, evidence, exports, system, timelines
from app.api import (
    accuracy,
    archives,
    auth,
    cameras,
    deletions,
    devices,
    doctor,
    frames,
    home_zones,
    join,
    line,
    metrics,
    people,
    plate_words,
    plates,
    rereads,
    retention,
    searches,
    sweep,
    tasks,
    trips,
    upkeep,
    videos,
)
from app.parameters import only_known, whole_characters
from dashcam.database import named

router = APIRouter(prefix="/api/v1", dependencies=[Depends(only_known), Depends(whole_characters)])


@router.get("/health", tags=["health"])
def health() -> dict[str, str]:
    """Open to all: says that the process answers, which database it runs on, and what a person should see to."""
    here = system.current()
    said = {"status": "ok", "database": named(here.engine)}
    # why is for those who have the token, or see the dashboard: the sentence names folders
    return said | ({"backup": "needs attention"} if here.upkeep.trouble(datetime.now(UTC)) else {})


router.include_router(auth.router)
for part in (
    tasks,
    line,
    videos,
    plates,
    searches,
    plate_words,
    frames,
    devices,
    trips,
    cameras,
    home_zones,
    exports,
    evidence,
    everything,
    timelines,
    accuracy,
    rereads,
    retention,
    deletions,
    sweep,
    upkeep,
    archives,
    doctor,
    metrics,
    people,
    join,
):
    router.include_router(part.router, dependencies=[Depends(auth.bearer)])
