"""Trips are derived again around every clip that comes or changes, with a person's decisions applied.

Deriving is a replacement within a stretch of time, so doing it twice changes nothing. A trip keeps its number as long
as most of its clips are still together.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, delete, exists, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from dashcam.catalog.models import GUESSED, RouteRow, TripDecision, TripRow, Video
from dashcam.catalog.places import fixes_of
from dashcam.config.model import TripSettings
from dashcam.database import reading, writing
from dashcam.gps import trips as rules
from dashcam.gps.drive import Drive, drive_of
from dashcam.gps.restart import counter_of
from dashcam.records import Fix

CHUNK = 200
APART = timedelta(days=1)
LOCK = 0x7419
"""Any number that is no other lock's."""
Stretch = tuple[datetime, datetime]


def derive_around(session: Session, videos: Iterable[Video], settings: TripSettings) -> None:
    """Derive the trips anew that these clips are in, were in, or may now be in."""
    derive_spans(session, spans_of(session, videos), settings)


def derive_spans(session: Session, spans: Iterable[Stretch], settings: TripSettings) -> None:
    for start, end in _stretches(spans):
        derive(session, start, end, settings)


def spans_of(session: Session, videos: Iterable[Video]) -> list[Stretch]:
    """Where trips are to be derived anew because of these clips; those that have left their trip for good leave it."""
    session.flush()
    spans: list[Stretch] = []
    for video in videos:
        old = session.get(TripRow, video.trip_id) if video.trip_id is not None else None
        if old is not None:
            spans.append((old.start_utc, old.end_utc))
        if video.start_utc is not None:
            spans.append((video.start_utc, video.start_utc + timedelta(seconds=video.duration_s or 0)))
        if (video.outcome == "rejected" and video.drive is None) or (old and _elsewhere(video, old)):
            video.trip_id = None
    session.flush()
    return spans


def _elsewhere(video: Video, trip: TripRow) -> bool:
    return video.start_utc is None or not trip.start_utc - APART <= video.start_utc <= trip.end_utc + APART


def _stretches(spans: Iterable[Stretch]) -> list[Stretch]:
    """The spans, those less than a day apart as one."""
    joined: list[Stretch] = []
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
    found = rules.trips([clip for clip in clips if not clip.guessed], decisions, settings)
    stays = _store(session, clips, found, settings)
    standing = select(TripRow.trip_id).where(*_within(TripRow.start_utc, before, next_one))
    _forget_empty(session, set(session.scalars(standing)) - stays)


def catch_up(engine: Engine, settings: TripSettings, go_on: Callable[[], bool] = lambda: True) -> None:
    """Derive what an older version, which knew no trips, has left: clips without ``clock``.

    Whoever stops it, by ``go_on`` or by killing it, finds it going on there at the next start.
    """
    while go_on() and _derive_next(engine, settings, Video.clock.is_(None)) is not None:
        pass


def derive_everything(engine: Engine, settings: TripSettings) -> None:
    """Summaries of all clips and all trips anew."""
    moment = _derive_next(engine, settings)
    while moment is not None:
        moment = _derive_next(engine, settings, Video.start_utc > moment)


def _derive_next(engine: Engine, settings: TripSettings, *which: ColumnElement[bool]) -> datetime | None:
    """Summaries and trips of the next ``CHUNK`` of these clips in one short write transaction, for all that takes long
    is worked out before it; the moment they reach to, None where there was none."""
    columns = Video.video_id, Video.start_utc, Video.duration_s, Video.name, Video.facts, Video.drive
    with reading(engine) as session:
        query = select(*columns).where(Video.start_utc.is_not(None), *which).order_by(Video.start_utc).limit(CHUNK)
        clips = session.execute(query).all()
        found = [{"video_id": one.video_id} | summary(session, one, settings) for one in clips]
    if not clips:
        return None
    first: datetime = clips[0].start_utc
    last: datetime = clips[-1].start_utc
    was = {one.video_id: (one.start_utc, one.drive) for one in clips}
    with writing(engine) as session:
        one_at_a_time(session)
        now = select(Video.video_id, Video.start_utc, Video.drive).where(Video.video_id.in_(was))
        same = {video_id for video_id, *rest in session.execute(now) if tuple(rest) == was[video_id]}
        if still := [one for one in found if one["video_id"] in same]:
            session.execute(update(Video), still)
        derive(session, first, last, settings)
    return last


