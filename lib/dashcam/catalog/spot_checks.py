"""Spot checks: people are asked of some sightings whether they were read right, and told how often a read is.

What people correct by themselves is mostly what was read wrong. Only of sightings that nobody has chosen can be told
how often a read of some confidence is right: they are drawn by chance, as many of the unsure as of the sure. An answer
is a person's word like any other (`corrections`): it holds when the clip is done again, and can be taken back.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import zip_longest
from typing import Literal

from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from dashcam.catalog import corrections, merges
from dashcam.catalog.accuracy import wilson
from dashcam.catalog.lessons import BANDS, band_of
from dashcam.catalog.merges import CannotSay
from dashcam.catalog.models import Plate, SightingRow, Video
from dashcam.catalog.plate_words import RIGHT, UNCLEAR, WRONG, SightingWord
from dashcam.config import Site
from dashcam.records import HIDDEN

ASKED = 20
DRAWN = 400
"""Numbers that are drawn to find them: a catalogue of any size costs the same."""
KINDS = (RIGHT, WRONG, UNCLEAR)
ReadVerdict = Literal["right", "wrong", "unclear"]


@dataclass(frozen=True)
class SpotCheck:
    """A sighting that somebody is asked about. How sure the reader was they are not told: it would sway them."""

    sighting_id: int
    read: str
    video_id: str
    video_name: str
    best_s: float
    crop: str


class CheckedBand(BaseModel):
    """Reads of one band of confidence that spot checks have asked about."""

    low: float
    high: float
    right: int
    wrong: int
    unclear: int
    """Nobody could tell; neither right nor wrong."""
    said: float | None
    """How sure the reader was of those that were judged, on average; None where none was."""
    rate: float | None
    """Of these the share that was right."""
    rate_low: float | None
    rate_high: float | None
    """Between these it lies with 95 % (Wilson's interval)."""


def to_judge(session: Session, day: date, limit: int = ASKED) -> list[SpotCheck]:
    """Of the day's sample, the same for everybody, what was not judged."""
    by_band: list[list[SightingRow]] = [[] for _ in BANDS]
    texts = {}
    for row, shown in unjudged(session, drawn(session, day)):
        texts[row.sighting_id] = merges.read_text(row.machine, shown)
        by_band[band_of(row.confidence)].append(row)
    turns = [row for turn in zip_longest(*by_band) for row in turn if row is not None]
    return [
        SpotCheck(row.sighting_id, texts[row.sighting_id], row.video_id, row.video.name, row.best_s, row.crop)
        for row in turns[:limit]
    ]


def drawn(session: Session, day: date) -> list[int]:
    """Numbers of sightings by chance; some may have none."""
    first = session.scalar(select(func.min(SightingRow.sighting_id)))
    last = session.scalar(select(func.max(SightingRow.sighting_id)))
    if first is None or last is None:
        return []
    there = range(first, last + 1)
    return random.Random(day.isoformat()).sample(there, min(DRAWN, len(there)))


def unjudged(session: Session, numbers: Sequence[int]) -> list[tuple[SightingRow, str]]:
    """Those with a picture of which nobody has said anything, with the plate that they are shown as."""
    plain = SightingRow.word_id.is_(None), SightingRow.crop != "", ~Plate.text.startswith(HIDDEN)
    query = select(SightingRow, Plate.text).join(SightingRow.plate).join(SightingRow.video)
    query = query.where(SightingRow.sighting_id.in_(numbers), Video.media.is_not(None), *plain)
    rows = session.execute(query.options(defer(SightingRow.reads), defer(SightingRow.slots))).tuples()
    found = {row.sighting_id: (row, shown) for row, shown in rows}
    said = words_in(session, {row.video_id for row, _ in found.values()})
    left = [found[number] for number in numbers if number in found]
    return [(row, shown) for row, shown in left if not judged(row, said.get(row.video_id, []))]


def words_in(session: Session, video_ids: Iterable[str]) -> dict[str, list[SightingWord]]:
    """The answers that do not change what is shown: no row of a sighting knows them."""
    wordless = SightingWord.kind.in_(KINDS), SightingWord.text.is_(None)
    found: dict[str, list[SightingWord]] = {}
    for word in session.scalars(select(SightingWord).where(SightingWord.video_id.in_(list(video_ids)), *wordless)):
        found.setdefault(word.video_id, []).append(word)
    return found


def judged(row: SightingRow, words: Iterable[SightingWord]) -> bool:
    return any(corrections.is_about(word, row) for word in words)


def judge(
    session: Session, sighting_id: int, said: ReadVerdict, truth: str, who: str, now: datetime, site: Site
) -> SightingWord:
    """Note the answer; ``truth`` is what stands there of a wrong one, as far as it was said. Raises `CannotSay`."""
    merges.in_turn(session)
    query = select(SightingRow, Plate.text).join(SightingRow.plate).where(SightingRow.sighting_id == sighting_id)
    found = session.execute(query).one_or_none()
    if found is None:
        raise CannotSay("There is no such sighting (any more): load the page anew.")
    row, shown = found
    read = merges.read_text(row.machine, shown)
    if read.startswith(HIDDEN):
        raise CannotSay("Of that plate only a hash is kept: nobody can say any more what it was.")
    text = read if said == RIGHT else merges.plate_said(truth) if said == WRONG and truth.strip() else None
    word = corrections.word_of(row, shown, text, who, now, RIGHT if text == read else said)
    session.add(word)
    session.flush()
    if text is not None:
        corrections.settle(session, session.get_one(Video, word.video_id), site)
    return word


def last_of(session: Session, who: str) -> str | None:
    """The answer that the person has given last, for them to take back."""
    mine = select(SightingWord.word_id).where(SightingWord.who == who, SightingWord.kind.in_(KINDS))
    return session.scalar(mine.order_by(SightingWord.at.desc(), SightingWord.word_id.desc()).limit(1))


def bands(session: Session) -> list[CheckedBand]:
    """How often reads were right, by how sure the reader was; of each sighting what was said of it last."""
    columns = SightingWord.video_id, SightingWord.crop, SightingWord.word_id, SightingWord.kind, SightingWord.confidence
    asked = select(*columns).where(SightingWord.kind.in_(KINDS), SightingWord.read != "")
    last = {
        (video_id, crop or word_id): (kind, confidence)
        for video_id, crop, word_id, kind, confidence in session.execute(asked.order_by(SightingWord.at)).tuples()
    }
    by_band: list[list[tuple[str, float]]] = [[] for _ in BANDS]
    for kind, confidence in last.values():
        by_band[band_of(confidence)].append((kind, confidence))
    ends = [*BANDS[1:], 1.0]
    return [checked(low, high, answers) for low, high, answers in zip(BANDS, ends, by_band, strict=True)]


def checked(low: float, high: float, answers: Sequence[tuple[str, float]]) -> CheckedBand:
    sure = [confidence for kind, confidence in answers if kind != UNCLEAR]
    right = sum(kind == RIGHT for kind, _ in answers)
    rate = right / len(sure) if sure else None
    rate_low, rate_high = wilson(rate, len(sure)) if rate is not None else (None, None)
    return CheckedBand(
        low=low,
        high=high,
        right=right,
        wrong=len(sure) - right,
        unclear=len(answers) - len(sure),
        said=sum(sure) / len(sure) if sure else None,
        rate=rate,
        rate_low=rate_low,
        rate_high=rate_high,
    )
