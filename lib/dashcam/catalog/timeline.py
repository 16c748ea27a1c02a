"""A trip, or one clip, on one axis of seconds: where each clip lies, what was seen, what happened. What plays it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from dashcam.catalog import sightings
from dashcam.catalog.models import Holding, Plate, SightingRow, TripRow, Video
from dashcam.catalog.places import track_of
from dashcam.config.privacy import Zone
from dashcam.gps import home
from dashcam.gps.drive import Drive
from dashcam.gps.trips import CAMERA_ORDER, PARKING, TripEvent

MOST_CLIPS = 5000
MOST_SEEN = 3000


class PlacedClip(BaseModel):
    """``at_s`` is where its first frame lies on the axis."""

    video_id: str
    name: str
    camera: str
    at_s: float
    length_s: float
    width: int
    height: int
    fps: float
    playable: bool
    """Its small copy is there, as far as the catalogue knows."""
    poster: str | None
    mean_mps: float | None
    """Over the whole clip, from its positions."""


class PlacedPlate(BaseModel):
    """A sighting; its seconds are the axis'."""

    sighting_id: int
    video_id: str
    text: str
    confirmed: bool
    first_s: float
    last_s: float
    best_s: float


class PlacedEvent(BaseModel):
    kind: str
    at_s: float
    value: float


class Timeline(BaseModel):
    start_utc: datetime | None
    """Of second 0; None where nobody knows."""
    length_s: float
    cameras: list[str]
    """The one that is looked at first comes first."""
    clips: list[PlacedClip]
    """In order of time."""
    plates: list[PlacedPlate]
    """In order of time; at most `MOST_SEEN`."""
    more_plates: bool
    events: list[PlacedEvent]


class SeenPlate(BaseModel):
    """One sighting with its boxes: ``[t_s, x0, y0, x1, y1]``, seconds of the clip and pixels of the source."""

    sighting_id: int
    text: str
    confirmed: bool
    first_s: float
    last_s: float
    best_s: float
    frame: str
    boxes: list[list[float]]


class ClipInside(BaseModel):
    """What is in one clip, in its own seconds."""

    plates: list[SeenPlate]
    speeds: list[tuple[float, float]]
    """``(t_s, metres a second)``."""


def of_trip(session: Session, trip_id: int, cut: Sequence[Zone] = ()) -> Timeline | None:
    """The driven clips of a trip, its confirmed sightings and what happened outside of these zones; None where there is
    no such trip."""
    trip = session.get(TripRow, trip_id)
    if trip is None:
        return None
    clips = _clips(session, trip.start_utc, Video.trip_id == trip_id, _kind() != PARKING)
    at = {clip.video_id: clip.at_s for clip in clips}
    seen = _plates(session, at, Video.trip_id == trip_id, SightingRow.confirmed.is_(True))
    events = [
        PlacedEvent(kind=one.kind, at_s=round(at[one.video_id] + one.t_s, 3), value=one.value)
        for one in map(TripEvent.model_validate, trip.events)
        if one.video_id in at and not home.is_inside(cut, one.lat, one.lon)
    ]
    return _timeline(trip.start_utc, clips, seen, events)


def of_video(session: Session, video_id: str, cut: Sequence[Zone] = ()) -> Timeline | None:
    """One clip with all its sightings, from its first frame; None where there is no such clip."""
    video = session.get(Video, video_id)
    if video is None:
        return None
    clips = _clips(session, video.start_utc, Video.video_id == video_id)
    seen = _plates(session, {video_id: 0.0}, Video.video_id == video_id)
    events = [
        PlacedEvent(kind=one.kind, at_s=one.t_s, value=one.value)
        for one in (Drive.model_validate(video.drive).events if video.drive else ())
        if not home.is_inside(cut, one.lat, one.lon)
    ]
    return _timeline(video.start_utc, clips, seen, events)


