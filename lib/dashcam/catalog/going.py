"""What a person deletes is hidden for a day, in which it can be had back; then it goes for good.

A clip is set aside with all its rows. Of a plate its sightings are, and what was said of it; of one sighting its row,
and a word that nothing is to be shown there. Each function works inside the caller's transaction.
"""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from dashcam.catalog import aside, corrections, deletions, forgetting, held_back, merges, rereads, saved_searches
from dashcam.catalog.aside import Rows, told
from dashcam.catalog.aside_rows import NEVER, Going, SetAside
from dashcam.catalog.models import Plate, Protection, SavedSearch, SightingRow, Video
from dashcam.catalog.plate_text import normalised
from dashcam.catalog.plate_words import DELETED, PlateApart, PlateMerge, PlateNote, SightingWord
from dashcam.catalog.plates import forget_unseen
from dashcam.catalog.reread_rows import ReadChange
from dashcam.catalog.same_sighting import same
from dashcam.config import Site
from dashcam.database import Base

FOR = timedelta(hours=24)
WHEN = func.coalesce(Video.start_utc, Video.created_at)


def begin(
    session: Session, clips: Sequence[str], texts: Iterable[str], said: str, who: str, now: datetime, due: datetime
) -> Going:
    going = Going(clips=list(clips), texts=sorted(set(texts)), word_id=None, said=said, who=who, at=now, due=due)
    going.back = False
    session.add(going)
    session.flush()
    return going


def hide_sighting(
    session: Session, row: SightingRow, shown: str, said: str, who: str, now: datetime, due: datetime
) -> Going:
    """One sighting alone; the plate stays where else it was seen."""
    merges.in_turn(session)
    going = begin(session, [], [], said, who, now, due)
    changed = ReadChange.video_id == row.video_id, ReadChange.crop == row.crop
    rows = told(session, table("read_change"), *changed)
    rows += told(session, table("sighting"), SightingRow.sighting_id == row.sighting_id)
    session.execute(delete(ReadChange).where(*changed))
    word = corrections.word_of(row, shown, None, who, now, kind=DELETED)
    forgetting.blank(word)
    word.word_id = uuid.uuid4().hex
    going.word_id = word.word_id
    plate, video_id, pictures = row.plate_id, row.video_id, [row.crop, row.frame]
    looked = aside.looked_at(session, [video_id]).get(video_id)
    session.add(word)
    session.delete(row)
    aside.note(session, going.going_id, video_id, rows, looked_at=looked, pictures=pictures)
    forget_unseen(session, {plate})
    return going


def table(name: str) -> Any:
    return Base.metadata.tables[name]


def take_texts(session: Session, going: Going, clips: Iterable[str] | None = None) -> None:
    """The sightings of its plates in clips from before, and what was said of them; of some clips alone where named."""
    merges.in_turn(session)
    session.flush()
    kept = exists().where(Protection.video_id == SightingRow.video_id)
    plates = set(session.scalars(select(Plate.plate_id).where(Plate.text.in_(going.texts))))
    before = select(Video.video_id).where((going.at >= WHEN) | (going.due == NEVER))
    its = [SightingRow.plate_id.in_(plates), ~kept, SightingRow.video_id.in_(before)]
    its += [] if clips is None else [SightingRow.video_id.in_(list(clips))]
    parts: dict[str, Rows] = {}
    for name, row in [*told(session, table("sighting"), *its), *words(session, going)]:
        parts.setdefault(row.get("video_id", ""), []).append((name, row))
    looked = aside.looked_at(session, parts)
    asides = []
    for video_id, rows in sorted(parts.items()):
        seen = [row for name, row in rows if name == "sighting"]
        pictures = sorted({row[which] for row in seen for which in ("crop", "frame")})
        at = looked.get(video_id)
        asides.append(aside.noted(going.going_id, video_id, rows, looked_at=at, pictures=pictures))
    aside.note_all(session, asides)
    session.execute(delete(SightingRow).where(*its).execution_options(synchronize_session=False))
    session.expire_all()
    forget_unseen(session, plates)


