"""A person's word about sightings: "the plate is …", "that is no plate". It holds when the clip is done again.

What a row says is always made of two things: what the machine said, and the words of people, the newest first. So it
makes no difference in which order they come, and a word that is taken back leaves what the machine said. What is no
plate has no row: it is in no list, count, search, map or export; the stage's result has it still.

Each function works inside the caller's transaction.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dashcam import records
from dashcam.catalog import accuracy, held_back, merges
from dashcam.catalog.merges import CannotSay
from dashcam.catalog.models import Plate, SightingRow, Video
from dashcam.catalog.places import place
from dashcam.catalog.plate_words import DELETED, NOTHING, PLATE, SightingWord
from dashcam.catalog.plates import forget_unseen, plate_ids, plates_in, roots
from dashcam.catalog.same_sighting import Spot, path_of, same
from dashcam.config import Site
from dashcam.records import HIDDEN
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import TaskRow

CERTAIN = 1.0
"""The confidence of what a person has said."""


def say(
    session: Session, sighting_ids: Iterable[int], text: str | None, who: str, now: datetime, site: Site
) -> list[str]:
    """These sightings are of the plate ``text``, or of none (None); the words' ids. Raises `CannotSay`."""
    said = None if text is None else merges.plate_said(text)
    merges.in_turn(session)
    ids = sorted(set(sighting_ids))
    found = session.execute(
        select(SightingRow, Plate.text).join(SightingRow.plate).where(SightingRow.sighting_id.in_(ids))
    ).all()
    if not ids or len(found) < len(ids):
        raise CannotSay("There is no such sighting (any more): load the page anew.")
    words = [word_of(row, shown, said, who, now) for row, shown in found]
    for word in words:
        if word.read.startswith(HIDDEN):
            raise CannotSay("Of that plate only a hash is kept: nobody can say any more what it was.")
        if said is None and machine_sighting(session, word.video_id, word.crop) is None:
            raise CannotSay("What the machine has found in that clip is not kept: it could not be put back.")
    session.add_all(words)
    session.flush()
    for video_id in sorted({word.video_id for word in words}):
        settle(session, session.get_one(Video, video_id), site)
    return [word.word_id for word in words]


def word_of(
    row: SightingRow, shown: str, said: str | None, who: str, now: datetime, kind: str | None = None
) -> SightingWord:
    machine = row.machine or {}
    return SightingWord(
        word_id=uuid.uuid4().hex,
        video_id=row.video_id,
        kind=kind or (NOTHING if said is None else PLATE),
        text=said,
        first_s=row.first_s,
        last_s=row.last_s,
        boxes=[list(spot) for spot in path_of(spots(row))],
        read=merges.read_text(row.machine, shown),
        confidence=machine.get("confidence", row.confidence),
        crop=row.crop,
        who=who,
        at=now,
    )


def about(session: Session, word_ids: Sequence[str]) -> str:
    """What these words say, as the audit log has it."""
    words = session.scalars(select(SightingWord).where(SightingWord.word_id.in_(word_ids)))
    return ", ".join(sorted({f"{word.read} is {word.text}" if word.text else word.read for word in words}))


def take_back(session: Session, word_ids: Iterable[str], site: Site) -> int:
    """Undo: what was said before holds again, at last what the machine says; how many words that were."""
    merges.in_turn(session)
    words = session.scalars(
        select(SightingWord).where(SightingWord.word_id.in_(list(word_ids)), SightingWord.kind != DELETED)
    ).all()
    videos = {word.video_id: any(word.kind == NOTHING for word in words) for word in words}
    for word in words:
        session.delete(word)
    session.flush()
    for video_id in sorted(videos):
        settle(session, session.get_one(Video, video_id), site, put_back=videos[video_id])
    return len(words)


def settle(session: Session, video: Video, site: Site, put_back: bool = False) -> None:
    """Bring the clip's rows up to date with what people say; ``put_back`` what was said to be no plate, too."""
    query = select(SightingRow, Plate.text).join(SightingRow.plate).where(SightingRow.video_id == video.video_id)
    rows = session.execute(query).tuples().all()
    words = words_of(session, video.video_id)
    told = [machine_says(row, shown) for row, shown in rows]
    shown = roots_of(session, told, words)
    numbers = plate_ids(session, (text for _, text in shown if text is not None))
    left = {row.plate_id for row, _ in rows}
    for (row, _), said, (word, text) in zip(rows, told, shown, strict=True):
        if text is None:
            session.delete(row)
        else:
            write(row, said, word, text, numbers[text])
    session.flush()
    if put_back:
        there = {row.crop for row, _ in rows}
        add(session, video, [one for one in machine_sightings(session, video.video_id) if one.crop not in there], site)
    forget_unseen(session, left | plates_in(session, video.video_id))
    accuracy.note_missed(session, video.video_id)


