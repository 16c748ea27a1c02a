"""What the web pages ask: few queries per page, none of which reads more rows than it shows, whatever the size.

Lists run newest first and are continued with a `Cursor`, so that page 1,000 costs what page 1 costs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, func, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from dashcam.catalog.companions import Companion, companions
from dashcam.catalog.models import Plate, Position, Sighting, Video
from dashcam.catalog.places import overlapping
from dashcam.catalog.plate_text import normalised
from dashcam.catalog.work import TaskLine, pending_of, task_lines, task_of
from dashcam.gps.place import Estimate
from dashcam.gps.trips import PARKING
from dashcam.records import VideoFacts


class Cursor(NamedTuple):
    """The last entry shown: its time and its key."""

    when: datetime
    key: Any


@dataclass(frozen=True)
class Totals:
    videos: int
    footage_s: float
    plates: int
    sightings: int


@dataclass(frozen=True)
class VideoCard:
    video_id: str
    name: str
    when: datetime
    """When the clip starts; before it was looked at, when it was found."""
    start_utc: datetime | None
    duration_s: float | None
    trip_id: int | None
    camera: str | None
    kind: str
    locked: bool
    """Protected in the camera."""
    poster: str | None
    outcome: str | None
    reason: str | None
    plates: int
    task: TaskLine | None
    """What is still to be done, if anything."""

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.when, self.video_id)


@dataclass(frozen=True)
class SightingCard:
    sighting_id: int
    text: str
    confidence: float
    confirmed: bool
    video_id: str
    video_name: str
    camera: str | None
    first_s: float
    last_s: float
    best_s: float
    crop: str
    frame: str
    seen_utc: datetime | None
    lat: float | None
    lon: float | None
    speed_mps: float | None
    heading_deg: float | None
    estimate: Estimate | None = None
    """Where the other car may have been."""

    @property
    def cursor(self) -> Cursor | None:
        return Cursor(self.seen_utc, self.sighting_id) if self.seen_utc else None


@dataclass(frozen=True)
class PlateCard:
    """A plate with how many sightings there are, the time of the first, and the newest."""

    plate_id: int
    text: str
    sightings: int
    first_seen: datetime | None
    last: SightingCard

    @property
    def cursor(self) -> Cursor | None:
        return Cursor(self.last.seen_utc, self.plate_id) if self.last.seen_utc else None


@dataclass(frozen=True)
class PlateSummary:
    plate_id: int
    text: str
    sightings: int
    confirmed: int
    placed: int
    """How many of the sightings have a position."""
    videos: int
    first_seen: datetime | None
    last_seen: datetime | None


@dataclass(frozen=True)
class FollowedSighting(SightingCard):
    """A sighting with where its plate was in the picture: ``(t_s, x0, y0, x1, y1)`` per read, source pixels."""

    boxes: list[tuple[float, float, float, float, float]] = field(default_factory=list)


@dataclass(frozen=True)
class VideoDetail:
    video_id: str
    name: str
    source: str
    created_at: datetime
    start_utc: datetime | None
    duration_s: float | None
    trip: str | None
    trip_id: int | None
    clock: str | None
    camera: str | None
    facts: VideoFacts | None
    frames_decoded: int | None
    frames_looked_at: int | None
    models: dict[str, str]
    media: str | None
    poster: str | None
    outcome: str | None
    reason: str | None
    positions: int
    readings: list[tuple[str, str, int]]
    """How many of them by source and quality."""
    beside: bool
    """Whether another camera's clip has positions for the same time."""
    companions: list[Companion]
    sightings: list[FollowedSighting]
    task: TaskLine | None


@dataclass(frozen=True)
class VideoFilter:
    text: str = ""
    """Part of the file name or of the folder it came in."""
    camera: str = ""
    outcome: str = ""
    """``processed``, ``rejected``, ``vanished``, ``pending``, or empty for all."""
    since: datetime | None = None
    until: datetime | None = None
    """Not included; a day's page asks from midnight to midnight."""
    trip_id: int | None = None
    parked: bool | None = None
    """Only clips of the parked car, or only all others."""


