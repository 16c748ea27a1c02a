"""What is taken out: the tracks of a clip, a trip or a stretch of time, and sightings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from dashcam.catalog import plates, search, sightings
from dashcam.catalog.csv_lines import line
from dashcam.catalog.models import SightingRow, TripRow, Video
from dashcam.catalog.places import fixes_of, track_of
from dashcam.catalog.plate_filter import PlateFilter
from dashcam.catalog.sightings import SightingCard
from dashcam.config.privacy import Zone
from dashcam.gps import home
from dashcam.gps.export import Leg
from dashcam.gps.pins import Pin

SIGHTING_COLUMNS = (
    "plate",
    "confidence",
    "confirmed",
    "seen_utc",
    "camera",
    "clip",
    "second",
    "lat",
    "lon",
    "accuracy_m",
    "place_quality",
    "speed_mps",
    "heading_deg",
    "estimate_lat",
    "estimate_lon",
    "estimate_distance_m",
    "estimate_bearing_deg",
    "estimate_major_m",
    "estimate_minor_m",
    "estimate_angle_deg",
    "trip",
    "video_id",
)


class NothingThere(Exception):
    """There is no such clip or trip; the message is one plain sentence."""


@dataclass(frozen=True)
class ExportScope:
    """A clip, a trip, a plate, or what began from ``start`` on and before ``end``; nothing set is everything."""

    clip: str | None = None
    trip: int | None = None
    start: datetime | None = None
    end: datetime | None = None
    plate: str | None = None
    """Of sightings alone, in any stretch of time."""
    search: PlateFilter | None = None
    """Of sightings alone: what else they must meet."""

    def conditions(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.clip is not None:
            found.append(Video.video_id == self.clip)
        if self.trip is not None:
            found.append(Video.trip_id == self.trip)
        if self.start is not None:
            found.append(Video.start_utc >= self.start)
        if self.end is not None:
            found.append(Video.start_utc < self.end)
        return found

    def check(self, session: Session) -> None:
        """Raises `NothingThere` for a clip or trip that does not exist."""
        if self.clip is not None and session.get(Video, self.clip) is None:
            raise NothingThere(f"There is no clip {self.clip}: its id stands in the address of its page.")
        if self.trip is not None and session.get(TripRow, self.trip) is None:
            raise NothingThere(f"There is no trip {self.trip}: `dashcam trips` lists them.")
        if self.plate is not None and plates.plate(session, self.plate) is None:
            raise NothingThere(f"{self.plate} has not been seen.")

    def check_track(self, session: Session) -> None:
        """The same for its track: raises `NothingThere` too where no camera has recorded a position."""
        self.check(session)
        if self.trip is not None and session.get_one(TripRow, self.trip).box is None:
            raise NothingThere(f"Trip {self.trip} has no positions: none of its clips carries GPS.")


def legs(session: Session, scope: ExportScope, zones: Sequence[Zone] = ()) -> Iterator[Leg]:
    """The positions outside the zones, one camera at a time; a clip that a zone cuts through is several legs."""
    for leg in whole_legs(session, scope):
        if not zones:
            yield leg
        for stretch in home.pieces(zones, leg.fixes) if zones else ():
            yield replace(leg, fixes=stretch)


def whole_legs(session: Session, scope: ExportScope) -> Iterator[Leg]:
    """A clip named by itself shows the positions of the camera beside it if need be."""
    if scope.clip is not None:
        video = session.get(Video, scope.clip)
        if video is not None:
            yield Leg(video.name, video.name, video.camera or "", track_of(session, video))
        return
    wanted = scope.conditions()
    ids = select(Video.trip_id).where(Video.trip_id.is_not(None), *wanted)
    trips = select(TripRow.trip_id).where(TripRow.trip_id.in_(ids)).order_by(TripRow.start_utc, TripRow.trip_id)
    for trip_id in session.scalars(trips).all():
        start, leads = session.execute(select(TripRow.start_utc, TripRow.leads).where(TripRow.trip_id == trip_id)).one()
        columns = Video.video_id, Video.name, Video.camera
        inside = select(*columns).where(Video.video_id.in_(leads), Video.drive.is_not(None), *wanted)
        for video_id, name, camera in session.execute(inside.order_by(Video.start_utc)).all():
            group = f"Trip {trip_id}, {start:%Y-%m-%d %H:%M} UTC"
            yield Leg(group, name, camera or "", fixes_of(session, video_id))


def sightings_csv(
    session: Session, scope: ExportScope, confirmed_only: bool = True, zones: Sequence[Zone] = ()
) -> Iterator[str]:
    """Lines of CSV (RFC 4180), the first with the names, in order of time; read from the database as they are taken.

    What was seen inside a zone has no place, speed or heading.
    """
    yield line(SIGHTING_COLUMNS)
    for one, trip_id in seen(session, scope, confirmed_only, zones):
        yield line(_row(one, trip_id))


def pins(
    session: Session, scope: ExportScope, confirmed_only: bool = True, zones: Sequence[Zone] = ()
) -> Iterator[Pin]:
    """Those of the sightings that have a place, outside the zones, in order of time."""
    for one, _ in seen(session, scope, confirmed_only, zones):
        if one.lat is not None and one.lon is not None:
            yield Pin(
                plate=one.text,
                confidence=round(one.confidence, 4),
                seen_utc=one.seen_utc,
                lat=one.lat,
                lon=one.lon,
                camera=one.camera or "",
                clip=one.video_name,
                second=one.best_s,
                video_id=one.video_id,
            )


def seen(
    session: Session, scope: ExportScope, confirmed_only: bool, zones: Sequence[Zone]
) -> Iterator[tuple[SightingCard, int | None]]:
    """Each sighting with its trip, read from the database as it is taken."""
    wanted = [*scope.conditions(), *([SightingRow.confirmed] if confirmed_only else [])]
    if scope.plate is not None:
        known = plates.plate(session, scope.plate)
        wanted.append(SightingRow.plate_id == (known and known.plate_id))
    if scope.search is not None:
        wanted += search.meeting(session, scope.search)
    query = (
        sightings.chosen()
        .add_columns(Video.trip_id)
        .where(*wanted)
        .order_by(SightingRow.seen_utc.nulls_last(), SightingRow.sighting_id)
        .execution_options(yield_per=500)
    )
    for row in session.execute(query).mappings():
        columns = dict(row)
        trip_id = columns.pop("trip_id")
        yield without_home(sightings.card_of(**columns), zones), trip_id


def without_home(one: SightingCard, zones: Sequence[Zone]) -> SightingCard:
    if home.is_inside(zones, one.lat, one.lon):
        nowhere = replace(one, lat=None, lon=None, accuracy_m=None, place_quality=None)
        one = replace(nowhere, speed_mps=None, heading_deg=None, estimate=None)
    if one.estimate and home.is_inside(zones, one.estimate.lat, one.estimate.lon):
        one = replace(one, estimate=None)
    return one


def _row(one: SightingCard, trip_id: int | None) -> list[Any]:
    guess = one.estimate.model_dump() if one.estimate else {}
    return [
        one.text,
        round(one.confidence, 4),
        "yes" if one.confirmed else "no",
        one.seen_utc.isoformat(timespec="milliseconds") if one.seen_utc else None,
        one.camera,
        one.video_name,
        one.best_s,
        one.lat,
        one.lon,
        one.accuracy_m,
        one.place_quality,
        one.speed_mps and round(one.speed_mps, 2),
        one.heading_deg and round(one.heading_deg, 1),
        *(guess.get(key) for key in ("lat", "lon", "distance_m", "bearing_deg", "major_m", "minor_m", "angle_deg")),
        trip_id,
        one.video_id,
    ]
