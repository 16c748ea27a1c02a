"""What becomes of people's words about a plate that is deleted, or of which only a hash is kept.

Deleted: nothing of the plate stays. Of a word about one sighting it stays that what is seen there is not to be shown,
so that a clip that is done again brings nothing back. Hashed: corrections and merges go on by their hashes; name, note
and tags go, for they say whose plate it is. Each function works inside the caller's transaction.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, delete, or_, select, union, update
from sqlalchemy.orm import Session

from dashcam.catalog.models import Plate, Protection
from dashcam.catalog.plate_words import DELETED, NOTHING, PlateApart, PlateMerge, PlateNote, SightingWord
from dashcam.catalog.plates import merged_into
from dashcam.catalog.pseudonyms import Pseudonyms
from dashcam.catalog.reread_rows import ReadChange
from dashcam.records import HIDDEN


def subjects(session: Session, texts: Iterable[str], names: Pseudonyms) -> set[str]:
    """Of plates and of all that is merged into them, as a deletion is remembered."""
    return {names.of(one) for text in texts for one in (text, *merged_into(session, text))}


def deleted(session: Session, gone: Mapping[str, datetime], names: Pseudonyms) -> dict[str, set[str]]:
    """Forget what was said of plates before they were deleted; by clip the crops of what was said to be no plate, and
    was read as one of them."""

    def went(text: str | None, at: datetime) -> bool:
        return bool(text) and (then := gone.get(names.of(text or ""))) is not None and at <= then

    for note in session.scalars(select(PlateNote)):
        if went(note.text, note.at):
            session.delete(note)
    for merge in session.scalars(select(PlateMerge)):
        if went(merge.text, merge.at) or went(merge.into, merge.at):
            session.delete(merge)
    for pair in session.scalars(select(PlateApart)):
        if went(pair.one, pair.at) or went(pair.other, pair.at):
            session.delete(pair)
    crops: dict[str, set[str]] = {}
    kept = set(session.scalars(select(Protection.video_id)))
    reads_deleted(session, gone, names)
    for word in session.scalars(select(SightingWord).where(SightingWord.kind != DELETED)):
        if word.video_id in kept:
            continue
        if word.kind == NOTHING and went(word.read, word.at):
            crops.setdefault(word.video_id, set()).add(word.crop)
            blank(word)
        elif went(word.text, word.at):
            blank(word)
        elif went(word.read, word.at):
            word.read = word.crop = ""
    session.flush()
    return crops


def reads_deleted(session: Session, gone: Mapping[str, datetime], names: Pseudonyms) -> None:
    """That such a plate was read before its clip was read again, or since, but in clips that are kept for good."""
    columns = ReadChange.was, ReadChange.now, ReadChange.said
    texts = session.scalars(union(*(select(column).where(column.is_not(None)) for column in columns)))
    stays = ReadChange.video_id.in_(select(Protection.video_id))
    known = {text: gone.get(names.of(text)) for text in texts if text}
    for text, then in known.items():
        if then is None:
            continue
        mine = or_(*(column == text for column in columns)), ReadChange.at <= then
        session.execute(delete(ReadChange).where(*mine, ~stays))


def blank(word: SightingWord) -> None:
    word.kind, word.text, word.confidence = DELETED, None, 0.0
    word.read = word.crop = word.who = ""


def hashed_in(session: Session, clips: Iterable[str], names: Pseudonyms, stays: set[str]) -> None:
    """What was said of sightings in clips, but for plates whose hash is one of those that stay."""
    for word in session.scalars(select(SightingWord).where(SightingWord.video_id.in_(list(clips)))):
        if word.kind == DELETED or names.of(word.text or word.read) in stays:
            continue
        word.read = names.of(word.read) if word.read else ""
        word.text = names.of(word.text) if word.text else None
        word.crop = ""
    session.flush()


def hashed(session: Session, texts: Iterable[str], names: Pseudonyms) -> None:
    """What was said of plates, as far as no sighting has their names any more."""
    wanted = set(texts)
    gone = wanted - set(session.scalars(select(Plate.text).where(Plate.text.in_(wanted))))
    for note in session.scalars(select(PlateNote).where(PlateNote.text.in_(gone))):
        session.delete(note)
        session.flush()
        if note.ignored and session.get(PlateNote, names.of(note.text)) is None:
            bare = {"name": "", "note": "", "tags": [], "own": False, "watched": False}
            session.add(PlateNote(text=names.of(note.text), ignored=True, who=note.who, at=note.at, **bare))
    every = {one for text in gone for one in (text, *merged_into(session, text))}
    for merge in session.scalars(select(PlateMerge).where(PlateMerge.text.in_(every) | PlateMerge.into.in_(gone))):
        session.delete(merge)
        session.flush()
        if session.get(PlateMerge, names.of(merge.text)) is None:
            into = names.of(merge.into)
            session.add(PlateMerge(text=names.of(merge.text), into=into, who=merge.who, at=merge.at))
    session.execute(delete(PlateApart).where(PlateApart.one.in_(gone) | PlateApart.other.in_(gone)))
    session.flush()


def named_again(session: Session, names: Mapping[str, str]) -> None:
    """Plates have their names back, by their hashes."""
    for hidden, text in names.items():
        session.execute(delete(PlateNote).where(PlateNote.text == hidden))
        session.execute(update(SightingWord).where(SightingWord.text == hidden).values(text=text))
        session.execute(update(PlateMerge).where(PlateMerge.into == hidden).values(into=text))


def unhashed(watched: Iterable[str]) -> list[ColumnElement[bool]]:
    """Of a word that has a plate in it still."""
    plain = SightingWord.read != "", ~SightingWord.read.startswith(HIDDEN), SightingWord.kind != DELETED
    return [*plain, SightingWord.text.is_(None) | SightingWord.text.not_in(set(watched))]
