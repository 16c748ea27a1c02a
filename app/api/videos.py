"""Videos in, plates out: ingest, videos, tracks, plates and search."""

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel

from app import system
from dashcam import records
from dashcam.catalog import answers, arrival
from dashcam.database import reading, writing
from dashcam.tasks.model import InputRef

router = APIRouter(tags=["videos"])


class IngestRequest(BaseModel):
    files: list[InputRef]


@router.post("/ingest")
def ingest(request: IngestRequest) -> list[arrival.Arrival]:
    """Take note of clips; each new one becomes an INGEST_VIDEO task, a known one costs a look at its size and time."""
    here = system.current()
    seen = [arrival.look(here.engine, here.stores, ref) for ref in request.files]
    with writing(here.engine) as session:
        arrivals = [arrival.admit(session, one) for one in seen]
    here.wake()
    return arrivals


@router.get("/videos")
def list_videos(
    outcome: Literal["processed", "rejected", "pending"] | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> answers.VideoPage:
    """Videos, newest first."""
    with reading(system.current().engine) as session:
        return answers.videos(session, outcome, limit, offset)


@router.get("/videos/{video_id}")
def get_video(video_id: str) -> answers.VideoAnswer:
    """One video with everything seen in it."""
    with reading(system.current().engine) as session:
        answer = answers.video(session, video_id)
    if answer is None:
        raise HTTPException(404, f"There is no video {video_id}.")
    return answer


@router.get("/videos/{video_id}/track")
def get_track(video_id: str) -> list[records.Fix]:
    """The clip's GPS fixes in order of media time."""
    with reading(system.current().engine) as session:
        return answers.track(session, video_id)


@router.get("/plates")
def list_plates(
    limit: Annotated[int, Query(ge=1, le=1000)] = 100, offset: Annotated[int, Query(ge=0)] = 0
) -> list[answers.PlateAnswer]:
    """Confirmed plates, last seen first."""
    return search("", limit, offset)


@router.get("/plates/{plate}")
def get_plate(plate: str) -> answers.PlateDetail:
    """One plate, by its text, with every sighting."""
    with reading(system.current().engine) as session:
        detail = answers.plate(session, plate)
    if detail is None:
        raise HTTPException(404, f"No plate {plate} has been seen.")
    return detail


@router.get("/search")
def search(
    q: str = "", limit: Annotated[int, Query(ge=1, le=1000)] = 100, offset: Annotated[int, Query(ge=0)] = 0
) -> list[answers.PlateAnswer]:
    """Confirmed plates whose text contains the fragment; case, spaces and dashes do not matter."""
    with reading(system.current().engine) as session:
        return answers.search(session, q, limit, offset)
