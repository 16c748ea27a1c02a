"""What a person has not looked at yet, by trip (`trip_items`), and on which days there is any."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session, aliased

from dashcam.catalog import near_misses, notes, reviews
from dashcam.catalog.meanings import Weighing
from dashcam.catalog.models import TripRow, Video
from dashcam.catalog.reviews import Mark
from dashcam.catalog.trip_items import MOST, Item, ItemKind, draft, items_of, shown_cards
from dashcam.catalog.videos import WHEN
from dashcam.config.model import PlaceSettings
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import TaskRow

USUAL = PlaceSettings()
MOST_TRIPS = 6
LOOKED_THROUGH = 40
"""So many of the newest trips are looked through for what is not reviewed; older ones are found by their day."""
NEW_CLIPS = 400
NEWEST = (TripRow.start_utc.desc(), TripRow.trip_id.desc())


@dataclass(frozen=True)
class TripNews:
    trip_id: int
    start_utc: datetime
    end_utc: datetime
    distance_m: float
    has_route: bool
    clips: int
    plates: int
    is_new: bool
    """Something of it has come in since the person's last visit."""
    reviewed: bool
    items: list[Item] = field(default_factory=list)
    more: dict[ItemKind, int] = field(default_factory=dict)
    """How many there are beside those shown."""


def news(
    session: Session,
    account_id: int,
    since: datetime | None = None,
    watched: Mapping[int, str] = {},
    of_day: tuple[datetime, datetime] | None = None,
    look: Weighing | None = None,
    place: PlaceSettings = USUAL,
) -> list[TripNews]:
    """The trips of a day, else those with anything that is not reviewed, newest first: among the newest trips, and of
    those of which something has come in since then. ``watched`` is what `watching.numbers` gives."""
    if of_day is not None:
        within = TripRow.start_utc >= of_day[0], TripRow.start_utc < of_day[1]
        rows = session.scalars(select(TripRow).where(*within).order_by(*NEWEST).limit(LOOKED_THROUGH)).all()
        new: set[int] = set()
        left = unreviewed(session, account_id, rows)
    else:
        new = came_in(session, since)
        newest = session.scalars(select(TripRow.trip_id).order_by(*NEWEST).limit(LOOKED_THROUGH)).all()
        there = TripRow.trip_id.in_({*newest, *new}), has_unreviewed(account_id)
        rows = session.scalars(select(TripRow).where(*there).order_by(*NEWEST).limit(MOST_TRIPS)).all()
        left = {row.trip_id for row in rows}
    return told(session, account_id, rows, watched, new, left, look, place)


def weigh(session: Session, look: Weighing, watched: Mapping[int, str]) -> None:
    """How the plates of the newest trips were met, which is remembered until somebody looks at them."""
    quiet = set(notes.ignored(session))
    for row in session.scalars(select(TripRow).order_by(*NEWEST).limit(MOST_TRIPS)):
        draft(session, row, quiet, watched, look)


def unreviewed(session: Session, account_id: int, rows: Iterable[TripRow]) -> set[int]:
    """Those of the trips that the person has not looked at all of."""
    its = TripRow.trip_id.in_([row.trip_id for row in rows])
    return set(session.scalars(select(TripRow.trip_id).where(its, has_unreviewed(account_id))))


def has_unreviewed(account_id: int) -> ColumnElement[bool]:
    """Of a trip: whether the person has not looked at one of its clips that are through."""
    its = Video.trip_id == TripRow.trip_id, reviews.is_through(), ~reviews.is_reviewed(account_id)
    return exists().where(*its).correlate(TripRow)