def add(session: Session, video: Video, found: Sequence[records.Sighting], site: Site) -> None:
    """Make rows of what the machine has found in a clip, by what people say of it."""
    rows = []
    told = list(found)
    shown = roots_of(session, told, words_of(session, video.video_id))
    going = held_back.texts(session, video.start_utc or video.created_at)
    numbers = plate_ids(session, (text for _, text in shown if text is not None and text not in going))
    for one, (word, text) in zip(told, shown, strict=True):
        if text is None:
            continue
        if text in going:
            held_back.keep(session, going[text], video.video_id, [one.crop, one.frame])
            continue
        row = SightingRow(video_id=video.video_id, **one.model_dump(mode="json", exclude={"text"}))
        write(row, one, word, text, numbers[text])
        rows.append(row)
    if rows:
        place(session, video, rows, site.place)
    session.add_all(rows)
    session.flush()


def write(row: SightingRow, told: records.Sighting, word: SightingWord | None, text: str, number: int) -> None:
    row.plate_id = number
    row.word_id = word.word_id if word else None
    row.confidence, row.confirmed = (CERTAIN, True) if word else (told.confidence, told.confirmed)
    sure = {"confidence": told.confidence, "confirmed": told.confirmed} if word else {}
    row.machine = {"text": told.text} | sure if word or text != told.text else None


def shown_as(session: Session, video_id: str, found: Sequence[records.Sighting]) -> list[tuple[str | None, str | None]]:
    """Of each the kind of the word that holds for it, and under which plate it is shown; None: not at all."""
    shown = roots_of(session, found, words_of(session, video_id))
    return [(word.kind if word else None, text) for word, text in shown]


def roots_of(
    session: Session, told: Sequence[records.Sighting], words: Sequence[SightingWord]
) -> list[tuple[SightingWord | None, str | None]]:
    """For each sighting the word that holds for it, and the plate that it is shown under; None: it is not shown."""
    held = [next((word for word in words if is_about(word, one)), None) for one in told]
    texts = [word.text if word else one.text for word, one in zip(held, told, strict=True)]
    shown = roots(session, (text for text in texts if text is not None))
    return [(word, None if text is None else shown[text]) for word, text in zip(held, texts, strict=True)]


def is_about(word: SightingWord, one: records.Sighting | SightingRow) -> bool:
    return same([spot_of(box) for box in word.boxes], spots(one))


def read_otherwise(session: Session, sighting_ids: Sequence[int]) -> dict[int, str]:
    """What the machine has read, of those sightings that a person's word shows as another plate."""
    query = select(SightingRow.sighting_id, SightingRow.machine, Plate.text).join(SightingRow.plate)
    rows = session.execute(query.where(SightingRow.sighting_id.in_(sighting_ids), SightingRow.machine.is_not(None)))
    return {number: machine["text"] for number, machine, text in rows if machine and machine["text"] != text}


def spots(one: records.Sighting | SightingRow) -> list[Spot]:
    """Where the plate was in the picture, in order of time."""
    reads = [(read["t_s"], *read["box"]) if isinstance(read, Mapping) else (read.t_s, *read.box) for read in one.reads]
    return sorted({box[0]: spot_of(box) for box in [*reads, (one.best_s, *one.box)]}.values())


def spot_of(numbers: Iterable[float]) -> Spot:
    t_s, x0, y0, x1, y1 = numbers
    return float(t_s), float(x0), float(y0), float(x1), float(y1)


def words_of(session: Session, video_id: str) -> Sequence[SightingWord]:
    """Those by which it is decided what is shown, the newest first."""
    decides = SightingWord.text.is_not(None) | SightingWord.kind.in_((NOTHING, DELETED))
    mine = select(SightingWord).where(SightingWord.video_id == video_id, decides)
    return session.scalars(mine.order_by(SightingWord.at.desc(), SightingWord.word_id.desc())).all()


def machine_says(row: SightingRow, shown: str) -> records.Sighting:
    """The sighting as the stage has told it."""
    said: dict[str, Any] = {"text": shown, "confidence": row.confidence, "confirmed": row.confirmed}
    rest = {name: getattr(row, name) for name in records.Sighting.model_fields if name not in said}
    return records.Sighting.model_validate(rest | said | (row.machine or {}))


def machine_sightings(session: Session, video_id: str) -> list[records.Sighting]:
    """What the heavy stage has found in the clip, as it is kept."""
    return [records.Sighting.model_validate(one) for one in kept(session, video_id)]


def machine_sighting(session: Session, video_id: str, crop: str) -> records.Sighting | None:
    found = next((one for one in kept(session, video_id) if one["crop"] == crop), None)
    return records.Sighting.model_validate(found) if found else None


def kept(session: Session, video_id: str) -> Iterator[dict[str, Any]]:
    heavy = TaskRow.task_type == TaskType.HEAVY_PROCESS_VIDEO.value, TaskRow.outcome == "processed"
    newest = select(TaskRow.result).where(TaskRow.video_id == video_id, *heavy).order_by(TaskRow.revision.desc())
    yield from (session.scalar(newest.limit(1)) or {}).get("sightings", [])
