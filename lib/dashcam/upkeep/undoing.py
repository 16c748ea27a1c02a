"""Deleting with a day to think better of it, as the main server does it: hidden at once, everywhere and for everybody,
and gone for good when the day is over; or hidden alone, until somebody has it shown again.

Whatever is cut off is ended by the next `see_to`: a word is written down first, and what it says is carried out in
short transactions.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from dashcam import Explained
from dashcam.access import audit
from dashcam.catalog import aside, corrections, deletions, going, plate_facts, plate_text, plates
from dashcam.catalog.aside_rows import NEVER, Going, SetAside
from dashcam.catalog.going import FOR
from dashcam.catalog.models import Plate, SightingRow, Video
from dashcam.catalog.plate_words import SightingWord
from dashcam.config import Site
from dashcam.database import reading, writing
from dashcam.records import HIDDEN
from dashcam.upkeep import backup, deleting
from dashcam.upkeep.deleting import CHUNK, NothingToDelete, Wanted

LONGEST = 24


class NotGoing(Explained):
    """There is no such word (any more)."""


class GoingLine(BaseModel):
    """Something that is hidden, and goes for good when it is ``due``; None: never by itself."""

    model_config = ConfigDict(from_attributes=True)

    going_id: int
    said: str
    who: str
    at: datetime
    due: datetime | None

    @field_validator("due")
    @classmethod
    def _never(cls, due: datetime | None) -> datetime | None:
        return None if due == NEVER else due


def listed(session: Session) -> list[GoingLine]:
    """What can be had back still, the next to go first; sightings that were deleted in one go are one line."""
    rows = session.scalars(select(Going).where(~Going.back).order_by(Going.due, Going.going_id))
    first = {(row.word_id and (row.at, row.who)) or row.going_id: row for row in reversed(rows.all())}
    return [GoingLine.model_validate(row) for row in reversed(first.values())]


def hide(engine: Engine, site: Site, wanted: Wanted, who: str, now: datetime, due: datetime | None = None) -> GoingLine:
    """Nobody is shown it any more when this returns; it goes for good in a day, or when it is ``due``. Raises
    `NothingToDelete`, `KeyLost`."""
    with writing(engine) as session:
        told = deleting.preview(session, site, wanted)
        if not told.clips and not told.sightings:
            raise NothingToDelete(" ".join(told.kept) or "There is nothing of it: nothing was deleted.")
        ids = deleting.chosen(session, site, wanted)
        marked = deletions.protected(session, ids)
        texts = [] if wanted.plate is None else texts_of(session, site, wanted.plate)
        clips = [video_id for video_id in ids if video_id not in marked]
        word = going.begin(session, clips, texts, said_of(wanted, told, texts), who, now, due or now + FOR)
        line = GoingLine.model_validate(word)
        aside.take_clips(session, word, clips[:CHUNK], site)
        if texts:
            going.take_texts(session, word)
    while keep_clips(engine, line.going_id, site):
        pass
    return line


def texts_of(session: Session, site: Site, text: str) -> list[str]:
    """A plate as it is stored, with all that is merged into it."""
    found = deletions.texts_of(session, text, deletions.names_for(session, site))
    shown = {plate.text for plate in found} | {plates.shown_as(session, text)}
    return sorted({one for each in shown for one in (each, *plates.merged_into(session, each))})


def said_of(wanted: Wanted, told: deleting.Preview, texts: Sequence[str]) -> str:
    clips = told.names[0] if told.clips == 1 else f"{told.clips:,} clips"
    if wanted.plate is None:
        return clips
    named = (text for text in texts if text == wanted.plate or text.startswith(HIDDEN))
    plate = shortened(next(named, plate_text.normalised(wanted.plate)))
    return f"{plate}, and {clips}" if told.clips else plate


def shortened(text: str) -> str:
    """A device may send any text."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def hide_sightings(
    engine: Engine, sighting_ids: Iterable[int], who: str, now: datetime, due: datetime | None = None
) -> GoingLine:
    """All of them or none, each with a word of its own, which go and come back together. Raises `NothingToDelete`."""
    wanted = set(sighting_ids)
    with writing(engine) as session:
        its = select(SightingRow, Plate.text).join(SightingRow.plate).where(SightingRow.sighting_id.in_(wanted))
        found = session.execute(its.order_by(SightingRow.sighting_id)).tuples().all()
        if not wanted or len(found) < len(wanted):
            raise NothingToDelete("There is no such sighting (any more): load the page anew. Nothing was deleted.")
        if why := deletions.protected(session, {row.video_id for row, _ in found}):
            raise NothingToDelete(f"A clip is kept for good ({next(iter(why.values()))}): take that mark off first.")
        said = said_of_sightings([shown for _, shown in found])
        hidden = [going.hide_sighting(session, row, shown, said, who, now, due or now + FOR) for row, shown in found]
        return GoingLine.model_validate(hidden[0])


def said_of_sightings(texts: Sequence[str]) -> str:
    count = "one sighting" if len(texts) == 1 else f"{len(texts):,} sightings"
    return f"{texts[0][:LONGEST]}, {count}" if len(set(texts)) == 1 else count


def keep_clips(engine: Engine, going_id: int, site: Site) -> bool:
    """Set some more of its clips aside; whether there may be others."""
    with writing(engine) as session:
        word = session.get(Going, going_id)
        if word is None or word.back:
            return False
        for some in deleting.chunks(word.clips):
            there = list(session.scalars(select(Video.video_id).where(Video.video_id.in_(some))))
            if there := [one for one in there if one not in deletions.protected(session, there)]:
                aside.take_clips(session, word, there, site)
                return True
    return False