def came_in(session: Session, since: datetime | None) -> set[int]:
    """The trips of the clips that were looked through last, since then."""
    if since is None:
        return set()
    done = TaskRow.state == "complete", TaskRow.completed_at > since
    newest = (
        select(TaskRow.video_id, TaskRow.task_type)
        .where(*done)
        .order_by(TaskRow.completed_at.desc())
        .limit(NEW_CLIPS)
        .subquery()
    )
    looked = newest.c.task_type == TaskType.HEAVY_PROCESS_VIDEO.value
    found = select(Video.trip_id).join(newest, newest.c.video_id == Video.video_id).where(looked).distinct()
    return {trip_id for trip_id in session.scalars(found) if trip_id is not None}


def told(
    session: Session,
    account_id: int,
    rows: Sequence[TripRow],
    watched: Mapping[int, str],
    new: Set[int],
    left: Set[int],
    look: Weighing | None = None,
    place: PlaceSettings = USUAL,
) -> list[TripNews]:
    """``new`` and ``left`` are the numbers of the trips of which something has come in, and is not reviewed."""
    quiet = set(notes.ignored(session))
    drafts = [draft(session, row, quiet, watched, look) for row in rows]
    shown = {number for one in drafts for number in (*one.doubts, *one.surest.values())}
    known = shown_cards(session, shown)
    near = near_misses.misses(session, [event for one in drafts for event in one.events], place)
    items = [items_of(one, known, watched, near) for one in drafts]
    marks = reviews.of_videos(session, account_id, {item.mark.video_id for some in items for item in some})
    return [
        TripNews(
            trip_id=one.row.trip_id,
            start_utc=one.row.start_utc,
            end_utc=one.row.end_utc,
            distance_m=one.row.distance_m,
            has_route=one.row.box is not None,
            clips=one.row.clips,
            plates=one.plates,
            is_new=one.row.trip_id in new,
            reviewed=(done := one.row.trip_id not in left),
            items=[
                replace(item, reviewed=done or reviews.covers(marks.get(item.mark.video_id, ()), item.mark))
                for item in some
            ],
            more={kind: rest for kind, count in one.counts.items() if (rest := count - MOST[kind]) > 0},
        )
        for one, some in zip(drafts, items, strict=True)
    ]


def mark_one(session: Session, account_id: int, trip_id: int, mark: Mark, now: datetime) -> None:
    """The person has looked at this one thing; with the last of what is shown the trip is reviewed."""
    reviews.mark(session, account_id, [mark], now)
    row = session.get(TripRow, trip_id)
    if row is None:
        return
    (trip,) = told(session, account_id, [row], {}, set(), unreviewed(session, account_id, [row]))
    if not trip.more and all(item.reviewed for item in trip.items):
        reviews.mark_trip(session, account_id, trip_id, now)


def mark_day(session: Session, account_id: int, of_day: tuple[datetime, datetime], now: datetime) -> None:
    """The person has looked at all of a day, what is in no trip included."""
    reviews.mark_clips(session, account_id, now, of_one_day(*of_day))


def of_one_day(start: datetime, end: datetime) -> ColumnElement[bool]:
    return WHEN.between(start, end - timedelta(microseconds=1))


def unreviewed_days(session: Session, account_id: int, begins: Sequence[datetime]) -> list[bool]:
    """Of each day between two of these moments whether there is a clip that the person has not looked at."""
    good = func.coalesce(Video.outcome, "processed") == "processed"
    waits = reviews.is_through(), good, ~reviews.is_reviewed(account_id)
    days = [select(Video.video_id).where(*waits, of_one_day(*day)).exists() for day in pairwise(begins)]
    # beside any clip, so that it is a question about clips: who may see them from a date on is told of no others
    row = session.execute(select(*days).select_from(aliased(Video)).limit(1)).first()
    return [False] * len(days) if row is None else [bool(dot) for dot in row]


def newest_day(session: Session) -> datetime | None:
    """When the newest trip began."""
    return session.scalar(select(func.max(TripRow.start_utc)))


def any_clips(session: Session) -> bool:
    """Whether there is any clip at all."""
    return session.scalar(select(Video.video_id).limit(1)) is not None
