"""Videos in, plates out: ingest, videos, tracks, plates and search."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import AwareDatetime, BaseModel, Field

from app import system
from app.parameters import Number
from dashcam import records
from dashcam.catalog import answers, arrival
from dashcam.catalog.search import Area, PlateFilter
from dashcam.database import reading, writing
from dashcam.tasks.model import InputRef, Listed

router = APIRouter(tags=["videos"])


class IngestRequest(BaseModel):
    files: list[InputRef]
    vouched: bool = False
    """The files are whole, whatever their names and dates say."""


class ScanRequest(BaseModel):
    store: str
    files: list[Listed] = Field(max_length=20_000)
    """``[[path, size, mtime_ns], ...]``"""


class ScanAnswer(BaseModel):
    wanted: list[str]
    """Paths to hand in with ``POST /ingest``: new, changed, or moved here."""
    waiting: int
    """How many have not settled yet."""


def plate_filter(
    q: Annotated[str, Query(max_length=40, description="Part of a plate; or all of it with ? and *.")] = "",
    near: Annotated[bool, Query(description="Find what a camera may have misread, too.")] = False,
    unsure: Annotated[bool, Query(description="Reads that are not confirmed, too.")] = False,
    since: AwareDatetime | None = None,
    until: Annotated[AwareDatetime | None, Query(description="Not included.")] = None,
    box: Annotated[str | None, Query(description="south,west,north,east in degrees")] = None,
) -> PlateFilter:
    first, end = since and system.with_zone(since), until and system.with_zone(until)
    return PlateFilter(q, near, not unsure, first, end, region(box) if box else None)


def region(box: str) -> Area:
    try:
        south, west, north, east = (float(side) for side in box.split(","))
    except ValueError:
        raise HTTPException(422, f"box is {box!r}, but must be four numbers: south,west,north,east.") from None
    if not (-90 <= south <= north <= 90 and -180 <= west <= east <= 180):
        raise HTTPException(422, "box must be south,west,north,east in degrees, south and west first.")
    return Area(south, west, north, east)


@router.post("/ingest")
def ingest(request: IngestRequest) -> list[arrival.Arrival]:
    """Take note of clips; each new one becomes an INGEST_VIDEO task, a known one costs a look at its size and time.

    Hidden files, partial downloads and files that may still grow are ``waiting``, unless they are vouched for.
    """
    here = system.current()
    settling = None if request.vouched else here.settling
    settle_s = here.site.dispatch.settle_seconds
    seen = [arrival.look(here.engine, here.stores, ref, settling, settle_s) for ref in request.files]
    with writing(here.engine) as session:
        arrivals = [arrival.admit(session, one) for one in seen]
    here.wake()
    return arrivals


@router.post("/scan")
def scan(request: ScanRequest) -> ScanAnswer:
    """Which files of a listing to hand in; what is known at its size and time costs a line of one query."""
    here = system.current()
    with reading(here.engine) as session:
        unknown = arrival.unknown(session, request.store, request.files)
    settle_s = here.site.dispatch.settle_seconds
    wanted = [
        file.path
        for file in unknown
        if here.settling.settled(f"{request.store}:{file.path}", file.size, file.mtime_ns, settle_s)
    ]
    return ScanAnswer(wanted=wanted, waiting=len(unknown) - len(wanted))


@router.get("/videos")
def list_videos(
    outcome: Literal["processed", "rejected", "vanished", "pending"] | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Number = 0,
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
def list_plates(limit: Annotated[int, Query(ge=1, le=1000)] = 100, offset: Number = 0) -> list[answers.PlateAnswer]:
    """Confirmed plates, last seen first."""
    with reading(system.current().engine) as session:
        return answers.search(session, PlateFilter(), limit, offset)


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
    wanted: Annotated[PlateFilter, Depends(plate_filter)],
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Number = 0,
) -> list[answers.PlateAnswer]:
    """Plates by what is remembered: text, time, place; last seen first, with ``near`` the nearest first."""
    with reading(system.current().engine) as session:
        return answers.search(session, wanted, limit, offset)


@router.get("/sightings")
def list_sightings(
    wanted: Annotated[PlateFilter, Depends(plate_filter)], limit: Annotated[int, Query(ge=1, le=2000)] = 500
) -> list[answers.SightingPlace]:
    """Sightings in a region and time, newest first: what a map's window shows. ``q`` and ``near`` do not count here."""
    with reading(system.current().engine) as session:
        return answers.sightings(session, wanted, limit)