def undo(engine: Engine, site: Site, going_id: int, now: datetime) -> GoingLine:
    """It is there again as it was. Raises `NotGoing`."""
    with writing(engine) as session:
        words = in_one_go(session, going_id)
        line, numbers = GoingLine.model_validate(words[0]), [word.going_id for word in words]
        for word in words:
            word.back = True
    for number in numbers:
        come_back(engine, site, number, now)
    return line


def in_one_go(session: Session, going_id: int) -> Sequence[Going]:
    """What was said with this word at once, sightings alone: it goes and comes back together. Raises `NotGoing`."""
    word = found(session, going_id)
    if word.word_id is None:
        return [word]
    same = Going.at == word.at, Going.who == word.who, Going.word_id.is_not(None), ~Going.back
    return session.scalars(select(Going).where(*same).order_by(Going.going_id)).all()


def found(session: Session, going_id: int) -> Going:
    word = session.get(Going, going_id)
    if word is None or word.back:
        raise NotGoing("That was taken back already, or has gone for good.")
    return word


def come_back(engine: Engine, site: Site, going_id: int, now: datetime) -> None:
    """A part of a clip that another word has set aside waits for that clip."""
    each_clip(engine, going_id, lambda session, some: going.put_clips_back(session, some, site, now))
    with writing(engine) as session:
        word = session.get(Going, going_id)
        if word is not None and not going.waits(session, word):
            going.put_parts_back(session, word, site)
            session.delete(word)
    plate_facts.catch_up(engine)


def finish(engine: Engine, site: Site, going_id: int, now: datetime) -> GoingLine:
    """It goes for good now. Raises `NotGoing`, `KeyLost`, ``OSError`` where the list cannot be written."""
    with reading(engine) as session:
        words = in_one_go(session, going_id)
        line, numbers = GoingLine.model_validate(words[0]), [word.going_id for word in words]
    for number in numbers:
        go_for_good(engine, site, number, now)
    with reading(engine) as session:
        deleting.write_list(backup.folder_of(site.server.database_url, site.backup.folder), deletions.said(session))
    return line


def go_for_good(engine: Engine, site: Site, going_id: int, now: datetime) -> None:
    def go(session: Session, some: Sequence[SetAside]) -> None:
        clips = [one.video_id for one in some]
        for one in some:
            aside.put_clip_back(session, one, site)
        deletions.delete_clips(session, clips, site, now)

    each_clip(engine, going_id, go)
    with writing(engine) as session:
        word = session.get(Going, going_id)
        if word is None or (word.word_id is not None and going.waits(session, word)):
            return
        if word.texts:
            going.finish_texts(session, word, site, now)
            for text in sorted(word.texts, key=len, reverse=True):
                audit.forget_word(session, text)
        if word.word_id is not None:
            going.finish_sighting(session, word, now)
        session.delete(word)


def each_clip(engine: Engine, going_id: int, do: Callable[[Session, Sequence[SetAside]], None]) -> None:
    """Some at a time, as far as they are still there."""
    whole = select(SetAside).where(SetAside.going_id == going_id, SetAside.whole).order_by(SetAside.aside_id)
    while True:
        with writing(engine) as session:
            some = session.scalars(whole.limit(CHUNK)).all()
            if not some:
                return
            do(session, some)


def see_to(engine: Engine, site: Site, now: datetime) -> int:
    """End what was begun, and let go what is due; how many words that were. For every minute."""
    with reading(engine) as session:
        words = session.execute(select(Going.going_id, Going.back, Going.due).order_by(Going.going_id)).tuples().all()
    count = 0
    for going_id, back, due in words:
        if back:
            come_back(engine, site, going_id, now)
        elif due <= now:
            finish(engine, site, going_id, now)
            count += 1
        else:
            while keep_clips(engine, going_id, site):
                pass
    return count


def another_day(engine: Engine, now: datetime) -> None:
    """A backup that is restored may be old: what was going then does not go by an hour that has passed."""
    with writing(engine) as session:
        session.execute(update(Going).where(Going.due < now + FOR).values(due=now + FOR))


def agree(engine: Engine, site: Site, told: Sequence[dict[str, Any]], file: Path, now: datetime) -> None:
    """What goes is what was written down last beside the archives, in ``file``: a database that was restored or made
    anew may not know of it, or that it was taken back."""
    written = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    said = {same_word(one): one for one in told if not one["back"]}
    with writing(engine) as session:
        for word in session.scalars(select(Going)):
            known = said.pop((word.at.isoformat(), word.said, word.word_id or ""), None)
            if known is not None:
                word.due = datetime.fromisoformat(known["due"])
            elif word.at < written:
                word.back = True
        for one in said.values():
            say_again(session, one)
    see_to(engine, site, now)


def same_word(one: dict[str, Any]) -> tuple[str, str, str]:
    return one["at"], one["said"], one.get("word_id") or ""


def say_again(session: Session, one: dict[str, Any]) -> None:
    """The catalogue shows it still."""
    word_id = one.get("word_id")
    word = session.get(SightingWord, word_id) if word_id else None
    if word_id and word is None:
        return
    at, due = datetime.fromisoformat(one["at"]), datetime.fromisoformat(one["due"])
    new = going.begin(session, one["clips"], one["texts"], one["said"], one["who"], at, due)
    new.word_id = word_id
    parts: dict[str, aside.Rows] = {}
    for name, row in one.get("words", []):
        parts.setdefault(row.get("video_id", ""), []).append((name, row))
    for video_id, rows in parts.items():
        aside.note(session, new.going_id, video_id, rows)
    if word is not None:
        machine = corrections.machine_sightings(session, word.video_id)
        shown = [path for one in machine if corrections.is_about(word, one) for path in (one.crop, one.frame)]
        aside.note(session, new.going_id, word.video_id, [], pictures=shown)
    if new.texts:
        going.take_texts(session, new)
