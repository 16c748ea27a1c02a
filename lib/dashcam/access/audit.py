"""What is written down of who did what, for a year."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, get_args

from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session

from dashcam.access.models import AuditEntry

Kind = Literal["log-in", "plate", "correction", "export", "deletion", "access", "settings"]
KINDS: tuple[Kind, ...] = get_args(Kind)
KEPT = timedelta(days=365)
LONGEST = 300
LOGGED_IN, GOT_TOKEN, NOT_LET_IN = "logged in", "got a token for a program", "was not let in"
SOMEBODY = "somebody"
"""Who tried a name that is nobody's: it may be a password, so it is not written down."""


class Attempt(NamedTuple):
    """To prove with a password who one is."""

    at: datetime
    name: str
    """`SOMEBODY` where it is nobody's."""
    address: str
    let_in: bool


def note(session: Session, at: datetime, who: str, kind: Kind, what: str, address: str = "") -> None:
    session.add(AuditEntry(at=at, who=who[:100], kind=kind, what=what[:LONGEST], address=address[:64]))


def entries(
    session: Session,
    kind: Kind | None = None,
    who: str = "",
    text: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    before: tuple[datetime, int] | None = None,
    limit: int = 100,
) -> Sequence[AuditEntry]:
    """Newest first; ``before`` is the time and number of the last one that was shown, ``text`` a part of what was
    done, ``until`` itself not included."""
    asked = select(AuditEntry).order_by(AuditEntry.at.desc(), AuditEntry.audit_id.desc()).limit(limit)
    if kind:
        asked = asked.where(AuditEntry.kind == kind)
    if who:
        asked = asked.where(AuditEntry.who == who)
    if text:
        asked = asked.where(AuditEntry.what.icontains(text, autoescape=True))
    if since:
        asked = asked.where(AuditEntry.at >= since)
    if until:
        asked = asked.where(AuditEntry.at < until)
    if before:
        asked = asked.where(tuple_(AuditEntry.at, AuditEntry.audit_id) < before)
    return session.scalars(asked).all()


def forget_word(session: Session, word: str) -> None:
    """Who did what stays, and that it was about this word does not."""
    for row in session.scalars(select(AuditEntry).where(AuditEntry.what.contains(word, autoescape=True))):
        row.what = row.what.replace(word, "(deleted)")


def everybody(session: Session) -> Sequence[str]:
    """Of whom there is an entry, by name."""
    return session.scalars(select(AuditEntry.who).distinct().order_by(AuditEntry.who)).all()


def attempts(session: Session, since: datetime) -> list[Attempt]:
    """To log in, in the order in which they were made."""
    told = (LOGGED_IN, GOT_TOKEN, NOT_LET_IN)
    its = (AuditEntry.kind == "log-in") & AuditEntry.what.in_(told) & (AuditEntry.at >= since)
    found = session.scalars(select(AuditEntry).where(its).order_by(AuditEntry.at, AuditEntry.audit_id))
    return [Attempt(one.at, one.who, one.address, one.what != NOT_LET_IN) for one in found]


def forget_plates(session: Session, before: datetime) -> None:
    """Of who looked plates up, or corrected them, before then it stays that they did, not which ones."""
    of_plates = (AuditEntry.kind == "plate") | ((AuditEntry.kind == "correction") & AuditEntry.what.contains("plate"))
    old = of_plates, AuditEntry.at < before, AuditEntry.what.contains(": ")
    for row in session.scalars(select(AuditEntry).where(*old)):
        row.what = row.what.partition(": ")[0]


def forget(session: Session, now: datetime) -> None:
    """What is older than `KEPT`."""
    session.execute(delete(AuditEntry).where(AuditEntry.at < now - KEPT))
