"""What of the catalogue is there for who asks: one filter on every question, so that no page and no call can forget it.

For a viewer no sighting and no plate is there. For a person who may see things from a date on, no clip, trip or
sighting from before is there, nor anything that hangs on one.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, event, false, select
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria

from app.access import callers
from dashcam.access.roles import Role
from dashcam.catalog.models import (
    ArchiveCheck,
    Holding,
    Plate,
    PlateNear,
    PlateSuffix,
    PositionRow,
    Protection,
    Rejection,
    RouteRow,
    SightingRow,
    SourceFile,
    TripDecision,
    TripRow,
    Video,
)
from dashcam.catalog.plate_words import PlateApart, PlateMerge, PlateNote, SightingWord
from dashcam.catalog.reread_rows import ReadChange, Reread
from dashcam.catalog.review_rows import Review
from dashcam.tasks.row import TaskRow

OF_PLATES = (SightingRow, Plate, PlateSuffix, PlateNear, SightingWord, PlateMerge, PlateApart, PlateNote, ReadChange)
OF_VIDEOS = (
    ArchiveCheck, Holding, PositionRow, Protection, ReadChange, Rejection, Reread, Review, SightingWord, SourceFile,
    TaskRow, TripDecision,
)  # fmt: skip
"""Tables with a ``video_id``."""


def watch() -> None:
    """From now on every question of every session is looked at; twice is once."""
    if not event.contains(Session, "do_orm_execute", narrow):
        event.listen(Session, "do_orm_execute", narrow)


def narrow(asked: ORMExecuteState) -> None:
    caller = callers.current()
    if caller is None or caller.role is None or not asked.is_select:
        return
    hidden = []
    if not caller.may(Role.MEMBER):
        hidden += [with_loader_criteria(table, false(), include_aliases=True) for table in OF_PLATES]
    if caller.from_date is not None:
        hidden += since(caller.from_date)
    if hidden:
        asked.statement = asked.statement.options(*hidden)


def since(date: datetime) -> list[Any]:
    """What has no time is not there either: nobody knows that it is not from before."""
    # of the bare tables, under names of their own: the filter is not to be filtered, nor tied to what is asked
    clip, seen = Video.__table__.alias("clip_since"), SightingRow.__table__.alias("seen_since")
    clips = select(clip.c.video_id).where(clip.c.start_utc >= date)
    plates = select(seen.c.plate_id).where(seen.c.video_id.in_(clips))
    trip = TripRow.__table__.alias("trip_since")
    trips = select(trip.c.trip_id).where(trip.c.start_utc >= date)
    conditions: list[tuple[Any, ColumnElement[bool]]] = [
        (Video, Video.start_utc >= date),
        (TripRow, TripRow.start_utc >= date),
        (RouteRow, RouteRow.trip_id.in_(trips)),
        *((table, table.video_id.in_(clips)) for table in (SightingRow, *OF_VIDEOS)),
        *((table, table.plate_id.in_(plates)) for table in (Plate, PlateSuffix, PlateNear)),
    ]
    return [with_loader_criteria(table, condition, include_aliases=True) for table, condition in conditions]