def inside(session: Session, video_id: str) -> ClipInside | None:
    """The boxes and speeds of one clip; None where there is no such clip."""
    video = session.get(Video, video_id)
    if video is None:
        return None
    plates = [
        SeenPlate(
            sighting_id=one.sighting_id,
            text=one.text,
            confirmed=one.confirmed,
            first_s=one.first_s,
            last_s=one.last_s,
            best_s=one.best_s,
            frame=one.frame,
            boxes=[[round(value, 3) for value in box] for box in one.followed()],
        )
        for one in sightings.of_video(session, video_id, reads=True)
    ]
    fixes = track_of(session, video)
    speeds = [(round(fix.t_s, 2), round(fix.speed_mps, 2)) for fix in fixes if fix.speed_mps is not None]
    return ClipInside(plates=plates, speeds=speeds)


def _timeline(
    start: datetime | None, clips: list[PlacedClip], plates: list[PlacedPlate], events: list[PlacedEvent]
) -> Timeline:
    cameras = sorted({clip.camera for clip in clips}, key=lambda name: (CAMERA_ORDER.get(name, 9), name))
    return Timeline(
        start_utc=start,
        length_s=round(max((clip.at_s + clip.length_s for clip in clips), default=0.0), 3),
        cameras=cameras,
        clips=clips,
        plates=plates[:MOST_SEEN],
        more_plates=len(plates) > MOST_SEEN,
        events=sorted(events, key=lambda one: one.at_s),
    )


def _clips(session: Session, start: datetime | None, *wanted: ColumnElement[bool]) -> list[PlacedClip]:
    """Of each clip no more than its place and size: a trip of a day has thousands, and their facts weigh."""
    gone = select(Holding.video_id).join(Video, Video.video_id == Holding.video_id)
    gone = gone.where(Holding.kind == "lowres", Holding.removed_at.is_not(None), *wanted)
    removed = set(session.scalars(gone))
    columns = (
        Video.video_id,
        Video.name,
        Video.camera,
        Video.start_utc,
        Video.duration_s,
        Video.media,
        Video.poster,
        *(Video.facts[name].as_integer().label(name) for name in ("width", "height")),
        Video.facts["fps"].as_float().label("fps"),
        Video.drive["distance_m"].as_float().label("distance_m"),
    )
    query = select(*columns).where(Video.duration_s > 0, *wanted)
    rows = session.execute(query.order_by(Video.start_utc, Video.video_id).limit(MOST_CLIPS))
    return [
        PlacedClip(
            video_id=row.video_id,
            name=row.name,
            camera=row.camera or "",
            at_s=round((row.start_utc - start).total_seconds(), 3) if start and row.start_utc else 0.0,
            length_s=round(row.duration_s, 3),
            width=row.width or 16,
            height=row.height or 9,
            fps=row.fps or 0.0,
            playable=row.media is not None and row.video_id not in removed,
            poster=row.poster,
            mean_mps=None if row.distance_m is None else round(row.distance_m / row.duration_s, 2),
        )
        for row in rows
    ]


def _plates(session: Session, at: Mapping[str, float], *wanted: ColumnElement[bool]) -> list[PlacedPlate]:
    """Without what weighs in a sighting's row: its reads are behind the columns that are asked for here."""
    columns = (
        SightingRow.sighting_id,
        SightingRow.video_id,
        Plate.text,
        SightingRow.confirmed,
        SightingRow.first_s,
        SightingRow.last_s,
        SightingRow.best_s,
    )
    query = select(*columns).join(Plate, Plate.plate_id == SightingRow.plate_id)
    query = query.join(Video, Video.video_id == SightingRow.video_id).where(*wanted)
    rows = session.execute(query.order_by(Video.start_utc, SightingRow.first_s).limit(MOST_SEEN + 1)).mappings()
    return [
        PlacedPlate(
            **{name: row[name] for name in ("sighting_id", "video_id", "text", "confirmed")},
            **{name: round(at[row["video_id"]] + row[name], 3) for name in ("first_s", "last_s", "best_s")},
        )
        for row in rows
        if row["video_id"] in at
    ]


def _kind() -> ColumnElement[str]:
    return func.coalesce(Video.facts["kind"].as_string(), "normal")
