"""The search: plates by what is remembered of them, where and when they were seen.

However much there is, a page costs about the same. What a search leaves few of is taken from an index and sorted; what
it leaves many of is met soon by walking along the order that is asked for.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, or_, select, true, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from dashcam.catalog import likeness, merged, plate_text, ranking, reviews
from dashcam.catalog.likeness import Match
from dashcam.catalog.models import Plate, PlateSuffix, SightingRow, Video
from dashcam.catalog.paging import Cursor
from dashcam.catalog.plate_filter import PlateFilter, begins, conditions, in_place, tagged, text_is
from dashcam.catalog.plates import PlateCard
from dashcam.catalog.sightings import SightingCard, chosen
from dashcam.catalog.sightings import cards as sighting_cards

FEW_PLATES = 4000
"""Up to so many matching plates each is looked up; beyond, matches are dense and walking is quicker."""
FEW_PLACES = 3000
"""The same for all that was ever seen in a region, or within a time."""
FEW_CLIPS = 1000
"""The same for clips that a person has looked at, or has not."""
LONGEST_CLIP = timedelta(days=1)
MOST_ALIKE = 1000
"""Of a short text's misreadings only so many are compared, those seen last."""
AT_ONCE = 200
"""Of the likeliest plates so many are looked up at once."""


def plates(
    session: Session,
    wanted: PlateFilter = PlateFilter(),
    after: Cursor | None = None,
    limit: int = 48,
    skip: int = 0,
) -> list[PlateCard]:
    """The plates that match, each with its newest matching sighting.

    Last seen first they go on ``after`` the last card's cursor, in any order behind the first ``skip``. Those that a
    person has merged what is looked for into come first of all.
    """
    if after is not None:
        return by_own_text(session, wanted, after, limit, skip)
    texts = merged.plates(session, wanted)
    ids = met(session, wanted, texts)
    shown = ids[skip : skip + limit]
    first = [replace(card, merged=texts[card.plate_id]) for card in cards(session, wanted, shown)] if shown else []
    left = limit - len(first)
    return first + (by_own_text(session, wanted, None, left, max(0, skip - len(ids)), texts) if left else [])


def met(session: Session, wanted: PlateFilter, plate_ids: Collection[int]) -> list[int]:
    """Those of the plates that have a matching sighting, last seen first."""
    if not plate_ids:
        return []
    seen = last_seen(wanted, select(Plate.plate_id).where(Plate.plate_id.in_(plate_ids))).subquery()
    newest = seen.c.last.desc(), seen.c.plate_id.desc()
    return list(session.scalars(select(seen.c.plate_id).where(seen.c.last.is_not(None)).order_by(*newest)))


def by_own_text(
    session: Session,
    wanted: PlateFilter,
    after: Cursor | None,
    limit: int,
    skip: int,
    but: Collection[int] = (),
) -> list[PlateCard]:
    """``but`` those, where their texts are likely to be meant too."""
    if wanted.is_near:
        found = nearest(session, wanted, skip + limit, but)[skip:]
        table = ranking.table(session)
        matches = {
            one.plate_id: likeness.explained(wanted.text, one.text, one.alternatives, table)
            if one.likelihood < 1
            else Match(1.0)
            for one in found
        }
        ids = [one.plate_id for one in found]
        return [replace(card, match=matches[card.plate_id]) for card in cards(session, wanted, ids)]
    return cards(session, wanted, in_order(session, wanted, after, limit, skip))


def in_order(session: Session, wanted: PlateFilter, after: Cursor | None, limit: int, skip: int = 0) -> Sequence[int]:
    """The matching plates' ids, by whichever way is quicker."""
    clips = few_clips(session, wanted)
    matching = few_plates(session, wanted) if clips is None else None
    if clips is None and matching is None and wanted.order != "last":
        return session.scalars(along(wanted).offset(skip).limit(limit)).all()
    if clips is not None:
        seen = in_clips(wanted, clips).subquery()
    elif matching is None:
        return session.scalars(back_in_time(from_marks(session, wanted), after).offset(skip).limit(limit)).all()
    else:
        seen = last_seen(wanted, matching).subquery()
    page = select(seen.c.plate_id).where(seen.c.last.is_not(None)).offset(skip).limit(limit)
    if wanted.order != "last":
        page = page.join(Plate, Plate.plate_id == seen.c.plate_id).order_by(*by(wanted))
    else:
        if after is not None:
            page = page.where(tuple_(seen.c.last, seen.c.plate_id) < (after.when, after.key))
        page = page.order_by(seen.c.last.desc(), seen.c.plate_id.desc())
    return session.scalars(page).all()


