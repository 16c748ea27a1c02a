"""What a player plays: a trip or a clip on one axis, and what is inside a clip; for scripts with a token, for the
player's own requests as they are."""

from datetime import datetime

from fastapi import APIRouter, HTTPException, Response
from pydantic import BaseModel

from app import media, system, zones
from app.parameters import Number, VideoId
from dashcam.catalog import timeline
from dashcam.catalog.timeline import ClipInside, Timeline
from dashcam.database import reading

router = APIRouter(prefix="/timeline", tags=["timeline"])


class TimelineAnswer(Timeline):
    clock_s: float | None
    """Second 0 of the axis in seconds since midnight, by the zone that the pages go by; None for a clip's own axis."""
    pictures: str
    """With which the address of a clip's ``poster`` ends: another one once something was hidden."""


@router.get("/trips/{trip_id}", response_model=TimelineAnswer)
def of_trip(trip_id: Number) -> Response:
    """All driven clips of a trip, its confirmed sightings and what happened."""
    with reading(system.current().engine) as session:
        found = timeline.of_trip(session, trip_id, zones.hidden())
    if found is None:
        raise HTTPException(404, f"There is no trip {trip_id} (any more): look at the list of trips.")
    return written(TimelineAnswer(**vars(found), clock_s=since_midnight(found.start_utc), pictures=media.revision()))


@router.get("/videos/{video_id}", response_model=TimelineAnswer)
def of_video(video_id: VideoId) -> Response:
    """One clip with all its sightings; its axis is its own media time."""
    with reading(system.current().engine) as session:
        found = timeline.of_video(session, video_id, zones.hidden())
    if found is None:
        raise HTTPException(404, f"There is no video {video_id}.")
    return written(TimelineAnswer(**vars(found), clock_s=None, pictures=media.revision()))


@router.get("/videos/{video_id}/inside", response_model=ClipInside)
def inside(video_id: VideoId) -> Response:
    """The boxes of the plates in one clip, and how fast the car was."""
    with reading(system.current().engine) as session:
        found = timeline.inside(session, video_id)
    if found is None:
        raise HTTPException(404, f"There is no video {video_id}.")
    return written(found)


def since_midnight(moment: datetime | None) -> float | None:
    if moment is None:
        return None
    local = moment.astimezone(system.current().zone())
    return (local - local.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()


def written(answer: BaseModel) -> Response:
    """As it is: thousands of clips are not looked through twice."""
    return Response(
        answer.model_dump_json(), media_type="application/json", headers={"Cache-Control": "private, no-cache"}
    )
