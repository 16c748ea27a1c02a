"""What a person has not looked at yet, by trip: plates, moments and doubtful reads; and on which days there is any.

A trip costs the same however much the catalogue holds: its plates are read from the index of times, of each only the
sighting that is shown is read itself.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Literal

from sqlalchemy import ColumnElement, bindparam, exists, func, select
from sqlalchemy.orm import Session, aliased

from dashcam.catalog import near_misses, notes, reviews
from dashcam.catalog.encounters import Met
from dashcam.catalog.meanings import Weighing
from dashcam.catalog.models import Plate, SightingRow, TripRow, Video
from dashcam.catalog.reviews import Mark
from dashcam.catalog.sightings import SightingCard, cards, chosen
from dashcam.catalog.videos import WHEN
from dashcam.config.model import PlaceSettings
from dashcam.gps.trips import TripEvent
from dashcam.records import HIDDEN
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import TaskRow

USUAL = PlaceSettings()
ItemKind = Literal["watched", "again", "moment", "doubt", "first"]
MOST_TRIPS = 6
LOOKED_THROUGH = 40
"""So many of the newest trips are looked through for what is not reviewed; older ones are found by their day."""
NEW_CLIPS = 400
MOST: dict[ItemKind, int] = {"watched": 12, "again": 12, "moment": 12, "doubt": 6, "first": 18}
"""Shown of one trip."""
MOST_WEIGHED = 40
"""Of a trip's plates that had been seen before."""
MOST_DOUBTED = 60
"""Of a trip that are looked at; more are not counted."""
NEWEST = (TripRow.start_utc.desc(), TripRow.trip_id.desc())
DURING = SightingRow.seen_utc >= bindparam("start"), SightingRow.seen_utc <= bindparam("end")
EARLIER = aliased(SightingRow)
BEFORE = (
    exists()
    .where(EARLIER.plate_id == SightingRow.plate_id, EARLIER.seen_utc < bindparam("start"), EARLIER.confirmed.is_(True))
    .correlate(SightingRow)
)
PLATES = (
    select(SightingRow.plate_id, func.count(), BEFORE)
    .where(*DURING, SightingRow.confirmed.is_(True))
    .group_by(SightingRow.plate_id)
    .order_by(func.min(SightingRow.seen_utc), SightingRow.plate_id)
)
"""What is asked of each trip is put together once, as the two below are."""
SUREST = (
    select(SightingRow.sighting_id, SightingRow.plate_id)
    .where(SightingRow.plate_id.in_(bindparam("plates", expanding=True)), *DURING, SightingRow.confirmed.is_(True))
    .order_by(SightingRow.plate_id, SightingRow.confidence.desc(), SightingRow.sighting_id)
)
DOUBTS = (
    select(SightingRow.sighting_id, SightingRow.confidence)
    .join(Plate, Plate.plate_id == SightingRow.plate_id)
    .where(*DURING, SightingRow.confirmed.is_(False), ~Plate.text.startswith(HIDDEN))
    .limit(MOST_DOUBTED)
)


@dataclass(frozen=True)
class Item:
    """One thing to look at."""

    kind: ItemKind
    mark: Mark
    reviewed: bool
    card: SightingCard | None = None
    """The plate's best-looking sighting on this trip."""
    times: int = 1
    """It was seen on this trip."""
    event: TripEvent | None = None
    left_s: float | None = None
    """Of braking that was a near miss: the seconds that were left (`near_misses`)."""
    watched: str = ""
    """The watched plate that it is, or may be a misread of (`watching.numbers`)."""
    met: Met | None = None
    """Where it had been seen before, and that is weighed."""


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


@dataclass(frozen=True)
class OnTrip:
    """A plate on one trip."""

    plate_id: int
    times: int
    before: bool
    """It had been seen on an earlier one."""


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


@dataclass(frozen=True)
class Draft:
    """A trip before the sightings that are shown are read: those of all trips are at once."""

    row: TripRow
    plates: int
    kinds: Mapping[ItemKind, Sequence[OnTrip]]
    """Those that are shown."""
    how: Mapping[int, Met]
    surest: Mapping[int, int]
    """Of each plate its surest sighting."""
    events: Sequence[TripEvent]
    doubts: Sequence[int]
    """Sightings, the surest first."""
    counts: Mapping[ItemKind, int]
    """With those that are not shown."""