def few_plates(session: Session, wanted: PlateFilter) -> Select[Any] | None:
    """The plates (among others) that can match, where something leaves few of them; None where nothing does."""
    matching = matching_plates(wanted)
    if matching is not None and few(session, matching, FEW_PLATES):
        return matching
    anything = PlateFilter(confirmed_only=False)
    narrower = []
    if wanted.tag is not None:
        narrower.append(tagged(wanted.tag))
    if wanted.trip is not None:
        of_trip = select(SightingRow.plate_id).join(Video, Video.video_id == SightingRow.video_id)
        narrower.append(of_trip.where(Video.trip_id == wanted.trip))
    if wanted.region is not None:
        narrower.append(in_place(replace(anything, region=wanted.region)).with_only_columns(SightingRow.plate_id))
    if wanted.order != "last" and (wanted.since or wanted.until):
        within = replace(anything, since=wanted.since, until=wanted.until)
        narrower.append(select(SightingRow.plate_id).where(*conditions(within)))
    for one in narrower:
        if few(session, one, FEW_PLACES):
            return with_text(one, wanted)
    if wanted.times > 1:
        often = select(Plate.plate_id).where(known_often(wanted))
        if few(session, often, FEW_PLATES):
            return often.where(text_is(Plate.text, wanted)) if wanted.text else often
    return None


def few_clips(session: Session, wanted: PlateFilter) -> Sequence[str] | None:
    """The only clips in which there can be any of what the person has looked at, or has not; None where they are many,
    or it is not asked."""
    if wanted.reviewed is None:
        return None
    return reviews.clips(session, wanted.reviewer, wanted.reviewed, FEW_CLIPS)


def in_clips(wanted: PlateFilter, clips: Sequence[str]) -> Select[Any]:
    """`last_seen` of what was seen in these clips."""
    met = SightingRow.video_id.in_(clips), SightingRow.seen_utc.is_not(None), *conditions(wanted)
    query = select(SightingRow.plate_id, func.max(SightingRow.seen_utc).label("last")).where(*met)
    if wanted.text:
        query = query.join(Plate, Plate.plate_id == SightingRow.plate_id).where(text_is(Plate.text, wanted))
    return query.group_by(SightingRow.plate_id).having(func.count() >= wanted.times)


def from_marks(session: Session, wanted: PlateFilter) -> PlateFilter:
    """Not before the newest clip in which there can be any of what the person has looked at, or has not."""
    if wanted.reviewed is None:
        return wanted
    newest = reviews.newest(session, wanted.reviewer, wanted.reviewed)
    ends = [one for one in (wanted.until, newest and newest + LONGEST_CLIP) if one]
    return replace(wanted, until=min(ends, default=None))


def with_text(query: Select[Any], wanted: PlateFilter) -> Select[Any]:
    if not wanted.text:
        return query
    return select(Plate.plate_id).where(Plate.plate_id.in_(query), text_is(Plate.text, wanted))


def few(session: Session, query: Select[Any], most: int) -> bool:
    """Whether there are not more than so many."""
    return session.execute(query.offset(most).limit(1)).first() is None


def is_quiet(session: Session, wanted: PlateFilter) -> bool:
    """Whether few sightings were ever made in the region, so that it is no way back in time to meet them."""
    here = PlateFilter(confirmed_only=False, region=wanted.region)
    return wanted.region is not None and few(session, in_place(here), FEW_PLACES)


