"""What is asked of plates and sightings, as conditions of a query."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from math import floor
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    cast,
    column,
    exists,
    func,
    literal_column,
    or_,
    select,
    text,
    type_coerce,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased
from sqlalchemy.orm.util import AliasedClass

from dashcam.catalog import plate_text, reviews
from dashcam.catalog.models import TILE, TILE_ROW, TILES_PER_DEGREE, Plate, SightingRow, Video
from dashcam.catalog.plate_words import PlateNote
from dashcam.records import CONFUSED, HIDDEN

MANY_ROWS = 200
"""A region over more rows of tiles (2 degrees) is met soon enough by walking back in time."""

Sort = Literal["last", "first", "most", "sure"]
"""Last seen, first seen longest ago, most often seen, surest."""


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
    """Find misreadings of ``text`` too."""
    confirmed_only: bool = True
    since: datetime | None = None
    until: datetime | None = None
    """Not included."""
    region: Area | None = None
    unsure_only: bool = False
    """Reads that are not confirmed; ``confirmed_only`` does not count then."""
    trip: int | None = None
    camera: str | None = None
    kind: str | None = None
    """Of clip: ``normal``, ``parking`` or ``event``."""
    least: float | None = None
    """Confidence, 0 to 1, of the sighting."""
    times: int = 1
    """So many such sightings at least."""
    tag: str | None = None
    """Of what a person knows of the plate."""
    reviewed: bool | None = None
    """Whether ``reviewer`` has looked at the sighting."""
    reviewer: int = reviews.OWNER
    sort: Sort | None = None
    """None: with ``near`` the surest first, else last seen."""

    @property
    def is_pattern(self) -> bool:
        return "?" in self.text or "*" in self.text

    @property
    def is_near(self) -> bool:
        """Whether there is anything to be misread."""
        return self.near and bool(plate_text.normalised(self.text))

    @property
    def order(self) -> Sort:
        if self.sort == "sure" and not self.is_near:
            return "last"
        return self.sort or ("sure" if self.is_near else "last")


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
    for group in CONFUSED:
        for other in group[1:]:
            folded = func.replace(folded, other, group[0], type_=String())
    return folded


def conditions(
    wanted: PlateFilter, of: type[SightingRow] | AliasedClass[SightingRow] = SightingRow
) -> list[ColumnElement[bool]]:
    """What a sighting must meet beside its text."""
    found: list[ColumnElement[bool]] = []
    if wanted.unsure_only or wanted.confirmed_only:
        found.append(of.confirmed.is_(not wanted.unsure_only))
    if wanted.since is not None:
        found.append(of.seen_utc >= wanted.since)
    if wanted.until is not None:
        found.append(of.seen_utc < wanted.until)
    if wanted.region is not None:
        place = wanted.region
        found += [of.lat.between(place.south, place.north), of.lon.between(place.west, place.east)]
    if wanted.least is not None:
        found.append(of.confidence >= wanted.least)
    if wanted.tag is not None:
        found.append(of.plate_id.in_(tagged(wanted.tag)))
    if wanted.reviewed is not None:
        looked_at = reviews.has_seen(wanted.reviewer, of)
        found.append(looked_at if wanted.reviewed else ~looked_at)
    clip = aliased(Video)  # its own, wherever this stands
    its: list[ColumnElement[bool]] = []
    if wanted.trip is not None:
        its.append(clip.trip_id == wanted.trip)
    if wanted.camera is not None:
        its.append(clip.camera == wanted.camera)
    if wanted.kind is not None:
        its.append(clip.facts["kind"].as_string() == wanted.kind)
    if its:
        found.append(exists().where(clip.video_id == of.video_id, *its))
    return found


def tagged(tag: str) -> Select[tuple[int]]:
    """The plates that a person has given the tag, in capitals or not; found in the JSON as it is kept, where every
    other sign than ASCII is escaped."""
    written = {json.dumps(one).lower() for one in (tag, tag.lower(), tag.upper(), tag.capitalize())}
    tags = func.lower(cast(PlateNote.tags, String))
    its = or_(*(tags.contains(one, autoescape=True) for one in sorted(written)))
    return select(Plate.plate_id).where(Plate.text.in_(select(PlateNote.text).where(its)))


def in_place(wanted: PlateFilter) -> Select[Any]:
    """The sightings in the region that match but for their text, read from the index of places."""
    place = wanted.region
    assert place is not None
    south, north = tile(place.south) - 1, tile(place.north) + 1
    if north - south > MANY_ROWS:
        return select(SightingRow.plate_id, SightingRow.seen_utc).where(*conditions(wanted))
    # for an equality SQLite would rather make an index of its own, at each question
    sure = [SightingRow.confirmed.is_not(wanted.unsure_only)] if wanted.unsure_only or wanted.confirmed_only else []
    others = conditions(replace(wanted, confirmed_only=False, unsure_only=False))
    west, east = tile(place.west) - 1, tile(place.east) + 1
    # written out, because SQLite begins with a table of constants and would end with any other
    ends = ", ".join(f"({row * TILE_ROW + west}, {row * TILE_ROW + east})" for row in range(south, north + 1))
    rows = text(f"VALUES {ends}").columns(column("column1", Integer), column("column2", Integer)).cte("tiles")
    return (
        select(SightingRow.plate_id, SightingRow.seen_utc)
        .select_from(rows)
        .join(SightingRow, literal_column(TILE, Integer).between(rows.c.column1, rows.c.column2))
        .where(*others, *sure)
    )


def tile(degrees: float) -> int:
    return floor(degrees * TILES_PER_DEGREE)
