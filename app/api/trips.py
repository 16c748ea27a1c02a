"""Trips: the list, one trip, and a person's splits and merges."""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel, ConfigDict

from app import system, zones
from app.parameters import Number, TimeRange, time_range
from dashcam.catalog import deriving, trips
from dashcam.catalog.models import TripRow
from dashcam.database import reading, writing
from dashcam.gps import home
from dashcam.gps.trips import Decision, Stop, TripEvent

router = APIRouter(prefix="/trips", tags=["trips"])


class TripSummary(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    trip_id: int
    start_utc: datetime
    end_utc: datetime
    clips: int
    parked: int
    cameras: list[str]
    distance_m: float
    moving_s: float
    max_mps: float
    box: tuple[float, float, float, float] | None
    """South, west, north, east."""
    stops: list[Stop]
    events: list[TripEvent]


class TripAnswer(TripSummary):
    videos: list[str]
    """Its clips, parked ones included, in order of time."""


T = TypeVar("T", bound=TripSummary)


class TripPage(BaseModel):
    trips: list[TripSummary]
    total: int
    time_zone: str
    """Of the times that people are shown; empty where it is the server's own."""


class Split(BaseModel):
    video_id: str
    """The clip that the new trip begins with."""


class Restored(BaseModel):
    decision: Decision | None


class Undo(BaseModel):
    """What to send to ``PUT /trips/decisions/{video_id}`` to undo it."""

    video_id: str
    decision: Decision | None


class Derived(BaseModel):
    trips: int


@router.get("")
def list_trips(
    times: Annotated[TimeRange, Depends(time_range)],
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Number = 0,
) -> TripPage:
    """Trips that began in the time asked for, newest first."""
    here = system.current()
    with reading(here.engine) as session:
        page, total = trips.numbered(session, times.since, times.until, limit, offset)
        found = [shown(TripSummary.model_validate(trip)) for trip in page]
    return TripPage(trips=found, total=total, time_zone=str(here.zone() or ""))


@router.get("/{trip_id}")
def get_trip(trip_id: Number) -> TripAnswer:
    with reading(system.current().engine) as session:
        trip = session.get(TripRow, trip_id)
        if trip is None:
            raise HTTPException(404, f"There is no trip {trip_id} (any more): look at the list of trips.")
        return shown(TripAnswer.model_validate(vars(trip) | {"videos": trips.clips(session, trip_id)}))


def shown(trip: T) -> T:
    """But for what viewers are not shown: what happened in a home zone, and a box that would give it away."""
    if not (cut := zones.hidden()):
        return trip
    found: dict[str, Any] = {
        name: [one for one in getattr(trip, name) if not home.is_inside(cut, one.lat, one.lon)]
        for name in ("stops", "events")
    }
    return trip.model_copy(update=found | ({"box": None} if home.touches(cut, trip.box) else {}))


@router.post("/{trip_id}/split")
def split_trip(trip_id: Number, at: Split) -> Undo:
    """Begin a new trip with this clip; stays so when clips are processed again."""
    here = system.current()
    try:
        with writing(here.engine) as session:
            before = trips.split(session, trip_id, at.video_id, here.site.trips)
    except trips.NoSuchTrip as error:
        raise HTTPException(409, str(error)) from error
    return Undo(video_id=at.video_id, decision=before)


@router.post("/{trip_id}/merge")
def merge_trip(trip_id: Number) -> Undo:
    """Join the trip with the one before it; stays so when clips are processed again."""
    here = system.current()
    try:
        with writing(here.engine) as session:
            video_id, before = trips.merge(session, trip_id, here.site.trips)
    except trips.NoSuchTrip as error:
        raise HTTPException(409, str(error)) from error
    return Undo(video_id=video_id, decision=before)


@router.put("/decisions/{video_id}")
def restore_decision(video_id: str, restored: Restored) -> Literal["ok"]:
    """Put back the decision that stood at a clip; null leaves it to the rule."""
    here = system.current()
    try:
        with writing(here.engine) as session:
            trips.restore(session, video_id, restored.decision, here.site.trips)
    except trips.NoSuchTrip as error:
        raise HTTPException(404, str(error)) from error
    return "ok"


@router.post("/derive")
def derive_all() -> Derived:
    """Derive every trip and driving event anew, after a setting has changed; in many short transactions."""
    here = system.current()
    deriving.derive_everything(here.engine, here.site.trips)
    with reading(here.engine) as session:
        return Derived(trips=trips.numbered(session, limit=0)[1])
