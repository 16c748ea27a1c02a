"""Trips are derived again around every clip that comes or changes, with a person's decisions applied.

Deriving is a replacement within a stretch of time, so doing it twice changes nothing. A trip keeps its number as long
as most of its clips are still together.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, delete, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from dashcam.catalog.models import TripDecision, TripRow, Video
from dashcam.catalog.places import fixes_of
from dashcam.config.model import TripSettings
from dashcam.database import reading, writing
from dashcam.gps import trips as rules
from dashcam.gps.drive import Drive, drive_of
from dashcam.gps.restart import counter_of

CHUNK = 200
APART = timedelta(days=1)
LOCK = 0x7419
"""Any number that is no other lock's."""


def derive_around(session: Session, videos: Iterable[Video], settings: TripSettings) -> None:
    """Derive the trips anew that these clips are in, were in, or may now be in."""
    session.flush()
    spans: list[tuple[datetime, datetime]] = []
    for video in videos:
        old = session.get(TripRow, video.trip_id) if video.trip_id is not None else None
        if old is not None:
            spans.append((old.start_utc, old.end_utc))
        if video.start_utc is not None:
            spans.append((video.start_utc, video.start_utc + timedelta(seconds=video.duration_s or 0)))
        if (video.outcome == "rejected" and video.drive is None) or (old and _elsewhere(video, old)):
            video.trip_id = None
    session.flush()
    for start, end in _stretches(spans):
        derive(session, start, end, settings)


def _elsewhere(video: Video, trip: TripRow) -> bool:
    return video.start_utc is None or not trip.start_utc - APART <= video.start_utc <= trip.end_utc + APART