def derive_in_steps(engine: Engine, spans: Iterable[Stretch], settings: TripSettings) -> None:
    """Derive the trips of these spans a few at a time, then forget those whose clips have all gone elsewhere."""
    for start, end in _stretches(spans):
        while start <= end:
            later = select(Video.start_utc).where(Video.start_utc > start, Video.start_utc < end)
            with writing(engine) as session:
                step = session.scalar(later.order_by(Video.start_utc).offset(CHUNK).limit(1)) or end
                derive(session, start, step, settings)
            if step == end:
                break
            start = step
    with writing(engine) as session:
        one_at_a_time(session)
        session.execute(delete(TripRow).where(~exists().where(Video.trip_id == TripRow.trip_id)))


def describe(session: Session, video: Video, settings: TripSettings, fixes: Sequence[Fix]) -> None:
    """Write down the clip's summary, its number and whose clock it goes by; ``fixes`` are its own, in order."""
    for name, value in summary(session, video, settings, fixes).items():
        setattr(video, name, value)


def summary(
    session: Session, video: Video | Row[Any], settings: TripSettings, fixes: Sequence[Fix] | None = None
) -> dict[str, Any]:
    """``drive``, ``counter`` and ``clock`` of the clip; for those of older versions too."""
    facts = video.facts or {}
    own = fixes_of(session, video.video_id) if fixes is None else fixes
    drive = drive_of(own, video.duration_s or 0.0, settings)
    return {
        "drive": drive.model_dump(mode="json") if drive else None,
        "counter": counter_of(video.name),
        "clock": facts.get("clock_kind", "utc" if facts.get("clock") == "gps" else "camera"),
    }


def _within(
    column: InstrumentedAttribute[Any], start: datetime | None, end: datetime | None
) -> list[ColumnElement[bool]]:
    """From one moment to just before another; None is without a limit."""
    return ([] if start is None else [column >= start]) + ([] if end is None else [column < end])


def clips_where(session: Session, *which: ColumnElement[bool]) -> list[rules.TripClip]:
    kind, guessed = Video.facts["kind"].as_string(), GUESSED
    query = select(Video.video_id, Video.start_utc, Video.duration_s, Video.camera, kind, Video.drive, guessed)
    # a clip without a picture still tells where the car was, if it has positions
    seen = or_(Video.outcome.is_(None), Video.outcome != "rejected", Video.drive.is_not(None))
    # one that an older version left takes part from when its summary is there, else the first to derive met them all
    query = query.where(Video.start_utc.is_not(None), Video.clock.is_not(None), seen, *which)
    return [
        rules.TripClip(
            video_id,
            began,
            duration_s or 0.0,
            camera or "",
            kind or "normal",
            Drive.model_validate(drive) if drive else None,
            bool(guessed),
        )
        for video_id, began, duration_s, camera, kind, drive, guessed in session.execute(query)
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
    known = {
        row.trip_id: row for row in session.scalars(select(TripRow).where(TripRow.trip_id.in_(filter(None, numbers))))
    }
    stays: set[int] = set()
    for trip, number in zip(found, numbers, strict=True):
        row = known.get(number) if number is not None else None
        if row is None:
            row = TripRow()
            session.add(row)
        was_driven = way_of(row)
        _fill(row, trip, settings)
        if row.trip_id is not None and way_of(row) != was_driven:
            session.execute(delete(RouteRow).where(RouteRow.trip_id == row.trip_id))
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


def way_of(row: TripRow) -> tuple[object, ...]:
    """What changes when the trip goes another way: then its route is drawn anew."""
    return row.leads, row.box, row.distance_m


def _forget_empty(session: Session, numbers: Iterable[int]) -> None:
    """Trips whose clips have all gone elsewhere."""
    for number in numbers:
        if session.scalar(select(func.count()).where(Video.trip_id == number)) == 0:
            session.execute(delete(TripRow).where(TripRow.trip_id == number))
