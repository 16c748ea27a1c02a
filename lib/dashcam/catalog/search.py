"""The search: plates by what is remembered of them, where and when they were seen; last seen first.

However much there is, a page costs about the same. What a search leaves few of is taken from an index and sorted; what
it leaves many of is met soon by walking back in time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import floor
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    column,
    exists,
    func,
    literal_column,
    or_,
    select,
    text,
    tuple_,
    type_coerce,
    union,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased
from sqlalchemy.orm.util import AliasedClass

from dashcam.catalog import plate_text
from dashcam.catalog.models import TILE, TILE_ROW, TILES_PER_DEGREE, Plate, PlateNear, PlateSuffix, SightingRow
from dashcam.catalog.paging import Cursor
from dashcam.catalog.plates import PlateCard
from dashcam.catalog.sightings import SightingCard, chosen
from dashcam.catalog.sightings import cards as sighting_cards
from dashcam.records import HIDDEN

FEW_PLATES = 4000
"""Up to so many matching plates each is looked up; beyond, matches are dense and walking back in time is quicker."""
FEW_PLACES = 3000
"""The same for all that was ever seen in a region."""
MANY_ROWS = 200
"""A region over more rows of tiles (2 degrees) is met soon enough by walking back in time."""
MOST_ALIKE = 1000
"""Of a short text's misreadings only so many are compared, those seen last."""


@dataclass(frozen=True)
class Area:
    """Degrees; ``west`` is not east of ``east``."""

    south: float
    west: float
    north: float
    east: float


@dataclass(frozen=True)
class PlateFilter:
    """What a sighting must meet; a plate is found through its sightings that do."""

    text: str = ""
    """Part of the plate, case, spaces and dashes do not matter; or all of it with ``?`` (one) and ``*`` (any)."""
    near: bool = False
    """Find misreadings of ``text`` too, nearest first."""
    confirmed_only: bool = True
    since: datetime | None = None
    until: datetime | None = None
    """Not included."""
    region: Area | None = None

    @property
    def is_pattern(self) -> bool:
        return "?" in self.text or "*" in self.text


def plates(
    session: Session, wanted: PlateFilter = PlateFilter(), after: Cursor | None = None, limit: int = 48
) -> list[PlateCard]:
    """The plates that match, each with its newest matching sighting; continued ``after`` the last card's cursor.

    With ``near`` the nearest come first and there is one page only.
    """
    if wanted.near and not wanted.is_pattern and plate_text.normalised(wanted.text):
        return cards(session, wanted, nearest(session, wanted, limit))
    return cards(session, wanted, newest(session, wanted, after, limit))


def newest(session: Session, wanted: PlateFilter, after: Cursor | None, limit: int) -> Sequence[int]:
    """The matching plates' ids, last seen first, by whichever way is quicker."""
    matching = matching_plates(wanted)
    if matching is not None and few(session, matching, FEW_PLATES):
        found = last_seen(wanted, matching)
    elif is_quiet(session, wanted.region):
        found = last_seen_in_place(wanted)
    else:
        return session.scalars(back_in_time(wanted, after).limit(limit)).all()
    seen = found.subquery()
    page = select(seen.c.plate_id).where(seen.c.last.is_not(None))
    if after is not None:
        page = page.where(tuple_(seen.c.last, seen.c.plate_id) < (after.when, after.key))
    return session.scalars(page.order_by(seen.c.last.desc(), seen.c.plate_id.desc()).limit(limit)).all()


def few(session: Session, query: Select[Any], most: int) -> bool:
    counted = select(func.count()).select_from(query.limit(most + 1).subquery())
    return (session.scalar(counted) or 0) <= most


def is_quiet(session: Session, region: Area | None) -> bool:
    """Whether few sightings were ever made in the region, so that it is no way back in time to meet them."""
    return region is not None and few(session, in_place(PlateFilter(confirmed_only=False, region=region)), FEW_PLACES)


def matching_plates(wanted: PlateFilter) -> Select[tuple[int]] | None:
    """The ids of the plates whose text matches; None when nothing in the text narrows them down."""
    pieces = wanted.text.replace("?", "*").split("*") if wanted.is_pattern else [wanted.text]
    longest = max((plate_text.canonical(piece) for piece in pieces), key=len)
    if not longest:
        return None
    return select(PlateSuffix.plate_id).where(begins(PlateSuffix.suffix, longest), text_is(PlateSuffix.text, wanted))


