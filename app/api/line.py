"""The line of pending tasks: which clips go first."""

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from app import lining
from app.parameters import Number

router = APIRouter(tags=["tasks"])


class MovedInLine(BaseModel):
    tasks: int
    """How many that changes; none where nothing of it is pending."""


@router.post("/videos/{video_id}/first")
def put_clip_first(video_id: str) -> MovedInLine:
    """What is pending of the clip is offered before all else of its stage, and so is what follows it."""
    return clip(video_id, back=False)


@router.delete("/videos/{video_id}/first")
def put_clip_back(video_id: str) -> MovedInLine:
    """It is offered in turn again."""
    return clip(video_id, back=True)


@router.post("/trips/{trip_id}/first")
def put_trip_first(trip_id: Number) -> MovedInLine:
    """The same as with a clip, with all clips of the trip that are not through."""
    return trip(trip_id, back=False)


@router.delete("/trips/{trip_id}/first")
def put_trip_back(trip_id: Number) -> MovedInLine:
    return trip(trip_id, back=True)


def clip(video_id: str, back: bool) -> MovedInLine:
    try:
        return MovedInLine(tasks=lining.clip_first(video_id, back))
    except lining.NoSuch as unknown:
        raise HTTPException(404, str(unknown)) from unknown


def trip(trip_id: int, back: bool) -> MovedInLine:
    try:
        return MovedInLine(tasks=lining.trip_first(trip_id, back))
    except lining.NoSuch as unknown:
        raise HTTPException(404, str(unknown)) from unknown
