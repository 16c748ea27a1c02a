"""What corrections teach: which characters our reads confuse, how often a read of some confidence is right, and the
crops with their truth."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from dashcam.catalog.csv_lines import line
from dashcam.catalog.models import SightingRow, Video
from dashcam.catalog.paging import Cursor
from dashcam.catalog.plate_words import DELETED, UNCLEAR, PlateMerge, SightingWord
from dashcam.records import HIDDEN
from dashcam.storage import layout

BANDS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Where bands of confidence begin; the last ends at 1."""
FIELDS = ("at", "who", "said", "read", "confidence", "truth", "crop", "video_id", "first_s", "last_s")


class JudgedRead(BaseModel):
    """A person's word about one sighting, with what the machine had read."""

    word_id: str
    at: datetime
    who: str
    said: str
    """``plate``, ``nothing``; and of a spot check ``right``, ``wrong``, ``unclear``."""
    read: str
    confidence: float
    truth: str | None
    """The plate; None: there is none, or of a spot check that nobody has said which."""
    crop: str
    """``store:path`` of the picture; empty where there is none any more."""
    video_id: str
    first_s: float
    last_s: float


class Band(BaseModel):
    """Reads that a person has judged, of one band of confidence."""

    low: float
    high: float
    right: int
    wrong: int
    """Another plate, or none at all."""


def confusions(session: Session) -> Counter[tuple[str, str]]:
    """How often a character was read (first) where that is truly another (second), or the same.

    Of what people have corrected, confirmed and merged. An empty read is a character that was missed, an empty truth
    one that was added.
    """
    judged = SightingWord.text.is_not(None), *plain(SightingWord.read), *plain(SightingWord.text)
    pairs = session.execute(select(SightingWord.read, SightingWord.text).where(*judged)).tuples().all()
    joined = select(PlateMerge.text, PlateMerge.into).where(*plain(PlateMerge.text), *plain(PlateMerge.into))
    merged = session.execute(joined).tuples().all()
    counts: Counter[tuple[str, str]] = Counter()
    for read, truth in [*pairs, *merged]:
        counts.update(aligned(read, truth or ""))
    return counts


def plain(text: InstrumentedAttribute[Any]) -> list[ColumnElement[bool]]:
    """It is a plate's own text: neither a hash nor forgotten."""
    return [~text.startswith(HIDDEN), text != ""]


def aligned(read: str, truth: str) -> list[tuple[str, str]]:
    """The characters of both side by side, as the fewest edits have it (Levenshtein)."""
    costs = [[0] * (len(truth) + 1) for _ in range(len(read) + 1)]
    for row in range(len(read) + 1):
        for column in range(len(truth) + 1):
            if row and column:
                change = costs[row - 1][column - 1] + (read[row - 1] != truth[column - 1])
                costs[row][column] = min(change, costs[row - 1][column] + 1, costs[row][column - 1] + 1)
            else:
                costs[row][column] = row + column
    pairs, row, column = [], len(read), len(truth)
    while row or column:
        here = costs[row][column]
        if row and column and here == costs[row - 1][column - 1] + (read[row - 1] != truth[column - 1]):
            row, column = row - 1, column - 1
            pairs.append((read[row], truth[column]))
        elif row and here == costs[row - 1][column] + 1:
            row -= 1
            pairs.append((read[row], ""))
        else:
            column -= 1
            pairs.append(("", truth[column]))
    return pairs[::-1]


def bands(session: Session) -> list[Band]:
    """How often reads were right, by how sure the reader was; of each sighting what was said of it last."""
    query = select(
        SightingWord.video_id, SightingWord.crop, SightingWord.read, SightingWord.text, SightingWord.confidence
    ).where(SightingWord.kind.not_in((DELETED, UNCLEAR)), SightingWord.read != "")
    said = session.execute(query.order_by(SightingWord.at)).tuples()
    judged = {(video_id, crop): (read == text, confidence) for video_id, crop, read, text, confidence in said}
    counts = Counter((band_of(confidence), right) for right, confidence in judged.values())
    ends = [*BANDS[1:], 1.0]
    return [
        Band(low=low, high=high, right=counts[number, True], wrong=counts[number, False])
        for number, (low, high) in enumerate(zip(BANDS, ends, strict=True))
    ]


def band_of(confidence: float) -> int:
    return max(sum(low <= confidence for low in BANDS) - 1, 0)


def corrections(session: Session, after: Cursor | None = None, limit: int | None = 100) -> Iterator[JudgedRead]:
    """The newest first; continued ``after`` the time and id of one."""
    query = (
        select(SightingWord, Video.media, SightingRow.crop)
        .join(Video, Video.video_id == SightingWord.video_id)
        .outerjoin(
            SightingRow,
            (SightingRow.video_id == SightingWord.video_id) & (SightingRow.word_id == SightingWord.word_id),
        )
        .where(SightingWord.kind != DELETED)
        .order_by(SightingWord.at.desc(), SightingWord.word_id.desc(), SightingRow.sighting_id)
    )
    if after is not None:
        query = query.where(tuple_(SightingWord.at, SightingWord.word_id) < (after.when, after.key))
    seen = set[str]()
    for word, media, crop in session.execute(query.limit(limit).execution_options(yield_per=500)):
        if word.word_id in seen:
            continue
        seen.add(word.word_id)
        path = crop or word.crop
        yield JudgedRead(
            word_id=word.word_id,
            at=word.at,
            who=word.who,
            said=word.kind,
            read=word.read,
            confidence=word.confidence,
            truth=word.text,
            crop=layout.address(media, path) if media and path else "",
            video_id=word.video_id,
            first_s=word.first_s,
            last_s=word.last_s,
        )


def corrections_csv(session: Session) -> Iterator[str]:
    """A set to train and to test a reader with: the picture, what was read, and what is true (empty: no plate, or that
    was not ``said``)."""
    yield line(FIELDS)
    for one in corrections(session, limit=None):
        told = one.model_dump(mode="json")
        yield line([told[name] for name in FIELDS])
