"""What the trip pages ask."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dashcam.catalog.browse import VideoCard, VideoFilter, videos
from dashcam.catalog.models import Sighting, Trip, TripDecision, Video
from dashcam.gps.trips import Stop, TripEvent

MOST_DRIVEN = 5000
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
class TripDetail:
    card: TripCard
    driven: list[VideoCard]
    """In order of time, as is ``parked``."""
    parked: list[VideoCard]
    """The newest; ``card.parked`` counts all."""
    decisions: dict[str, str]
    """What a person decided about a clip: ``split`` or ``merge``."""
    before: int | None
    after: int | None
    """The trips on both sides."""
    time_zone: str
    """Of the first clip that knows one, else empty."""


def trips(session: Session, before: datetime | None = None, limit: int = 50) -> list[TripCard]:
    """Newest first; ``before`` continues behind the last one shown."""
    query = select(Trip).order_by(Trip.start_utc.desc(), Trip.trip_id.desc()).limit(limit)
    if before is not None:
        query = query.where(Trip.start_utc < before)
    return _cards(session, session.scalars(query).all())


def trip(session: Session, trip_id: int) -> TripDetail | None:
    row = session.get(Trip, trip_id)
    if row is None:
        return None
    driven = videos(session, VideoFilter(trip_id=trip_id, parked=False), limit=MOST_DRIVEN)[::-1]
    parked = videos(session, VideoFilter(trip_id=trip_id, parked=True), limit=MOST_PARKED)[::-1]
    decided = select(TripDecision).where(TripDecision.video_id.in_([clip.video_id for clip in driven]))
    earlier = select(Trip.trip_id).where(Trip.start_utc < row.start_utc).order_by(Trip.start_utc.desc()).limit(1)
    later = select(Trip.trip_id).where(Trip.start_utc > row.start_utc).order_by(Trip.start_utc).limit(1)
    return TripDetail(
        card=_cards(session, [row])[0],
        driven=driven,
        parked=parked,
        decisions={one.video_id: one.decision for one in session.scalars(decided)},
        before=session.scalar(earlier),
        after=session.scalar(later),
        time_zone=_zone(session, row),
    )


def spans(session: Session, trip_ids: Iterable[int]) -> dict[int, tuple[datetime, datetime]]:
    """From when to when these trips went."""
    query = select(Trip.trip_id, Trip.start_utc, Trip.end_utc).where(Trip.trip_id.in_(set(trip_ids)))
    return {trip_id: (start, end) for trip_id, start, end in session.execute(query)}


def _zone(session: Session, row: Trip) -> str:
    told = select(Video.facts).where(Video.video_id.in_(row.leads[:20])).order_by(Video.start_utc)
    return next((facts["time_zone"] for facts in session.scalars(told) if facts and facts.get("time_zone")), "")


def leads(session: Session, trip_id: int) -> list[Video]:
    """The clips that tell where the car was, in order of time."""
    row = session.get(Trip, trip_id)
    if row is None:
        return []
    query = select(Video).where(Video.video_id.in_(row.leads), Video.drive.is_not(None)).order_by(Video.start_utc)
    return list(session.scalars(query))


def _cards(session: Session, rows: Sequence[Trip]) -> list[TripCard]:
    counted = (
        select(Video.trip_id, func.count(Sighting.plate_id.distinct()))
        .join(Sighting, Sighting.video_id == Video.video_id)
        .where(Video.trip_id.in_([row.trip_id for row in rows]), Sighting.confirmed)
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