def words(session: Session, going: Going) -> Rows:
    """What was said of its plates: taken away, and of a sighting it stays that nothing is shown there."""
    texts, found = going.texts, list[tuple[str, dict[str, Any]]]()
    of_protected = select(Protection.video_id)
    searches = saved_searches.naming(session, lambda said: normalised(said) in texts)
    for entity, which in (
        (PlateNote, [PlateNote.text.in_(texts), PlateNote.at <= going.at]),
        (PlateMerge, [PlateMerge.text.in_(texts) | PlateMerge.into.in_(texts), PlateMerge.at <= going.at]),
        (PlateApart, [PlateApart.one.in_(texts) | PlateApart.other.in_(texts), PlateApart.at <= going.at]),
        (SavedSearch, [SavedSearch.search_id.in_(searches)]),
        (ReadChange, [*read_as(texts), ReadChange.at <= going.at, ReadChange.video_id.not_in(of_protected)]),
    ):
        found += told(session, table(entity.__tablename__), *which)
        session.execute(delete(entity).where(*which).execution_options(synchronize_session=False))
    its = SightingWord.text.in_(texts) | SightingWord.read.in_(texts)
    spoken = its, SightingWord.kind != DELETED, SightingWord.at <= going.at, SightingWord.video_id.not_in(of_protected)
    found += told(session, table("sighting_word"), *spoken)
    for word in session.scalars(select(SightingWord).where(*spoken)):
        if word.text in texts or (word.text is None and word.read in texts):
            forgetting.blank(word)
        else:
            word.read = word.crop = ""
    session.flush()
    return found


def read_as(texts: Sequence[str]) -> list[ColumnElement[bool]]:
    return [or_(*(column.in_(texts) for column in (ReadChange.was, ReadChange.now, ReadChange.said)))]


def put_parts_back(session: Session, going: Going, site: Site) -> None:
    """All but whole clips. What belongs to a clip that is not there goes with it."""
    if going.word_id is not None:
        session.execute(delete(SightingWord).where(SightingWord.word_id == going.word_id))
    going.back = True
    session.flush()
    parts = parts_of(session, going)
    there = set(session.scalars(select(Video.video_id).where(Video.video_id.in_([one.video_id for one in parts]))))
    clips = aside.put_parts_back(session, [one for one in parts if one.video_id in there | {""}], site)
    hide_again(session, clips)


def parts_of(session: Session, going: Going) -> Sequence[aside.AsidePart]:
    wanted = select(*(getattr(SetAside, name) for name in aside.AsidePart._fields))
    found = session.execute(wanted.where(SetAside.going_id == going.going_id, ~SetAside.whole))
    return [aside.AsidePart(*row) for row in found]


def waits(session: Session, going: Going) -> bool:
    """One of its clips is set aside as a whole by another word, and comes back or goes first."""
    its = select(SetAside.video_id).where(SetAside.going_id == going.going_id, ~SetAside.whole)
    return bool(held_back.clips(session, session.scalars(its)))


def put_clips_back(session: Session, asides: Sequence[SetAside], site: Site, now: datetime) -> None:
    """What is going still stays hidden in them, and of a plate that was deleted since nothing comes back."""
    clips = [one.video_id for one in asides]
    for one in asides:
        aside.put_clip_back(session, one, site)
    hide_again(session, clips)
    deletions.forget_in(session, clips, site, now)


def hide_again(session: Session, clips: Iterable[str]) -> None:
    some = list(clips)
    for other in session.scalars(select(Going).where(~Going.back)).all():
        if other.texts and some:
            take_texts(session, other, some)


def finish_texts(session: Session, going: Going, site: Site, now: datetime) -> None:
    """Its plates go for good, as they were when the word was given; those that were hidden, as they are now."""
    names, at = deletions.names_for(session, site), now if going.due == NEVER else going.at
    put_parts_back(session, going, site)
    gone = dict.fromkeys(map(names.of, going.texts), at)
    deletions.remember(session, deletions.PLATE, gone, at)
    deletions.plates_again(session, gone, names, at)


def finish_sighting(session: Session, going: Going, now: datetime) -> None:
    """It goes for good; the word that nothing is to be shown there stays."""
    word = session.get(SightingWord, going.word_id)
    if word is None:
        return
    machine = corrections.machine_sightings(session, word.video_id)
    found = (one.crop for one in machine if corrections.is_about(word, one))
    parts = select(SetAside.pictures).where(SetAside.going_id == going.going_id, ~SetAside.whole)
    crops = {*found, *(path for pictures in session.scalars(parts) for path in pictures)}
    spots = [corrections.spot_of(box) for box in word.boxes]
    for other in session.scalars(select(SightingWord).where(SightingWord.video_id == word.video_id)):
        if same(spots, [corrections.spot_of(box) for box in other.boxes]):
            forgetting.blank(other)
    deletions.rewrite_results(session, [word.video_id], lambda one: None if one["crop"] in crops else one)
    rereads.forget_crops(session, {word.video_id: crops})
    deletions.leave_over(session, {word.video_id: []}, now, whole=False)
