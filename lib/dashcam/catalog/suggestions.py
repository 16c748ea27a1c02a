"""Two plates that are probably one car, of which nobody has said so: a person is asked.

Only what was seen last is looked at, so that it costs the same however much the catalogue holds. What counts is how
likely the one is a misread of the other, by their own reads and by what our readers confuse, and where both were: read
a moment apart at one place of the picture they are one car, at the same moment in two places they are two. A text that
was never sure is asked about only where it was read at the place of a sure one: it may be no plate at all.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from dashcam.catalog import likeness, plate_text, ranking
from dashcam.catalog.confusions import Table
from dashcam.catalog.likeness import AT_END
from dashcam.catalog.models import Plate, SightingRow
from dashcam.catalog.plate_words import PlateApart
from dashcam.catalog.sightings import SightingCard, cards, chosen
from dashcam.records import HIDDEN

NEWEST = 600
"""Sure sightings that are looked at, and at most as many unsure ones of the same time."""
NEAR = timedelta(seconds=90)
"""A car in sight is read again within that."""
NEIGHBOURS = 40
OFTEN = 3
"""What was read more often is no slip of a reader."""
LIKELY = 0.02
"""Measured on made-up drives: docs/webui.md."""
SAME_CAR = 200.0
"""So much likelier it is where both were read at one place of the picture."""
AT_ONCE_S, SOON_S = 0.3, 3.0
ASKED = 3

BoxAt = tuple[float, float, float, float, float]


@dataclass(frozen=True)
class Suggestion:
    """That ``one`` is a misread of ``into``."""

    one: SightingCard
    into: SightingCard
    together: bool
    """The one was read where the other had been a moment before."""


@dataclass(frozen=True)
class Neighbour:
    sighting_id: int
    seen_utc: datetime
    plate_id: int
    text: str
    times: int | None
    alternatives: bytes | None


def suggestions(session: Session, limit: int = ASKED) -> list[Suggestion]:
    """The likeliest first."""
    table = ranking.table(session)
    found: list[tuple[float, bool, Neighbour, Neighbour]] = []
    apart = said_apart(session)
    for one, into in pairs(newest(session)):
        likelihood = misread(one, into, table)
        if likelihood * SAME_CAR < LIKELY or tuple(sorted((one.text, into.text))) in apart:
            continue
        together = seen_together(session, one.plate_id, into.plate_id)
        if together is None or (is_unsure(one) and not together):
            continue
        score = likelihood * (SAME_CAR if together else 1)
        if score >= LIKELY:
            found.append((score, bool(together), one, into))
    best = sorted(found, key=lambda entry: (-entry[0], entry[2].text, entry[3].text))[:limit]
    ids = {number for *_, one, into in best for number in (one.sighting_id, into.sighting_id)}
    shown = {card.sighting_id: card for card in cards(session, chosen().where(SightingRow.sighting_id.in_(ids)))}
    return [
        Suggestion(shown[one.sighting_id], shown[into.sighting_id], together)
        for _, together, one, into in best
        if one.sighting_id in shown and into.sighting_id in shown
    ]


def unanswered(session: Session, known: Sequence[Suggestion]) -> list[Suggestion]:
    """Of suggestions that were found a moment ago those that nobody has answered since, and whose sightings are as they
    were."""
    if not known:
        return []
    ids = {card.sighting_id for pair in known for card in (pair.one, pair.into)}
    there = {card.sighting_id: card for card in cards(session, chosen().where(SightingRow.sighting_id.in_(ids)))}
    apart = said_apart(session)
    return [
        pair
        for pair in known
        if all(there.get(card.sighting_id) == card for card in (pair.one, pair.into))
        and tuple(sorted((pair.one.text, pair.into.text))) not in apart
    ]


def newest(session: Session) -> list[Neighbour]:
    there = SightingRow.seen_utc.is_not(None), ~Plate.text.startswith(HIDDEN)
    columns = SightingRow.sighting_id, SightingRow.seen_utc, Plate.plate_id, Plate.text, Plate.times, Plate.alternatives
    order = SightingRow.seen_utc.desc(), SightingRow.sighting_id.desc()
    query = select(*columns).join(Plate, Plate.plate_id == SightingRow.plate_id).where(*there).order_by(*order)
    of_sure = query.where(SightingRow.confirmed.is_(True), Plate.times > 0).limit(NEWEST)
    sure = neighbours(session, of_sure)
    if not sure:
        return []
    as_new = SightingRow.confirmed.is_(False), Plate.times == 0, SightingRow.seen_utc >= sure[-1].seen_utc
    unsure = neighbours(session, query.where(*as_new).limit(NEWEST))
    return sorted(sure + unsure, key=lambda one: (one.seen_utc, one.sighting_id), reverse=True)


def neighbours(session: Session, query: Select[Any]) -> list[Neighbour]:
    return [Neighbour(*row) for row in session.execute(query)]


def pairs(seen: Sequence[Neighbour]) -> Iterator[tuple[Neighbour, Neighbour]]:
    """Plates that are a little alike and were seen one after the other, the one that was seen less often first."""
    known = set()
    signs = [bigrams(one.text) for one in seen]
    for at, later in enumerate(seen):
        for number in range(at + 1, min(at + 1 + NEIGHBOURS, len(seen))):
            earlier = seen[number]
            if later.seen_utc - earlier.seen_utc > NEAR:
                break
            if len(signs[at] & signs[number]) < 2 or later.text == earlier.text:
                continue
            if is_unsure(later) and is_unsure(earlier):
                continue
            one, into = sorted((later, earlier), key=lambda plate: (plate.times or 0, len(plate.text), plate.text))
            if (one.times or 0) <= OFTEN and (one.text, into.text) not in known:
                known.add((one.text, into.text))
                yield one, into


def is_unsure(one: Neighbour) -> bool:
    return not one.times


def bigrams(text: str) -> set[str]:
    whole = plate_text.canonical(text)
    return {whole[at : at + 2] for at in range(len(whole) - 1)} if len(whole) >= plate_text.MIN_LENGTH else set()


def misread(one: Neighbour, other: Neighbour, table: Table) -> float:
    """How likely what stood on the one car was read as the other, or the other way round."""
    short, long = sorted((one, other), key=lambda plate: len(plate.text))
    missing = len(long.text) - len(short.text)
    if missing > 1:
        return 0.0
    ways = [(short, long)] if missing else [(short, long), (long, short)]
    likely = [likeness.explained(a.text, b.text, b.alternatives, table).likelihood for a, b in ways]
    return max(likely) * AT_END**missing


def said_apart(session: Session) -> set[tuple[str, ...]]:
    return set(session.execute(select(PlateApart.one, PlateApart.other)).tuples())


def seen_together(session: Session, one: int, other: int) -> bool | None:
    """In the clips with both: whether they were read at one place of the picture, a moment apart; None where both were
    there at the same moment."""
    clips = select(SightingRow.video_id).where(SightingRow.plate_id == one)
    columns = select(SightingRow.plate_id, SightingRow.video_id, SightingRow.reads)
    rows = session.execute(columns.where(SightingRow.plate_id.in_([one, other]), SightingRow.video_id.in_(clips)))
    found: dict[str, tuple[list[BoxAt], list[BoxAt]]] = {}
    for plate_id, video_id, reads in rows.tuples():
        mine = found.setdefault(video_id, ([], []))[plate_id != one]
        mine += [(read["t_s"], *read["box"]) for read in reads]
    verdicts = [verdict for verdict in map(one_car, found.values()) if verdict is not None]
    if any(not verdict for verdict in verdicts):
        return None
    return bool(verdicts)


def one_car(reads: tuple[Iterable[BoxAt], Iterable[BoxAt]]) -> bool | None:
    """By two plates' reads in one clip; None where these say nothing."""
    close = [(abs(a[0] - b[0]), a, b) for a in reads[0] for b in reads[1] if abs(a[0] - b[0]) <= SOON_S]
    at_once = [near(a, b, 0.5) for gap, a, b in close if gap <= AT_ONCE_S]
    if at_once:
        return all(at_once)
    gap, a, b = min(close, default=(0.0, None, None), key=lambda entry: entry[0])
    return True if a and b and near(a, b, 1 + gap) else None


def near(a: BoxAt, b: BoxAt, widths: float) -> bool:
    """Whether the middles of two boxes are so many widths of a plate apart."""
    wide = max(a[3] - a[1], b[3] - b[1])
    across, down = (a[1] + a[3] - b[1] - b[3]) / 2, (a[2] + a[4] - b[2] - b[4]) / 2
    return math.hypot(across, down) <= widths * wide