def totals(session: Session) -> Totals:
    videos, footage_s = session.execute(select(func.count(), func.sum(Video.duration_s)).select_from(Video)).one()
    confirmed = select(func.count(Sighting.plate_id.distinct()), func.count()).where(Sighting.confirmed)
    plates, sightings = session.execute(confirmed).one()
    return Totals(videos=videos, footage_s=footage_s or 0.0, plates=plates, sightings=sightings)


def videos(
    session: Session, wanted: VideoFilter = VideoFilter(), after: Cursor | None = None, limit: int = 48
) -> list[VideoCard]:
    """Videos by their time, newest first; what has not been looked at yet stands at the time it was found."""
    when = func.coalesce(Video.start_utc, Video.created_at)
    query = select(Video, when).where(*video_conditions(wanted)).order_by(when.desc(), Video.video_id.desc())
    if after is not None:
        query = query.where(tuple_(when, Video.video_id) < (after.when, after.key))
    rows = session.execute(query.limit(limit)).all()
    ids = [video.video_id for video, _ in rows]
    seen = select(Sighting.video_id, func.count(Sighting.plate_id.distinct()))
    confirmed = seen.where(Sighting.video_id.in_(ids), Sighting.confirmed).group_by(Sighting.video_id)
    plates = dict(session.execute(confirmed).tuples().all())
    pending = {line.video_id: line for line in task_lines(session, pending_of(ids))}
    return [video_card(video, at, plates.get(video.video_id, 0), pending.get(video.video_id)) for video, at in rows]


