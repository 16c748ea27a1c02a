"""Videos in and out: ingest, lists, one with all that is known of it, and its track."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field

from app import rereading, system, zones
from app.access import callers
from app.api.plates import SightingAnswer, sighting_answer
from app.parameters import Number, TimeRange, time_range
from dashcam import records
from dashcam.catalog import again, arrival, places, videos
from dashcam.catalog.companions import Companion
from dashcam.catalog.models import Video
from dashcam.catalog.videos import VideoFilter
from dashcam.database import reading, writing
from dashcam.gps import home
from dashcam.tasks.model import InputRef, Listed, TaskType

router = APIRouter(tags=["videos"])


class IngestRequest(BaseModel):
    files: list[InputRef] = Field(max_length=20_000)
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


class IntakePause(BaseModel):
    store: str = Field(max_length=200)
    reason: str = Field(max_length=4000)


class VideoSummary(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    video_id: str
    name: str
    source: str
    outcome: str | None
    reason: str | None
    start_utc: datetime | None
    duration_s: float | None
    trip: str | None
    trip_id: int | None
    clock: records.ClockKind | None
    camera: str | None


class VideoAnswer(VideoSummary):
    frames_decoded: int | None
    frames_looked_at: int | None
    models: dict[str, str]
    positions: int
    media: str | None
    facts: dict[str, Any] | None
    companions: list[Companion]
    """What the car's other cameras recorded at the same time."""
    sightings: list[SightingAnswer]
    removed: list[videos.Removed]
    """What of it a rule has let go, and when; its crops and frames stay."""


class AgainRequest(BaseModel):
    stage: TaskType


class AgainAnswer(BaseModel):
    task_id: int
    by_crops: bool
    """The clip itself is gone: its archive's crops are read."""


class VideoPage(BaseModel):
    videos: list[VideoSummary]
    total: int


@router.post("/ingest")
def ingest(request: IngestRequest) -> list[arrival.Arrival]:
    """Take note of clips; each new one becomes an INGEST_VIDEO task, a known one costs a look at its size and time.

    Hidden files, partial downloads and files that may still grow are ``waiting``, unless they are vouched for.
    """
    here = system.current()
    callers.only_its_own(lambda its: its.of_stores(file.device for file in request.files))
    ensure_room(here)
    settling = None if request.vouched else here.settling
    settle_s = here.site.dispatch.settle_seconds
    seen = arrival.look(here.engine, here.stores, request.files, settling, settle_s)
    with writing(here.engine) as session:
        arrivals = arrival.admit(session, seen)
    here.wake()
    return arrivals


@router.post("/scan")
def scan(request: ScanRequest) -> ScanAnswer:
    """Which files of a listing to hand in; what is known at its size and time costs a line of one query."""
    here = system.current()
    callers.only_its_own(lambda its: its.of_stores([request.store]))
    ensure_room(here)
    here.shortages.over(request.store)
    with reading(here.engine) as session:
        unknown = arrival.unknown(session, request.store, request.files)
    settle_s = here.site.dispatch.settle_seconds
    wanted = [
        file.path
        for file in unknown
        if here.settling.settled(f"{request.store}:{file.path}", file.size, file.mtime_ns, settle_s)
    ]
    return ScanAnswer(wanted=wanted, waiting=len(unknown) - len(wanted))


@router.post("/scan/paused")
def scan_paused(pause: IntakePause) -> None:
    """The store has too little room for anything more to be taken in from it; the next scan looks again."""
    callers.only_its_own(lambda its: its.of_stores([pause.store]))
    system.current().shortages.intake(pause.store, pause.reason)


def ensure_room(here: system.System) -> None:
    """Raises 507: what is known is kept, and nothing more is taken in, before the database's disk is full."""
    if (why := here.shortages.of_database()) is not None:
        raise HTTPException(507, why)


@router.get("/videos")
def list_videos(
    times: Annotated[TimeRange, Depends(time_range)],
    outcome: Literal["processed", "rejected", "vanished", "pending"] | None = None,
    camera: str = "",
    trip: Number | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Number = 0,
) -> VideoPage:
    """Videos, newest first; what was not looked at yet stands at the time it was found."""
    wanted = VideoFilter(camera=camera, outcome=outcome or "", since=times.since, until=times.until, trip_id=trip)
    with reading(system.current().engine) as session:
        page, total = videos.numbered(session, wanted, limit, offset)
        return VideoPage(videos=[VideoSummary.model_validate(one) for one in page], total=total)


@router.get("/videos/{video_id}")
def get_video(video_id: str) -> VideoAnswer:
    """One video with everything seen in it."""
    with reading(system.current().engine) as session:
        found = videos.video(session, video_id)
    if found is None:
        raise HTTPException(404, f"There is no video {video_id}.")
    facts = found.facts and found.facts.model_dump(mode="json", exclude={"fixes"})
    seen = [sighting_answer(one) for one in found.sightings]
    return VideoAnswer.model_validate(vars(found) | {"facts": facts, "sightings": seen})


@router.get("/videos/{video_id}/track")
def get_track(video_id: str) -> list[records.Fix]:
    """The clip's GPS fixes in order of media time; for viewers those outside the home zones."""
    with reading(system.current().engine) as session:
        return home.outside(zones.hidden(), places.fixes_of(session, video_id))


@router.post("/videos/{video_id}/again", status_code=201)
def do_again(video_id: str, request: AgainRequest) -> AgainAnswer:
    """Do the clip again from that stage on. What is known of it stays until there is something new.

    409 where it has not come so far, or where the stage needs the clip and its file is gone; of an
    archived one the plates are read again in its crops then.
    """
    here = system.current()
    with reading(here.engine) as session:
        if session.get(Video, video_id) is None:
            raise HTTPException(404, f"There is no video {video_id}.")
    try:
        return AgainAnswer(**rereading.begin(here, video_id, request.stage)._asdict())
    except again.NotAgain as refused:
        raise HTTPException(409, str(refused)) from refused
