"""Trips: lists of them, one with its clips, and a person's decisions where they begin."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from dashcam.catalog.deriving import clips_where, derive
from dashcam.catalog.models import SightingRow, TripDecision, TripRow, Video
from dashcam.catalog.videos import VideoCard, VideoFilter, videos
from dashcam.config.model import TripSettings
from dashcam.gps import trips as rules
from dashcam.gps.trips import Stop, TripEvent

MOST_DRIVEN = 5000
MOST_APART = timedelta(days=1)
"""Nobody means one drive by two that are further apart."""
MOST_PARKED = 100
"""A car that stands for weeks may have thousands."""


@dataclass(frozen=True)
class TripCard:
    trip_id: int
    start_utc: datetime
    end_utc: datetime
    clips: int
    parked: int
    cameras: list[str]
    distance_m: float
    moving_s: float
    max_mps: float
    has_route: bool
    stops: list[Stop]
    events: list[TripEvent]
    plates: int


@dataclass(frozen=True)
class Beside:
    trip_id: int
    apart_s: float
    """From the end of the one to the beginning of the other."""


@dataclass(frozen=True)
class TripDetail:
    card: TripCard
    driven: list[VideoCard]
    """In order of time, as is ``parked``."""
    parked: list[VideoCard]
    """The newest; ``card.parked`` counts all."""
    decisions: dict[str, str]
    """What a person decided about a clip: ``split`` or ``merge``."""
    before: Beside | None
    after: Beside | None
    """The trips on both sides, of those that may be one with it."""
    time_zone: str
    """Of the first clip that knows one, else empty."""


def trips(session: Session, before: datetime | None = None, limit: int = 50) -> list[TripCard]:
    """Newest first; ``before`` continues behind the last one shown."""
    query = select(TripRow).order_by(TripRow.start_utc.desc(), TripRow.trip_id.desc()).limit(limit)
    if before is not None:
        query = query.where(TripRow.start_utc < before)
    return _cards(session, session.scalars(query).all())


def trip(session: Session, trip_id: int) -> TripDetail | None:
    row = session.get(TripRow, trip_id)
    if row is None:
        return None
    driven = videos(session, VideoFilter(trip_id=trip_id, parked=False), limit=MOST_DRIVEN)[::-1]
    parked = videos(session, VideoFilter(trip_id=trip_id, parked=True), limit=MOST_PARKED)[::-1]
    decided = select(TripDecision).where(TripDecision.video_id.in_([clip.video_id for clip in driven]))
    both = select(TripRow).limit(1)
    earlier = session.scalar(both.where(TripRow.start_utc < row.start_utc).order_by(TripRow.start_utc.desc()))
    later = session.scalar(both.where(TripRow.start_utc > row.start_utc).order_by(TripRow.start_utc))
    return TripDetail(
        card=_cards(session, [row])[0],
        driven=driven,
        parked=parked,
        decisions={one.video_id: one.decision for one in session.scalars(decided)},
        before=_beside(earlier, earlier, row),
        after=_beside(later, row, later),
        time_zone=_zone(session, row),
    )


def _beside(other: TripRow | None, first: TripRow | None, second: TripRow | None) -> Beside | None:
    if other is None or first is None or second is None:
        return None
    apart = max(second.start_utc - first.end_utc, timedelta())
    return Beside(other.trip_id, apart.total_seconds()) if apart <= MOST_APART else None


def numbered(
    session: Session, since: datetime | None = None, until: datetime | None = None, limit: int = 100, offset: int = 0
) -> tuple[list[TripRow], int]:
    """A page of the trips that began in this time, newest first, and how many there are in all."""
    began = [] if since is None else [TripRow.start_utc >= since]
    began += [] if until is None else [TripRow.start_utc < until]
    total = session.scalar(select(func.count()).select_from(TripRow).where(*began)) or 0
    newest_first = select(TripRow).where(*began).order_by(TripRow.start_utc.desc(), TripRow.trip_id.desc())
    return list(session.scalars(newest_first.limit(limit).offset(offset))), total


def clips(session: Session, trip_id: int) -> list[str]:
    """The ids of its clips, parked ones included, in order of time."""
    query = select(Video.video_id).where(Video.trip_id == trip_id).order_by(Video.start_utc, Video.video_id)
    return list(session.scalars(query))


def spans(session: Session, trip_ids: Iterable[int]) -> dict[int, tuple[datetime, datetime]]:
    """From when to when these trips went."""
    query = select(TripRow.trip_id, TripRow.start_utc, TripRow.end_utc).where(TripRow.trip_id.in_(set(trip_ids)))
    return {trip_id: (start, end) for trip_id, start, end in session.execute(query)}


def _zone(session: Session, row: TripRow) -> str:
    told = select(Video.facts).where(Video.video_id.in_(row.leads[:20])).order_by(Video.start_utc)
    return next((facts["time_zone"] for facts in session.scalars(told) if facts and facts.get("time_zone")), "")


def leads(session: Session, trip_id: int) -> list[Video]:
    """The clips that tell where the car was, in order of time."""
    row = session.get(TripRow, trip_id)
    if row is None:
        return []
    query = select(Video).where(Video.video_id.in_(row.leads), Video.drive.is_not(None)).order_by(Video.start_utc)
    return list(session.scalars(query))


def _cards(session: Session, rows: Sequence[TripRow]) -> list[TripCard]:
    counted = (
        select(Video.trip_id, func.count(SightingRow.plate_id.distinct()))
        .join(SightingRow, SightingRow.video_id == Video.video_id)
        .where(Video.trip_id.in_([row.trip_id for row in rows]), SightingRow.confirmed)
        .group_by(Video.trip_id)
    )
    plates = {number: count for number, count in session.execute(counted) if number is not None}
    return [
        TripCard(
            trip_id=row.trip_id,
            start_utc=row.start_utc,
            end_utc=row.end_utc,
            clips=row.clips,
            parked=row.parked,
            cameras=list(row.cameras),
            distance_m=row.distance_m,
            moving_s=row.moving_s,
            max_mps=row.max_mps,
            has_route=row.box is not None,
            stops=[Stop.model_validate(stop) for stop in row.stops],
            events=[TripEvent.model_validate(event) for event in row.events],
            plates=plates.get(row.trip_id, 0),
        )
        for row in rows
    ]


class NoSuchTrip(Exception):
    """There is nothing to split or merge there; the message is one plain sentence."""


def split(session: Session, trip_id: int, video_id: str, settings: TripSettings) -> rules.Decision | None:
    """A new trip begins with this clip; the decision that stood there before. Raises `NoSuchTrip`."""
    moments = _moments(session, trip_id)
    moment = next((one for one in moments if video_id in {clip.video_id for clip in one.clips}), None)
    if moment is None:
        raise NoSuchTrip(f"Trip {trip_id} has no driving clip {video_id}: choose one of its clips.")
    if moment is moments[0]:
        raise NoSuchTrip("The trip begins with this clip already: choose a later one.")
    return _decide(session, moment, "split", settings)


def merge(session: Session, trip_id: int, settings: TripSettings) -> tuple[str, rules.Decision | None]:
    """Join a trip with the one before it; (the clip it began with, the decision that stood there before)."""
    moments = _moments(session, trip_id)
    start = moments[0].start_utc
    if session.scalar(select(func.count()).where(TripRow.start_utc < start, TripRow.trip_id != trip_id)) == 0:
        raise NoSuchTrip("There is no trip before this one that it could be joined with.")
    return moments[0].lead.video_id, _decide(session, moments[0], "merge", settings)


def restore(session: Session, video_id: str, decision: rules.Decision | None, settings: TripSettings) -> None:
    """Put back the decision that stood at a clip, None for the rule's own; undoes `split` and `merge`."""
    video = session.get(Video, video_id)
    if video is None or video.trip_id is None:
        raise NoSuchTrip(f"There is no clip {video_id} in any trip.")
    moments = _moments(session, video.trip_id)
    for moment in moments:
        if video_id in {clip.video_id for clip in moment.clips}:
            _decide(session, moment, decision, settings)


def _moments(session: Session, trip_id: int) -> list[rules.Moment]:
    if session.get(TripRow, trip_id) is None:
        raise NoSuchTrip(f"There is no trip {trip_id} (any more): look at the list of trips.")
    clips = clips_where(session, Video.trip_id == trip_id)
    driven = sorted(
        (clip for clip in clips if clip.kind != rules.PARKING), key=lambda clip: (clip.start_utc, clip.video_id)
    )
    return rules.moments(driven)


def _decide(
    session: Session, moment: rules.Moment, decision: rules.Decision | None, settings: TripSettings
) -> rules.Decision | None:
    """One decision per moment, kept at its leading clip."""
    ids = [clip.video_id for clip in moment.clips]
    before = session.scalars(select(TripDecision.decision).where(TripDecision.video_id.in_(ids))).first()
    session.execute(delete(TripDecision).where(TripDecision.video_id.in_(ids)))
    if decision is not None:
        session.add(TripDecision(video_id=moment.lead.video_id, decision=decision, decided_at=datetime.now(UTC)))
    session.flush()
    derive(session, moment.start_utc, moment.end_utc, settings)
    return None if before is None else "split" if before == "split" else "merge"