def begins(of: InstrumentedAttribute[str], start: str) -> ColumnElement[bool]:
    return and_(of >= start, of < start + chr(0x10FFFF))


def text_is(of: InstrumentedAttribute[str], wanted: PlateFilter) -> ColumnElement[bool]:
    """What is looked for, in the plate's own characters; with ``near`` whatever they may be confused with. Never a part
    of a hash."""
    return and_(part_is(of, wanted), ~of.startswith(HIDDEN))


def part_is(of: InstrumentedAttribute[str], wanted: PlateFilter) -> ColumnElement[bool]:
    if wanted.near and not wanted.is_pattern:
        return canonical(of).contains(plate_text.canonical(wanted.text), autoescape=True)
    if not wanted.is_pattern:
        return of.contains(plate_text.normalised(wanted.text), autoescape=True)
    signs = {"?": "_", "*": "%"}
    return of.like("".join(signs.get(one) or plate_text.normalised(one) for one in wanted.text))


def canonical(of: InstrumentedAttribute[str]) -> ColumnElement[str]:
    """`plate_text.canonical` of a plate's text."""
    folded: ColumnElement[str] = type_coerce(of, String())
    for group in plate_text.CONFUSED:
        for other in group[1:]:
            folded = func.replace(folded, other, group[0], type_=String())
    return folded


def conditions(
    wanted: PlateFilter, of: type[SightingRow] | AliasedClass[SightingRow] = SightingRow
) -> list[ColumnElement[bool]]:
    """What a sighting must meet beside its text."""
    found: list[ColumnElement[bool]] = [of.confirmed.is_(True)] if wanted.confirmed_only else []
    if wanted.since is not None:
        found.append(of.seen_utc >= wanted.since)
    if wanted.until is not None:
        found.append(of.seen_utc < wanted.until)
    if wanted.region is not None:
        place = wanted.region
        found += [of.lat.between(place.south, place.north), of.lon.between(place.west, place.east)]
    return found


def last_seen(wanted: PlateFilter, matching: Select[tuple[int]]) -> Select[Any]:
    """(plate_id, last) of the matching plates: one step into the index for each. None where none was met."""
    found = matching.distinct().subquery()
    last = (
        select(SightingRow.seen_utc)
        .where(SightingRow.plate_id == found.c.plate_id, *conditions(wanted))
        .order_by(SightingRow.seen_utc.desc())
        .limit(1)
        .correlate(found)
        .scalar_subquery()
    )
    return select(found.c.plate_id, last.label("last"))


def in_place(wanted: PlateFilter) -> Select[Any]:
    """The sightings in the region that match but for their text, read from the index of places."""
    place = wanted.region
    assert place is not None
    south, north = tile(place.south) - 1, tile(place.north) + 1
    if north - south > MANY_ROWS:
        return select(SightingRow.plate_id, SightingRow.seen_utc).where(*conditions(wanted))
    west, east = tile(place.west) - 1, tile(place.east) + 1
    # written out, because SQLite begins with a table of constants and would end with any other
    ends = ", ".join(f"({row * TILE_ROW + west}, {row * TILE_ROW + east})" for row in range(south, north + 1))
    rows = text(f"VALUES {ends}").columns(column("column1", Integer), column("column2", Integer)).cte("tiles")
    return (
        select(SightingRow.plate_id, SightingRow.seen_utc)
        .select_from(rows)
        .join(SightingRow, literal_column(TILE, Integer).between(rows.c.column1, rows.c.column2))
        .where(*conditions(wanted))
    )


def tile(degrees: float) -> int:
    return floor(degrees * TILES_PER_DEGREE)


def last_seen_in_place(wanted: PlateFilter) -> Select[Any]:
    """(plate_id, last) of the plates seen in the region."""
    seen = in_place(wanted).subquery()
    found = select(seen.c.plate_id, func.max(seen.c.seen_utc).label("last")).group_by(seen.c.plate_id)
    if wanted.text:
        found = found.join(Plate, Plate.plate_id == seen.c.plate_id).where(text_is(Plate.text, wanted))
    return found


