"""What the REST API answers about videos and plates."""

from datetime import datetime
from typing import cast

from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from dashcam import records
from dashcam.catalog.companions import Companion, companions
from dashcam.catalog.models import Plate, PositionRow, SightingRow, Video
from dashcam.catalog.places import fixes_of
from dashcam.catalog.plate_text import normalised
from dashcam.catalog.search import PlateFilter, plates
from dashcam.catalog.search import sightings as search_sightings
from dashcam.gps.place import Estimate
from dashcam.gps.track import Quality
from dashcam.storage import layout


class SightingAnswer(BaseModel):
    video_id: str
    text: str
    confidence: float
    confirmed: bool
    first_s: float
    last_s: float
    best_s: float
    reads: int
    box: records.Box
    crop: str
    """``store:path`` of the crop that was read."""
    seen_utc: datetime | None
    lat: float | None
    lon: float | None
    accuracy_m: float | None
    place_quality: Quality | None
    """Of our own place: at a fix, between two, or beyond the last one."""
    estimate: Estimate | None
    """Where the other car may have been."""


class SightingPlace(BaseModel):
    """A sighting as a map needs it."""

    sighting_id: int
    text: str
    video_id: str
    best_s: float
    seen_utc: datetime | None
    lat: float | None
    lon: float | None


class VideoSummary(BaseModel):
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
    models: dict[str, str] | None
    positions: int
    media: str | None
    facts: dict[str, object] | None
    companions: list[Companion]
    """What the car's other cameras recorded at the same time."""
    sightings: list[SightingAnswer]


class VideoPage(BaseModel):
    videos: list[VideoSummary]
    total: int


class PlateAnswer(BaseModel):
    text: str
    sightings: int
    first_seen: datetime | None
    last_seen: datetime | None


class PlateDetail(PlateAnswer):
    seen: list[SightingAnswer]


def videos(session: Session, outcome: str | None, limit: int, offset: int) -> VideoPage:
    query = select(Video)
    if outcome is not None:
        query = query.where(Video.outcome.is_(None) if outcome == "pending" else Video.outcome == outcome)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    page = query.order_by(Video.start_utc.desc(), Video.video_id).limit(limit).offset(offset)
    return VideoPage(videos=[VideoSummary(**summary(video)) for video in session.scalars(page)], total=total)


def video(session: Session, video_id: str) -> VideoAnswer | None:
    with_plates = selectinload(Video.sightings).joinedload(SightingRow.plate)
    found = session.get(Video, video_id, options=[with_plates])
    if found is None:
        return None
    positions = session.scalar(select(func.count()).where(PositionRow.video_id == video_id)) or 0
    return VideoAnswer(
        **summary(found),
        frames_decoded=found.frames_decoded,
        frames_looked_at=found.frames_looked_at,
        models=found.models,
        positions=positions,
        media=found.media,
        facts=found.facts,
        companions=companions(session, found),
        sightings=[sighting_answer(one, found) for one in found.sightings],
    )


def track(session: Session, video_id: str) -> list[records.Fix]:
    return list(fixes_of(session, video_id))


def plate(session: Session, text: str) -> PlateDetail | None:
    query = (
        select(SightingRow, Video)
        .join(SightingRow.plate)
        .join(SightingRow.video)
        .where(Plate.text == normalised(text))
        .order_by(SightingRow.seen_utc.desc())
    )
    seen = [sighting_answer(one, of) for one, of in session.execute(query)]
    times = [one.seen_utc for one in seen if one.seen_utc is not None]
    if not seen:
        return None
    return PlateDetail(
        text=seen[0].text,
        sightings=len(seen),
        first_seen=min(times, default=None),
        last_seen=max(times, default=None),
        seen=seen,
    )


def search(session: Session, wanted: PlateFilter, limit: int, offset: int) -> list[PlateAnswer]:
    """The plates that match, last seen first, or nearest first."""
    found = plates(session, wanted, limit=offset + limit)[offset:]
    return [
        PlateAnswer(text=one.text, sightings=one.sightings, first_seen=one.first_seen, last_seen=one.last.seen_utc)
        for one in found
    ]


def sightings(session: Session, wanted: PlateFilter, limit: int) -> list[SightingPlace]:
    found = search_sightings(session, wanted, limit=limit)
    return [SightingPlace(**{name: getattr(one, name) for name in SightingPlace.model_fields}) for one in found]


def summary(video: Video) -> dict[str, object]:
    return {field: getattr(video, field) for field in VideoSummary.model_fields}


def sighting_answer(one: SightingRow, of: Video) -> SightingAnswer:
    return SightingAnswer(
        video_id=of.video_id,
        text=one.plate.text,
        confidence=one.confidence,
        confirmed=one.confirmed,
        first_s=one.first_s,
        last_s=one.last_s,
        best_s=one.best_s,
        reads=len(one.reads),
        box=(one.box[0], one.box[1], one.box[2], one.box[3]),
        crop=layout.address(of.media or "", one.crop),
        seen_utc=one.seen_utc,
        lat=one.lat,
        lon=one.lon,
        accuracy_m=one.accuracy_m,
        place_quality=cast(Quality | None, one.place_quality),
        estimate=Estimate.model_validate(one.estimate) if one.estimate else None,
    )
