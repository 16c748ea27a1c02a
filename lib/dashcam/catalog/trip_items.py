"""What there is to look at on a trip: plates, moments and doubtful reads.

A trip costs the same however much the catalogue holds: its plates are read from the index of times, of each only the
sighting that is shown is read itself.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import bindparam, exists, func, select
from sqlalchemy.orm import Session, aliased

from dashcam.catalog.encounters import Met
from dashcam.catalog.meanings import Weighing
from dashcam.catalog.models import Plate, SightingRow, TripRow
from dashcam.catalog.reviews import Mark
from dashcam.catalog.sightings import SightingCard, cards, chosen
from dashcam.gps.trips import TripEvent
from dashcam.records import HIDDEN

ItemKind = Literal["watched", "again", "moment", "doubt", "first"]
MOST: dict[ItemKind, int] = {"watched": 12, "again": 12, "moment": 12, "doubt": 6, "first": 18}
"""Shown of one trip."""
MOST_WEIGHED = 40
"""Of a trip's plates that had been seen before."""
MOST_DOUBTED = 60
"""Of a trip that are looked at; more are not counted."""
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
class OnTrip:
    """A plate on one trip."""

    plate_id: int
    times: int
    before: bool
    """It had been seen on an earlier one."""


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