def matching_plates(wanted: PlateFilter) -> Select[Any] | None:
    """The ids of the plates whose text matches; None when nothing in the text narrows them down."""
    pieces = wanted.text.replace("?", "*").split("*") if wanted.is_pattern else [wanted.text]
    longest = max((plate_text.canonical(piece) for piece in pieces), key=len)
    if longest:
        found = begins(PlateSuffix.suffix, longest), text_is(PlateSuffix.text, wanted)
        return select(PlateSuffix.plate_id).where(*found)
    return select(Plate.plate_id).where(text_is(Plate.text, wanted)) if "?" in wanted.text else None


def last_seen(wanted: PlateFilter, matching: Select[Any]) -> Select[Any]:
    """(plate_id, last) of the matching plates: one step into the index for each. None where none was met; those met
    less often than is wanted are left out."""
    found = matching.distinct().subquery()
    seen = select(SightingRow.seen_utc).where(SightingRow.plate_id == found.c.plate_id, *conditions(wanted))
    last = seen.order_by(SightingRow.seen_utc.desc()).limit(1).correlate(found).scalar_subquery()
    query = select(found.c.plate_id, last.label("last"))
    if wanted.times > 1:
        query = query.where(often_enough(wanted, found.c.plate_id, found))
    return query


def known_often(wanted: PlateFilter) -> ColumnElement[bool]:
    """Whether the plate can have so many, by what is kept of it."""
    sure = wanted.confirmed_only and not wanted.unsure_only
    return or_(Plate.times >= wanted.times, Plate.times.is_(None)) if sure else true()


def often_enough(wanted: PlateFilter, plate_id: Any, *outer: Any) -> ColumnElement[bool]:
    """Whether the plate has as many matching sightings as are wanted; none beyond these is looked at."""
    one = aliased(SightingRow)
    seen = select(one.sighting_id).where(one.plate_id == plate_id, *conditions(wanted, one)).correlate(*outer)
    return select(func.count()).select_from(seen.limit(wanted.times).subquery()).scalar_subquery() >= wanted.times


def back_in_time(wanted: PlateFilter, after: Cursor | None) -> Select[tuple[int]]:
    """The plates of the matching sightings, newest first, each at its newest one."""
    query = select(SightingRow.plate_id).where(*conditions(wanted), SightingRow.seen_utc.is_not(None))
    plate_id: InstrumentedAttribute[int] = SightingRow.plate_id
    if wanted.text or wanted.times > 1:
        # named by the plate's own column, so that a newer one is looked for only when the text is right
        plate_id = Plate.plate_id
        query = query.join(Plate, Plate.plate_id == SightingRow.plate_id).where(text_is(Plate.text, wanted))
    if wanted.times > 1:
        query = query.where(often_enough(wanted, plate_id, Plate, SightingRow))
    newer = aliased(SightingRow)
    later = or_(newer.seen_utc > SightingRow.seen_utc, newer.sighting_id > SightingRow.sighting_id)
    same_plate = (newer.plate_id == plate_id) & (newer.seen_utc >= SightingRow.seen_utc)
    query = query.where(~exists().where(same_plate, later, *conditions(wanted, newer)))
    if after is not None:
        query = query.where(tuple_(SightingRow.seen_utc, SightingRow.plate_id) < (after.when, after.key))
    return query.order_by(SightingRow.seen_utc.desc(), SightingRow.plate_id.desc())


def along(wanted: PlateFilter) -> Select[Any]:
    """The plates in the order that is asked for, each with a look whether a sighting of it matches."""
    seen = exists().where(SightingRow.plate_id == Plate.plate_id, *conditions(wanted))
    query = select(Plate.plate_id).where(seen).order_by(*by(wanted))
    if wanted.text:
        query = query.where(text_is(Plate.text, wanted))
    if wanted.order == "first":
        query = query.where(Plate.first_seen.is_not(None))
    if wanted.times > 1:
        query = query.where(known_often(wanted), often_enough(wanted, Plate.plate_id, Plate))
    return query


def by(wanted: PlateFilter) -> list[Any]:
    if wanted.order == "first":
        return [Plate.first_seen, Plate.plate_id]
    return [Plate.times.desc(), Plate.plate_id.desc()]