def video_conditions(wanted: VideoFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.text:
        conditions.append(
            or_(Video.name.icontains(wanted.text, autoescape=True), Video.trip.icontains(wanted.text, autoescape=True))
        )
    if wanted.trip_id is not None:
        conditions.append(Video.trip_id == wanted.trip_id)
    if wanted.parked is not None:
        parked = func.coalesce(Video.facts["kind"].as_string(), "normal") == PARKING
        conditions.append(parked if wanted.parked else ~parked)
    if wanted.camera:
        conditions.append(Video.camera == wanted.camera)
    if wanted.outcome:
        conditions.append(Video.outcome.is_(None) if wanted.outcome == "pending" else Video.outcome == wanted.outcome)
    when = func.coalesce(Video.start_utc, Video.created_at)
    if wanted.since is not None:
        conditions.append(when >= wanted.since)
    if wanted.until is not None:
        conditions.append(when < wanted.until)
    return conditions


def video_card(video: Video, when: datetime, plates: int, task: TaskLine | None) -> VideoCard:
    return VideoCard(
        video_id=video.video_id,
        name=video.name,
        when=when,
        start_utc=video.start_utc,
        duration_s=video.duration_s,
        trip_id=video.trip_id,
        camera=video.camera,
        kind=(video.facts or {}).get("kind", "normal"),
        locked=(video.facts or {}).get("locked", False),
        poster=video.poster,
        outcome=video.outcome,
        reason=video.reason,
        plates=plates,
        task=task,
    )


def cameras(session: Session) -> list[str]:
    """The cameras that clips come from, each found by one step through the index."""
    found: list[str] = []
    while name := session.scalar(select(func.min(Video.camera)).where(Video.camera > (found[-1] if found else ""))):
        found.append(name)
    return found


def video(session: Session, video_id: str) -> VideoDetail | None:
    row = session.get(Video, video_id)
    if row is None:
        return None
    sightings = session.execute(
        sighting_columns()
        .add_columns(Sighting.box, Sighting.reads)
        .where(Sighting.video_id == video_id)
        .order_by(Sighting.first_s)
    )
    readings = (
        select(Position.source, Position.quality, func.count())
        .where(Position.video_id == video_id)
        .group_by(Position.source, Position.quality)
        .order_by(Position.source, Position.quality)
    )
    counted = [(source, quality, count) for source, quality, count in session.execute(readings)]
    return VideoDetail(
        video_id=row.video_id,
        name=row.name,
        source=row.source,
        created_at=row.created_at,
        start_utc=row.start_utc,
        duration_s=row.duration_s,
        trip=row.trip,
        trip_id=row.trip_id,
        clock=row.clock,
        camera=row.camera,
        facts=VideoFacts.model_validate(row.facts) if row.facts else None,
        frames_decoded=row.frames_decoded,
        frames_looked_at=row.frames_looked_at,
        models=row.models or {},
        media=row.media,
        poster=row.poster,
        outcome=row.outcome,
        reason=row.reason,
        positions=sum(count for _, _, count in counted),
        readings=counted,
        beside=any(other.drive is not None for other in overlapping(session, row)),
        companions=companions(session, row),
        sightings=[followed(*columns) for columns in sightings],
        task=task_of(session, video_id),
    )


def followed(*columns: Any) -> FollowedSighting:
    *card, box, reads = columns
    one = card_of(card)
    boxes = {float(read["t_s"]): read["box"] for read in reads} | {one.best_s: box}
    return FollowedSighting(**vars(one), boxes=[(t_s, *boxes[t_s]) for t_s in sorted(boxes)])


def plate(session: Session, text: str) -> PlateSummary | None:
    """The plate by its text as a person would type it; None when it has never been seen."""
    query = (
        select(
            Plate.plate_id,
            Plate.text,
            func.count(),
            func.count().filter(Sighting.confirmed),
            func.count(Sighting.lat),
            func.count(Sighting.video_id.distinct()),
            func.min(Sighting.seen_utc),
            func.max(Sighting.seen_utc),
        )
        .join(Plate.sightings)
        .where(or_(Plate.text == text, Plate.text == normalised(text)))
        .group_by(Plate.plate_id)
        .order_by(Plate.text != text)
        .limit(1)
    )
    row = session.execute(query).first()
    return None if row is None else PlateSummary(*row)


def sightings_of(
    session: Session, plate_id: int, after: Cursor | None = None, limit: int = 60, placed: bool = False
) -> Sequence[SightingCard]:
    """One plate's sightings, newest first; ``placed`` only those with a position."""
    query = sighting_columns().where(Sighting.plate_id == plate_id)
    if placed:
        query = query.where(Sighting.lat.is_not(None))
    if after is not None:
        query = query.where(tuple_(Sighting.seen_utc, Sighting.sighting_id) < (after.when, after.key))
    query = query.order_by(Sighting.seen_utc.desc(), Sighting.sighting_id.desc()).limit(limit)
    return [card_of(row) for row in session.execute(query)]


def sightings_in(session: Session, video_id: str, confirmed_only: bool = True) -> Sequence[SightingCard]:
    """One video's sightings in the order of its time."""
    wanted = [Sighting.confirmed] if confirmed_only else []
    query = sighting_columns().where(Sighting.video_id == video_id, *wanted).order_by(Sighting.first_s)
    return [card_of(row) for row in session.execute(query)]


def sightings_on(session: Session, trip_id: int, limit: int) -> Sequence[SightingCard]:
    """One trip's confirmed sightings in order of time."""
    query = sighting_columns().where(Video.trip_id == trip_id, Sighting.confirmed)
    query = query.order_by(Sighting.seen_utc, Sighting.sighting_id).limit(limit)
    return [card_of(row) for row in session.execute(query)]


def card_of(columns: Sequence[Any]) -> SightingCard:
    card = [*columns]
    card[-1] = Estimate.model_validate(card[-1]) if card[-1] else None
    return SightingCard(*card)


def sighting_columns() -> Select[Any]:
    """The fields of `SightingCard` in their order, without the reads, which weigh a hundred times as much."""
    columns: list[ColumnElement[Any] | InstrumentedAttribute[Any]] = [
        Sighting.sighting_id,
        Plate.text,
        Sighting.confidence,
        Sighting.confirmed,
        Sighting.video_id,
        Video.name,
        Video.camera,
        Sighting.first_s,
        Sighting.last_s,
        Sighting.best_s,
        Sighting.crop,
        Sighting.frame,
        Sighting.seen_utc,
        Sighting.lat,
        Sighting.lon,
        Sighting.speed_mps,
        Sighting.heading_deg,
        Sighting.estimate,
    ]
    return (
        select(*columns)
        .join(Plate, Plate.plate_id == Sighting.plate_id)
        .join(Video, Video.video_id == Sighting.video_id)
    )
