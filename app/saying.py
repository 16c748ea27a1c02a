"""What a person says of plates, carried out for whoever asks, and written into the audit log in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from app import system
from app.access import callers
from dashcam.access import audit
from dashcam.access.roles import Role
from dashcam.catalog import corrections, merges, notes, plates, spot_checks
from dashcam.catalog.notes import Note
from dashcam.catalog.spot_checks import ReadVerdict


def correct(session: Session, sightings: Sequence[int], text: str | None) -> list[str]:
    """They show that plate, or none; the words' ids. Raises `merges.CannotSay`."""
    words = corrections.say(session, sightings, text, callers.name(), now(), system.current().site)
    what = "said that it is no plate" if text is None else "corrected a plate"
    note(session, what, corrections.about(session, words))
    return words


def judge(session: Session, sighting: int, said: ReadVerdict, truth: str) -> str:
    """It was read right or wrong, or nobody can tell; the word's id. Raises `merges.CannotSay`."""
    word = spot_checks.judge(session, sighting, said, truth, callers.name(), now(), system.current().site)
    note(session, "judged what was read", corrections.about(session, [word.word_id]))
    return word.word_id


def take_judged_back(session: Session, word_id: str | None = None) -> int:
    """That answer, or else the last one of whoever asks; 0 where there is none any more."""
    word_id = word_id or spot_checks.last_of(session, callers.name())
    return take_back(session, [word_id]) if word_id else 0


def take_back(session: Session, words: Sequence[str]) -> int:
    """How many of them there were."""
    about = corrections.about(session, words)
    done = corrections.take_back(session, words, system.current().site)
    if done:
        note(session, "took a correction of a plate back", about)
    return done


def merge(session: Session, text: str, into: str) -> int:
    """How many sightings are under another plate now. Raises `merges.CannotSay`."""
    ensure_whole_view()
    moved = merges.merge(session, text, into, callers.name(), now())
    note(session, "merged plates", f"{text} into {into}")
    return moved


def split(session: Session, text: str) -> int:
    """How many sightings are under another plate now. Raises `merges.CannotSay`."""
    ensure_whole_view()
    moved = merges.split(session, text)
    note(session, "took a merge of plates back", text)
    return moved


def apart(session: Session, text: str, other: str) -> None:
    """Raises `merges.CannotSay`."""
    merges.apart(session, text, other, callers.name(), now())
    note(session, "said that two plates are two cars", f"{text} and {other}")


def ask_again(session: Session, text: str, other: str) -> None:
    """Raises `merges.CannotSay`."""
    merges.ask_again(session, text, other)
    note(session, "took back that two plates are two cars", f"{text} and {other}")


def write(session: Session, text: str, said: Note) -> Note:
    """What was known before. Raises `merges.CannotSay`."""
    before = notes.write(session, text, said, callers.name(), now())
    note(session, "wrote down what is known of a plate", text)
    return before


def write_some(session: Session, text: str, fields: Mapping[str, Any]) -> Note:
    """These fields of the note are so from now on, the others as they were; gives what was known before. Raises
    `merges.CannotSay`, and pydantic's `ValidationError`."""
    known = notes.of(session, plates.shown_as(session, text))
    return write(session, text, Note.model_validate(known.model_dump() | dict(fields)))


def note(session: Session, what: str, about: str) -> None:
    """`audit.forget_plates` leaves out what follows the colon when plates are hashed."""
    callers.ensure(Role.MEMBER)
    audit.note(session, now(), callers.name(), "correction", f"{what}: {about}")


def ensure_whole_view() -> None:
    """What is said of a plate counts for all its sightings. Raises `callers.NotAllowed`."""
    if callers.view()[1] is not None:
        raise callers.NotAllowed("That is for who sees all trips: it would change sightings from before your date.")


def now() -> datetime:
    return datetime.now(UTC)