def nearest(session: Session, wanted: PlateFilter, limit: int, but: Collection[int] = ()) -> list[ranking.Ranked]:
    """The matching plates that are likely enough to be meant, in the order that is asked for."""
    found = ranking.ranked(session, wanted)
    if found is None:
        # the text is so short that half of all plates may contain it: the exact ones, which come first, fill the page
        exact = in_order(session, replace(wanted, near=False, sort="last"), None, limit)
        alike = [] if len(exact) == limit else in_order(session, replace(wanted, sort="last"), None, MOST_ALIKE)
        columns = Plate.plate_id, Plate.text, Plate.alternatives, Plate.last_seen
        rows = session.execute(select(*columns).where(Plate.plate_id.in_([*exact, *alike]))).tuples().all()
        found = ranking.weighed(session, wanted, list(rows))
    found = [one for one in found if one.plate_id not in but]
    if wanted.order == "sure":
        return first_that_match(session, wanted, found, limit)
    known = {one.plate_id: one for one in first_that_match(session, wanted, found, len(found))}
    order = by(wanted) if wanted.order != "last" else [Plate.last_seen.desc(), Plate.plate_id.desc()]
    ids = session.scalars(select(Plate.plate_id).where(Plate.plate_id.in_(known)).order_by(*order).limit(limit))
    return [known[plate_id] for plate_id in ids]


def meeting(session: Session, wanted: PlateFilter) -> list[Any]:
    """What each sighting must meet of the plates that are found: the same search, for who wants all sightings."""
    found: list[Any] = conditions(wanted)
    others = merged.plates(session, wanted)
    own: ColumnElement[bool] | None = None
    if wanted.is_near:
        own = SightingRow.plate_id.in_([one.plate_id for one in nearest(session, wanted, MOST_ALIKE)])
    elif wanted.text:
        matching = matching_plates(wanted)
        anything = select(Plate.plate_id).where(text_is(Plate.text, wanted))
        own = SightingRow.plate_id.in_(anything if matching is None else matching)
    if own is not None:
        found.append(or_(own, SightingRow.plate_id.in_(others)) if others else own)
    if wanted.times > 1:
        often = select(Plate.plate_id).where(known_often(wanted))
        found.append(SightingRow.plate_id.in_(often.where(often_enough(wanted, Plate.plate_id, Plate))))
    return found


def first_that_match(
    session: Session, wanted: PlateFilter, found: Sequence[ranking.Ranked], limit: int
) -> list[ranking.Ranked]:
    """The first of these plates that have a matching sighting; those equally likely by when the last one was."""
    page: list[tuple[float, float, ranking.Ranked]] = []
    for start in range(0, len(found), AT_ONCE):
        some = {one.plate_id: one for one in found[start : start + AT_ONCE]}
        seen = last_seen(wanted, select(Plate.plate_id).where(Plate.plate_id.in_(some))).subquery()
        for plate_id, last in session.execute(select(seen).where(seen.c.last.is_not(None))):
            page.append((-some[plate_id].likelihood, -last.timestamp(), some[plate_id]))
        if len(page) >= limit:
            break
    return [one for *_, one in sorted(page, key=lambda entry: (*entry[:2], entry[2].plate_id))[:limit]]


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
        if is_quiet(session, wanted)
        else select(SightingRow.plate_id, SightingRow.seen_utc).where(*conditions(wanted))
    )
    query = base.add_columns(SightingRow.sighting_id).where(SightingRow.seen_utc.is_not(None))
    if after is not None:
        query = query.where(tuple_(SightingRow.seen_utc, SightingRow.sighting_id) < (after.when, after.key))
    newest_first = query.order_by(SightingRow.seen_utc.desc(), SightingRow.sighting_id.desc()).limit(limit)
    ids = [row.sighting_id for row in session.execute(newest_first)]
    found = chosen().where(SightingRow.sighting_id.in_(ids))
    return sighting_cards(session, found.order_by(SightingRow.seen_utc.desc(), SightingRow.sighting_id.desc()))