def draft(session: Session, row: TripRow, quiet: Set[int], watched: Mapping[int, str], look: Weighing | None) -> Draft:
    plates = plates_of(session, row, quiet)
    kinds: dict[ItemKind, list[OnTrip]] = {"watched": [], "again": [], "first": []}
    for plate in plates:
        kinds["watched" if plate.plate_id in watched else "again" if plate.before else "first"].append(plate)
    how = meanings(look, kinds["watched"][: MOST["watched"]], kinds["again"]) if look else {}
    kinds["again"].sort(key=lambda plate: (one := how.get(plate.plate_id)) is None or one.level != "unusual")
    shown = {kind: found[: MOST[kind]] for kind, found in kinds.items()}
    surest = surest_of(session, row, [plate.plate_id for found in shown.values() for plate in found])
    doubts = doubts_of(session, row)
    counts: dict[ItemKind, int] = {kind: len(found) for kind, found in kinds.items()}
    counts |= {"moment": len(row.events), "doubt": len(doubts)}
    events = [TripEvent.model_validate(event) for event in row.events[: MOST["moment"]]]
    return Draft(row, len(plates), shown, how, surest, events, doubts[: MOST["doubt"]], counts)


def shown_cards(session: Session, sighting_ids: Set[int]) -> dict[int, SightingCard]:
    its = SightingRow.sighting_id.in_(sighting_ids), ~Plate.text.startswith(HIDDEN)
    return {card.sighting_id: card for card in cards(session, chosen().where(*its))} if sighting_ids else {}


def items_of(
    one: Draft, known: Mapping[int, SightingCard], watched: Mapping[int, str], near: Mapping[tuple[str, float], float]
) -> list[Item]:
    surest = {plate_id: known[number] for plate_id, number in one.surest.items() if number in known}
    of_kind = {kind: plate_items(kind, found, surest, watched, one.how) for kind, found in one.kinds.items()}
    moments = [
        Item("moment", Mark(at[0], "moment", at[1]), False, event=event, left_s=near.get(at))
        for event in one.events
        for at in [(event.video_id, event.t_s)]
    ]
    doubted = [known[number] for number in one.doubts if number in known]
    doubts = [Item("doubt", Mark(card.video_id, "plate", card.best_s), False, card) for card in doubted]
    return [*of_kind["watched"], *of_kind["again"], *moments, *doubts, *of_kind["first"]]


def meanings(look: Weighing, watched: Sequence[OnTrip], again: Sequence[OnTrip]) -> dict[int, Met]:
    """How they were met: of those that are shown, and of the others seen most often on the trip, as who follows is."""
    first = [*watched, *again[: MOST["again"]]]
    others = sorted(again[MOST["again"] :], key=lambda plate: -plate.times)
    return look.at([plate.plate_id for plate in (*first, *others)[:MOST_WEIGHED] if plate.before])


def plates_of(session: Session, row: TripRow, quiet: Set[int]) -> list[OnTrip]:
    """The plates that were surely seen on the trip, in the order in which they were, from indices alone; without those
    that a person wants to hear nothing of."""
    found = session.execute(PLATES, during(row)).tuples()
    return [OnTrip(*line) for line in found if line[0] not in quiet]


def during(row: TripRow) -> dict[str, Any]:
    return {"start": row.start_utc, "end": row.end_utc}


def plate_items(
    kind: ItemKind,
    plates: Sequence[OnTrip],
    surest: Mapping[int, SightingCard],
    watched: Mapping[int, str],
    how: Mapping[int, Met],
) -> list[Item]:
    return [
        Item(
            kind,
            Mark(card.video_id, "plate", card.best_s),
            False,
            card,
            plate.times,
            watched=watched.get(plate.plate_id, ""),
            met=how.get(plate.plate_id),
        )
        for plate in plates
        if (card := surest.get(plate.plate_id)) is not None
    ]


def surest_of(session: Session, row: TripRow, plate_ids: Sequence[int]) -> dict[int, int]:
    """Of each plate its surest sighting of the trip."""
    if not plate_ids:
        return {}
    numbers: dict[int, int] = {}
    for sighting_id, plate_id in session.execute(SUREST, during(row) | {"plates": plate_ids}):
        numbers.setdefault(plate_id, sighting_id)
    return numbers


def doubts_of(session: Session, row: TripRow) -> list[int]:
    """The sightings of reads that are not sure, the surest first."""
    found = session.execute(DOUBTS, during(row)).tuples().all()
    return [number for number, _ in sorted(found, key=lambda one: (-one[1], one[0]))]


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
