"""Plates that a person says are one car: what is read as the one text is shown as the other, now and from now on.

Each function works inside the caller's transaction.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from dashcam import Explained
from dashcam.catalog import plate_text
from dashcam.catalog.models import Plate, SightingRow
from dashcam.catalog.plate_words import PlateApart, PlateMerge, SightingWord
from dashcam.catalog.plates import forget_unseen, plate_ids, root, roots
from dashcam.records import HIDDEN

LONGEST = 16
AT_ONCE = 500
LOCK = 0x9A7E
"""Ours among PostgreSQL's advisory locks, beside `deriving.LOCK`."""


class CannotSay(Explained):
    """Nothing was changed; the message says why."""


def in_turn(session: Session) -> None:
    """A person and a stage at once would each miss what the other has said; SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(LOCK)))


def plate_said(text: str) -> str:
    """The plate that a person has typed. Raises `CannotSay`."""
    said = plate_text.normalised(text)
    if not said or len(said) > LONGEST or text.startswith(HIDDEN):
        raise CannotSay(f"{text[:40]!r} is no plate: 1 to {LONGEST} letters and digits.")
    return said


def merge(session: Session, text: str, into: str, who: str, now: datetime) -> int:
    """What is read as ``text`` is shown as ``into``; how many sightings that are now. Raises `CannotSay`."""
    in_turn(session)
    one, other = (root(session, plate_said(each)) for each in (text, into))
    known = dict(session.execute(select(Plate.text, Plate.plate_id).where(Plate.text.in_([one, other]))).tuples().all())
    if one == other:
        raise CannotSay(f"{plate_said(text)} and {plate_said(into)} are one plate already.")
    for each in (one, other):
        if each not in known:
            raise CannotSay(f"No plate {each} has been seen.")
    session.add(PlateMerge(text=one, into=other, who=who, at=now))
    session.execute(delete(PlateApart).where(pair(one, other)))
    session.flush()
    return rehome(session, SightingRow.plate_id == known[one])


def split(session: Session, text: str) -> int:
    """Take a merge back: what is read as ``text`` is shown as that again; how many sightings. Raises `CannotSay`."""
    said = plate_said(text)
    in_turn(session)
    known = session.get(PlateMerge, said)
    if known is None:
        raise CannotSay(f"{said} is shown as itself: it is not merged with another plate.")
    shown = root(session, said)
    session.delete(known)
    session.flush()
    number = session.scalar(select(Plate.plate_id).where(Plate.text == shown))
    return rehome(session, SightingRow.plate_id == number) if number is not None else 0


def apart(session: Session, text: str, other: str, who: str, now: datetime) -> None:
    """They are two cars: nobody asks again. Raises `CannotSay`."""
    one, two = sorted((plate_said(text), plate_said(other)))
    if one == two:
        raise CannotSay(f"{one} is one plate.")
    if session.get(PlateApart, (one, two)) is None:
        session.add(PlateApart(one=one, other=two, who=who, at=now))


def ask_again(session: Session, text: str, other: str) -> None:
    """Take that back."""
    session.execute(delete(PlateApart).where(pair(plate_said(text), plate_said(other))))


def pair(text: str, other: str) -> ColumnElement[bool]:
    one, two = sorted((text, other))
    return (PlateApart.one == one) & (PlateApart.other == two)


def rehome(session: Session, *which: ColumnElement[bool]) -> int:
    """Show sightings under the plates that people's words say; how many are under another than before."""
    query = (
        select(SightingRow.sighting_id, SightingRow.plate_id, SightingRow.machine, SightingRow.word_id, Plate.text)
        .join(Plate, Plate.plate_id == SightingRow.plate_id)
        .where(*which)
    )
    rows = session.execute(query).all()
    words = spoken(session, {row.word_id for row in rows if row.word_id})
    wanted = [(row, words.get(row.word_id or "") or read_text(row.machine, row.text)) for row in rows]
    shown = roots(session, {text for _, text in wanted})
    moved = [(row, shown[text]) for row, text in wanted if shown[text] != row.text]
    numbers = plate_ids(session, (text for _, text in moved))
    changes = [
        {"sighting_id": row.sighting_id, "plate_id": numbers[text], "machine": told(row.machine, row.text, text)}
        for row, text in moved
    ]
    for start in range(0, len(changes), AT_ONCE):
        session.execute(update(SightingRow), changes[start : start + AT_ONCE])
    session.expire_all()
    forget_unseen(session, {row.plate_id for row, _ in moved} | set(numbers.values()))
    return len(moved)


def spoken(session: Session, word_ids: Iterable[str]) -> dict[str, str]:
    """The plates that these words say."""
    wanted = sorted(word_ids)
    found: dict[str, str] = {}
    for start in range(0, len(wanted), AT_ONCE):
        some = SightingWord.word_id.in_(wanted[start : start + AT_ONCE])
        said = session.execute(select(SightingWord.word_id, SightingWord.text).where(some)).tuples()
        found |= {word_id: text for word_id, text in said if text is not None}
    return found


def read_text(machine: dict[str, Any] | None, shown: str) -> str:
    """What the machine has read of a sighting that is shown as that."""
    return machine["text"] if machine else shown


def told(machine: dict[str, Any] | None, was: str, shown: str) -> dict[str, Any] | None:
    """What is kept of the machine's word when a sighting that was shown as ``was`` is shown as ``shown``."""
    said = machine or {"text": was}
    return None if said == {"text": shown} else said
