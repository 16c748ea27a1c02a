"""Videos: lists of them, newest first, and one with all that is known of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Select, func, or_, select, tuple_
from sqlalchemy.orm import Session

from dashcam.catalog import holdings, sightings
from dashcam.catalog.companions import Companion, companions
from dashcam.catalog.models import PositionRow, SightingRow, Video
from dashcam.catalog.paging import Cursor
from dashcam.catalog.places import overlapping
from dashcam.catalog.sightings import SightingCard
from dashcam.catalog.work import TaskLine, pending_of, task_lines, task_of
from dashcam.gps.trips import PARKING
from dashcam.records import HoldingKind, VideoFacts

WHEN = func.coalesce(Video.start_utc, Video.created_at)
"""When a clip starts; before it was looked at, when it was found."""


@dataclass(frozen=True)
class VideoCard:
    video_id: str
    name: str
    when: datetime
    """When the clip starts; before it was looked at, when it was found."""
    start_utc: datetime | None
    guessed: bool
    """That is the file's own date, for nothing else says when it began."""
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
class Removed:
    """What a rule has let go of a clip that has been through."""

    kind: HoldingKind
    removed_at: datetime
    rule: str


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
    sightings: list[SightingCard]
    task: TaskLine | None
    removed: list[Removed]


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


def videos(
    session: Session, wanted: VideoFilter = VideoFilter(), after: Cursor | None = None, limit: int = 48
) -> list[VideoCard]:
    """Videos by their time, newest first; what has not been looked at yet stands at the time it was found."""
    query = newest_first(wanted)
    if after is not None:
        query = query.where(tuple_(WHEN, Video.video_id) < (after.when, after.key))
    rows = session.execute(query.add_columns(WHEN).limit(limit)).all()
    ids = [video.video_id for video, _ in rows]
    seen = select(SightingRow.video_id, func.count(SightingRow.plate_id.distinct()))
    confirmed = seen.where(SightingRow.video_id.in_(ids), SightingRow.confirmed).group_by(SightingRow.video_id)
    plates = dict(session.execute(confirmed).tuples().all())
    pending = {line.video_id: line for line in task_lines(session, pending_of(ids))}
    return [video_card(video, at, plates.get(video.video_id, 0), pending.get(video.video_id)) for video, at in rows]


def latest(session: Session, limit: int) -> list[VideoCard]:
    """The newest that are through, with others where there are too few of them: there is something to see of those, and
    a clip that comes through takes nobody's place but the last one's."""
    through = videos(session, VideoFilter(outcome="processed"), limit=limit)
    if len(through) == limit:
        return through
    ids = {card.video_id for card in through}
    others = [card for card in videos(session, limit=2 * limit) if card.video_id not in ids]
    return sorted([*through, *others[: limit - len(through)]], key=lambda card: card.cursor, reverse=True)


def numbered(
    session: Session, wanted: VideoFilter = VideoFilter(), limit: int = 100, offset: int = 0
) -> tuple[list[Video], int]:
    """The same by number: a page of the rows themselves, and how many there are in all."""
    total = session.scalar(select(func.count()).select_from(Video).where(*video_conditions(wanted))) or 0
    return list(session.scalars(newest_first(wanted).limit(limit).offset(offset))), total


def newest_first(wanted: VideoFilter) -> Select[tuple[Video]]:
    return select(Video).where(*video_conditions(wanted)).order_by(WHEN.desc(), Video.video_id.desc())


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
    if wanted.since is not None:
        conditions.append(wanted.since <= WHEN)
    if wanted.until is not None:
        conditions.append(wanted.until > WHEN)
    return conditions


def video_card(video: Video, when: datetime, plates: int, task: TaskLine | None) -> VideoCard:
    return VideoCard(
        video_id=video.video_id,
        name=video.name,
        when=when,
        start_utc=video.start_utc,
        guessed=(video.facts or {}).get("clock") == "file",
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


def facts_of(stored: Any) -> VideoFacts | None:
    """What this version understands of them: a newer one, or a damaged disk, may have left others. None where the rest
    says too little."""
    try:
        return VideoFacts.model_validate(stored) if stored else None
    except ValidationError as error:
        strange = {one["loc"][0] for one in error.errors() if one["loc"]}
    try:
        return VideoFacts.model_validate({name: value for name, value in stored.items() if name not in strange})
    except (ValidationError, AttributeError):
        return None


def video(session: Session, video_id: str) -> VideoDetail | None:
    row = session.get(Video, video_id)
    if row is None:
        return None
    readings = (
        select(PositionRow.source, PositionRow.quality, func.count())
        .where(PositionRow.video_id == video_id)
        .group_by(PositionRow.source, PositionRow.quality)
        .order_by(PositionRow.source, PositionRow.quality)
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
        facts=facts_of(row.facts),
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
        sightings=sightings.of_video(session, video_id, reads=True),
        task=task_of(session, video_id),
        removed=[
            Removed(kind, row.removed_at, row.rule or "")
            for kind, row in sorted(holdings.of_video(session, video_id).items())
            if row.removed_at is not None
        ],
    )
