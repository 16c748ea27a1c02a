"""The plates that a search may have meant, with how likely each is, where characters may have been misread.

Of a search with one character wrong, missing or too much, a half or a piece between its wildcards stands in the plate
as it is: by these the index of the plates' ends finds the candidates, and a whole plate's are under the keys of the
deletion neighbourhood too. All of them are then weighed by what their reads say (`likeness`).
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Engine, select
from sqlalchemy.orm import Session

from dashcam.catalog import confusions, lessons, likeness, plate_text
from dashcam.catalog.confusions import Table
from dashcam.catalog.models import Plate, PlateNear, PlateSuffix
from dashcam.catalog.plate_filter import PlateFilter, begins

MOST_CANDIDATES = 2000
"""A piece of the search that stands in more plates narrows nothing down."""
LEAST_LIKELY = 2e-4
"""Less likely plates are not meant."""
PIECE = 2
"""Shorter pieces stand in nearly every plate."""
KEEP_S = 3600.0
"""So long what our own reads confuse is taken to be as it was counted."""


@dataclass(frozen=True)
class Ranked:
    plate_id: int
    text: str
    alternatives: bytes | None
    likelihood: float


_learned: WeakKeyDictionary[Engine, tuple[float, Table]] = WeakKeyDictionary()


def table(session: Session) -> Table:
    """P(what stood there | what was read), by what was measured, what this catalogue's reads say,
    and what people have corrected."""
    engine = session.get_bind().engine
    known = _learned.get(engine)
    if known is None or time.monotonic() - known[0] > KEEP_S:
        known = time.monotonic(), confusions.table([confusions.within_tracks(session), lessons.confusions(session)])
        _learned[engine] = known
    return known[1]


def ranked(session: Session, wanted: PlateFilter) -> list[Ranked] | None:
    """The plates that are likely enough, the likeliest first, of equal ones those seen last; None where the search is
    so short that it narrows nothing down."""
    narrow = candidates(session, wanted)
    return None if narrow is None else weighed(session, wanted, narrow)


def weighed(session: Session, wanted: PlateFilter, rows: list[tuple[Any, ...]]) -> list[Ranked]:
    """``rows`` are (plate_id, text, alternatives, last_seen)."""
    if not rows:
        return []
    plates = likeness.Plates([row[1] for row in rows], [row[2] for row in rows], table(session))
    likely = plates.likelihoods(wanted.text)
    part = None if wanted.is_pattern else plate_text.canonical(wanted.text)
    found = []
    for (plate_id, text, alternatives, last), share in zip(rows, likely.tolist(), strict=True):
        if share < LEAST_LIKELY and part is not None and part in plate_text.canonical(text):
            share = LEAST_LIKELY  # each of its characters looks alike
        if share >= LEAST_LIKELY:
            when = last.timestamp() if last else 0.0
            found.append((-share, -when, Ranked(plate_id, text, alternatives, share)))
    return [one for *_, one in sorted(found, key=lambda entry: (*entry[:2], entry[2].plate_id))]


def candidates(session: Session, wanted: PlateFilter) -> list[tuple[Any, ...]] | None:
    found: dict[int, tuple[Any, ...]] = {}
    narrow = False
    columns = Plate.plate_id, Plate.text, Plate.alternatives, Plate.last_seen
    for joined, condition in ways(wanted):
        query = select(*columns).join(joined, joined.plate_id == Plate.plate_id).where(condition)
        rows = session.execute(query.limit(MOST_CANDIDATES + 1)).tuples().all()
        if len(rows) <= MOST_CANDIDATES:
            narrow = True
            found |= {row[0]: row for row in rows}
    return list(found.values()) if narrow else None


def ways(wanted: PlateFilter) -> Iterator[tuple[Any, ColumnElement[bool]]]:
    """Each a table of keys, and which of them may lead to a plate that was meant."""
    pieces = sorted(set(pieces_of(wanted)), key=lambda piece: (-len(piece), piece))
    for piece in pieces:
        if len(piece) >= PIECE or len(pieces) == 1:
            yield PlateSuffix, begins(PlateSuffix.suffix, piece)
    if len(pieces) != 1:
        return
    whole = pieces[0]
    if len(whole) >= plate_text.MIN_LENGTH:
        half = len(whole) // 2
        for part in {whole[:half], whole[half:]}:
            yield PlateSuffix, begins(PlateSuffix.suffix, part)
        yield PlateNear, PlateNear.key.in_(sorted(plate_text.near_keys(whole)))


def pieces_of(wanted: PlateFilter) -> Iterator[str]:
    """What stands between the wildcards, in the characters that the index knows."""
    for is_sign, run in groupby(likeness.tokens(wanted.text), lambda token: token in "?*"):
        if not is_sign:
            yield plate_text.canonical("".join(run))