def _stretches(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """The spans, those less than a day apart as one."""
    joined: list[tuple[datetime, datetime]] = []
    for start, end in sorted(spans):
        if joined and start - joined[-1][1] <= APART:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def one_at_a_time(session: Session) -> None:
    """Two transactions that derive at once would each miss the other's clips; SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(LOCK)))


def derive(session: Session, start: datetime, end: datetime, settings: TripSettings) -> None:
    """Derive every trip between two moments, and one to each side, which may join or take over parked clips."""
    one_at_a_time(session)
    before = session.scalar(select(func.max(TripRow.start_utc)).where(TripRow.start_utc < start))
    after = session.scalar(select(func.min(TripRow.start_utc)).where(TripRow.start_utc > end))
    next_one = after and session.scalar(select(func.min(TripRow.start_utc)).where(TripRow.start_utc > after))
    clips = clips_where(session, *_within(Video.start_utc, before, next_one))
    ids = [clip.video_id for clip in clips]
    decided = select(TripDecision.video_id, TripDecision.decision).where(TripDecision.video_id.in_(ids))
    decisions: dict[str, rules.Decision] = {
        video_id: "split" if word == "split" else "merge" for video_id, word in session.execute(decided)
    }
    found = rules.trips(clips, decisions, settings)
    stays = _store(session, clips, found, settings)
    standing = select(TripRow.trip_id).where(*_within(TripRow.start_utc, before, next_one))
    _forget_empty(session, set(session.scalars(standing)) - stays)


def catch_up(engine: Engine, settings: TripSettings) -> None:
    """Derive what an older version, which knew no trips, has left."""
    with reading(engine) as session:
        old = select(Video.video_id).where(Video.start_utc.is_not(None), Video.clock.is_(None)).limit(1)
        if session.scalar(old) is None:
            return
    derive_everything(engine, settings)


def derive_everything(engine: Engine, settings: TripSettings) -> None:
    """Summaries of all clips and all trips anew, in many short transactions, so that nobody waits."""
    moment: datetime | None = None
    while True:
        with writing(engine) as session:
            moment = derive_next(session, settings, moment)
        if moment is None:
            return


def derive_next(session: Session, settings: TripSettings, after: datetime | None = None) -> datetime | None:
    """Derive the trips of the next ``CHUNK`` clips; the moment to go on from, None at the end."""
    query = select(Video).where(Video.start_utc.is_not(None)).order_by(Video.start_utc)
    if after is not None:
        query = query.where(Video.start_utc > after)
    videos = session.scalars(query.limit(CHUNK)).all()
    for video in videos:
        describe(session, video, settings)
    session.flush()
    starts = [video.start_utc for video in videos if video.start_utc is not None]
    if not starts:
        return None
    derive(session, starts[0], starts[-1], settings)
    return starts[-1]


def describe(session: Session, video: Video, settings: TripSettings) -> None:
    """Write down the clip's summary, its number and whose clock it goes by; for clips of older versions too."""
    facts = video.facts or {}
    drive = drive_of(fixes_of(session, video.video_id), video.duration_s or 0.0, settings)
    video.drive = drive.model_dump(mode="json") if drive else None
    video.counter = counter_of(video.name)
    video.clock = facts.get("clock_kind", "utc" if facts.get("clock") == "gps" else "camera")


def _within(
    column: InstrumentedAttribute[Any], start: datetime | None, end: datetime | None
) -> list[ColumnElement[bool]]:
    """From one moment to just before another; None is without a limit."""
    return ([] if start is None else [column >= start]) + ([] if end is None else [column < end])


def clips_where(session: Session, *which: ColumnElement[bool]) -> list[rules.TripClip]:
    kind = Video.facts["kind"].as_string()
    query = select(Video.video_id, Video.start_utc, Video.duration_s, Video.camera, kind, Video.drive)
    # a clip without a picture still tells where the car was, if it has positions
    seen = or_(Video.outcome.is_(None), Video.outcome != "rejected", Video.drive.is_not(None))
    query = query.where(Video.start_utc.is_not(None), seen, *which)
    return [
        rules.TripClip(
            video_id,
            began,
            duration_s or 0.0,
            camera or "",
            kind or "normal",
            Drive.model_validate(drive) if drive else None,
        )
        for video_id, began, duration_s, camera, kind, drive in session.execute(query)
        if began is not None
    ]


def _store(
    session: Session, clips: Sequence[rules.TripClip], found: Sequence[rules.Trip], settings: TripSettings
) -> set[int]:
    """Write the trips and which clips are in them; the trips' numbers."""
    ids = [clip.video_id for clip in clips]
    numbers_now = select(Video.video_id, Video.trip_id).where(Video.video_id.in_(ids))
    was: dict[str, int | None] = {row.video_id: row.trip_id for row in session.execute(numbers_now)}
    numbers = _numbers(found, was)
    stays: set[int] = set()
    for trip, number in zip(found, numbers, strict=True):
        row = session.get(TripRow, number) if number is not None else None
        if row is None:
            row = TripRow()
            session.add(row)
        _fill(row, trip, settings)
        session.flush()
        stays.add(row.trip_id)
        moved = [clip.video_id for clip in [*trip.clips, *trip.parked] if was.get(clip.video_id) != row.trip_id]
        if moved:
            session.execute(update(Video).where(Video.video_id.in_(moved)).values(trip_id=row.trip_id))
    placed = {clip.video_id for trip in found for clip in [*trip.clips, *trip.parked]}
    alone = [video_id for video_id in ids if video_id not in placed and was.get(video_id) is not None]
    if alone:
        session.execute(update(Video).where(Video.video_id.in_(alone)).values(trip_id=None))
    return stays


def _numbers(found: Sequence[rules.Trip], was: dict[str, int | None]) -> list[int | None]:
    """Each trip's number from before: that of most of its clips, each number once, the larger share first."""
    shares = [
        (count, -index, number)
        for index, trip in enumerate(found)
        for number, count in Counter(was.get(clip.video_id) for clip in trip.clips).items()
        if number is not None
    ]
    numbers: list[int | None] = [None] * len(found)
    for _, place, number in sorted(shares, reverse=True):
        if numbers[-place] is None and number not in numbers:
            numbers[-place] = number
    return numbers


def _fill(row: TripRow, trip: rules.Trip, settings: TripSettings) -> None:
    stops = rules.stops(trip)
    long_stops = [stop for stop in stops if stop.duration_s >= settings.long_stop_minutes * 60]
    row.start_utc, row.end_utc = trip.start_utc, trip.end_utc
    row.clips, row.parked = len(trip.clips), len(trip.parked)
    row.cameras = sorted({clip.camera for clip in trip.clips if clip.camera})
    row.distance_m, row.moving_s, row.max_mps = round(trip.distance_m, 1), round(trip.moving_s, 1), trip.max_mps
    row.box = list(trip.box) if trip.box else None
    row.leads = [clip.video_id for clip in trip.leads]
    row.stops = [stop.model_dump(mode="json") for stop in stops]
    row.events = [event.model_dump(mode="json") for event in rules.events(trip, long_stops)]


def _forget_empty(session: Session, numbers: Iterable[int]) -> None:
    """Trips whose clips have all gone elsewhere."""
    for number in numbers:
        if session.scalar(select(func.count()).where(Video.trip_id == number)) == 0:
            session.execute(delete(TripRow).where(TripRow.trip_id == number))