def back_in_time(wanted: PlateFilter, after: Cursor | None) -> Select[tuple[int]]:
    """The plates of the matching sightings, newest first, each at its newest one."""
    query = select(SightingRow.plate_id).where(*conditions(wanted), SightingRow.seen_utc.is_not(None))
    plate_id: InstrumentedAttribute[int] = SightingRow.plate_id
    if wanted.text:
        # named by the plate's own column, so that a newer one is looked for only when the text is right
        plate_id = Plate.plate_id
        query = query.join(Plate, Plate.plate_id == SightingRow.plate_id).where(text_is(Plate.text, wanted))
    newer = aliased(SightingRow)
    later = or_(newer.seen_utc > SightingRow.seen_utc, newer.sighting_id > SightingRow.sighting_id)
    same_plate = (newer.plate_id == plate_id) & (newer.seen_utc >= SightingRow.seen_utc)
    query = query.where(~exists().where(same_plate, later, *conditions(wanted, newer)))
    if after is not None:
        query = query.where(tuple_(SightingRow.seen_utc, SightingRow.plate_id) < (after.when, after.key))
    return query.order_by(SightingRow.seen_utc.desc(), SightingRow.plate_id.desc())


def nearest(session: Session, wanted: PlateFilter, limit: int) -> Sequence[int]:
    """The matching plates that contain the text or a misreading of it, by their cost and then last seen first."""
    sought = plate_text.normalised(wanted.text)
    parts = select(PlateSuffix.plate_id).where(begins(PlateSuffix.suffix, plate_text.canonical(sought)))
    if not few(session, parts, FEW_PLATES):
        # the text is so short that half of all plates may contain it: the exact ones, which come first, fill the page
        ids = newest(session, replace(wanted, near=False), None, limit)
        if len(ids) == limit:
            return ids
        ids = [*ids, *newest(session, wanted, None, MOST_ALIKE)]
        parts = select(Plate.plate_id).where(Plate.plate_id.in_(ids))
    wholes = select(PlateNear.plate_id).where(PlateNear.key.in_(plate_text.near_keys(sought)))
    seen = last_seen(wanted, select(union(parts, wholes).subquery().c.plate_id)).subquery()
    found = select(seen, Plate.text).join(Plate, Plate.plate_id == seen.c.plate_id).where(seen.c.last.is_not(None))
    near = [
        (cost, -last.timestamp(), plate_id)
        for plate_id, last, text in session.execute(found)
        if (cost := plate_text.misread_cost(sought, text)) is not None
    ]
    return [plate_id for _, _, plate_id in sorted(near)[:limit]]


def cards(session: Session, wanted: PlateFilter, plate_ids: Sequence[int]) -> list[PlateCard]:
    """The plates in their order, each with its newest matching sighting and how many match."""
    matching = (SightingRow.plate_id.in_(plate_ids), *conditions(wanted))
    counted = select(SightingRow.plate_id, func.count(), func.min(SightingRow.seen_utc)).where(*matching)
    counts = {row[0]: row for row in session.execute(counted.group_by(SightingRow.plate_id))}
    inner = aliased(SightingRow)
    newest_one = (
        select(inner.sighting_id)
        .where(inner.plate_id == Plate.plate_id, inner.seen_utc.is_not(None), *conditions(wanted, inner))
        .order_by(inner.seen_utc.desc(), inner.sighting_id.desc())
        .limit(1)
        .correlate(Plate)
        .scalar_subquery()
    )
    ids = session.scalars(select(newest_one).where(Plate.plate_id.in_(plate_ids))).all()
    newest_ones = sighting_cards(session, chosen().where(SightingRow.sighting_id.in_(ids)))
    shown = {one.plate_id: one for one in newest_ones}
    return [
        PlateCard(one, shown[one].text, counts[one][1], counts[one][2], shown[one]) for one in plate_ids if one in shown
    ]


def sightings(
    session: Session, wanted: PlateFilter, after: Cursor | None = None, limit: int = 500
) -> list[SightingCard]:
    """The sightings in a region and time, newest first: what a map's window shows. The text is not looked at."""
    wanted = replace(wanted, text="")
    base = (
        in_place(wanted)
        if is_quiet(session, wanted.region)
        else select(SightingRow.plate_id, SightingRow.seen_utc).where(*conditions(wanted))
    )
    query = base.add_columns(SightingRow.sighting_id).where(SightingRow.seen_utc.is_not(None))
    if after is not None:
        query = query.where(tuple_(SightingRow.seen_utc, SightingRow.sighting_id) < (after.when, after.key))
    newest_first = query.order_by(SightingRow.seen_utc.desc(), SightingRow.sighting_id.desc()).limit(limit)
    ids = [row.sighting_id for row in session.execute(newest_first)]
    found = chosen().where(SightingRow.sighting_id.in_(ids))
    return sighting_cards(session, found.order_by(SightingRow.seen_utc.desc(), SightingRow.sighting_id.desc()))
