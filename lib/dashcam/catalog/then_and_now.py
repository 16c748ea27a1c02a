"""Readers side by side: of plates that people have said, what was read before their clips were read again, and now."""

from collections.abc import Sequence

from pydantic import BaseModel
from sqlalchemy import and_, exists, select
from sqlalchemy.orm import Session

from dashcam.catalog import corrections, merges
from dashcam.catalog.models import Plate, SightingRow
from dashcam.catalog.plate_words import PLATE, RIGHT, WRONG, SightingWord
from dashcam.catalog.reread_rows import Reread
from dashcam.catalog.same_sighting import same

CHECKS = (RIGHT, WRONG)


class ThenAndNow(BaseModel):
    """Of plates that a person has said, in clips that were read again since."""

    plates: int
    right_then: int
    right_now: int
    mended: int
    """Wrong then, right now."""
    spoiled: int
    """Right then; read otherwise now, or not seen any more."""


def side_by_side(session: Session) -> tuple[ThenAndNow, ThenAndNow]:
    """Of what was drawn by chance to be judged, and of all that people have said: they correct what is wrong, so that
    the second flatters the newer reader."""
    pairs = said_before(session)
    return told([pair for pair in pairs if pair[0].kind in CHECKS]), told(pairs)


def said_before(session: Session) -> list[tuple[SightingWord, str | None]]:
    """Each word that was said before its clip was read again, and what is read there now."""
    later = exists().where(Reread.video_id == SightingWord.video_id, Reread.at > SightingWord.at)
    its = and_(SightingRow.video_id == SightingWord.video_id, SightingRow.word_id == SightingWord.word_id)
    says = SightingWord.kind.in_((PLATE, *CHECKS)), SightingWord.text.is_not(None), SightingWord.read != ""
    query = (
        select(SightingWord, SightingRow.machine, Plate.text)
        .outerjoin(SightingRow, its)
        .outerjoin(Plate, Plate.plate_id == SightingRow.plate_id)
        .where(later, *says)
        .order_by(SightingWord.at.desc(), SightingWord.word_id.desc())
    )
    newest: dict[str, list[SightingWord]] = {}
    found = []
    for word, machine, shown in session.execute(query).tuples():
        others = newest.setdefault(word.video_id, [])
        if any(is_of_the_same(word, other) for other in others):
            continue
        others.append(word)
        found.append((word, merges.read_text(machine, shown) if shown else None))
    return found


def is_of_the_same(one: SightingWord, other: SightingWord) -> bool:
    """Two people's, or one's second thought; one look may show a sighting as two, which one word is about."""
    return same([corrections.spot_of(box) for box in one.boxes], [corrections.spot_of(box) for box in other.boxes])


def told(pairs: Sequence[tuple[SightingWord, str | None]]) -> ThenAndNow:
    then = [word.read == word.text for word, _ in pairs]
    now = [read == word.text for word, read in pairs]
    return ThenAndNow(
        plates=len(pairs),
        right_then=sum(then),
        right_now=sum(now),
        mended=sum(right and not was for was, right in zip(then, now, strict=True)),
        spoiled=sum(was and not right for was, right in zip(then, now, strict=True)),
    )
