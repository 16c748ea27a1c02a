"""What is written down of who did what, for a year."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, get_args

from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session

from dashcam.access.models import AuditEntry

Kind = Literal["log-in", "plate", "correction", "export", "deletion", "access", "settings"]
KINDS: tuple[Kind, ...] = get_args(Kind)
KEPT = timedelta(days=365)
LONGEST = 300


def note(session: Session, at: datetime, who: str, kind: Kind, what: str, address: str = "") -> None:
    session.add(AuditEntry(at=at, who=who[:100], kind=kind, what=what[:LONGEST], address=address[:64]))


def entries(
    session: Session,
    kind: Kind | None = None,
    who: str = "",
    before: tuple[datetime, int] | None = None,
    limit: int = 100,
) -> Sequence[AuditEntry]:
    """Newest first; ``before`` is the time and number of the last one that was shown."""
    asked = select(AuditEntry).order_by(AuditEntry.at.desc(), AuditEntry.audit_id.desc()).limit(limit)
    if kind:
        asked = asked.where(AuditEntry.kind == kind)
    if who:
        asked = asked.where(AuditEntry.who == who)
    if before:
        asked = asked.where(tuple_(AuditEntry.at, AuditEntry.audit_id) < before)
    return session.scalars(asked).all()


def forget_word(session: Session, word: str) -> None:
    """Who did what stays, and that it was about this word does not."""
    for row in session.scalars(select(AuditEntry).where(AuditEntry.what.contains(word, autoescape=True))):
        row.what = row.what.replace(word, "(deleted)")


def forget(session: Session, now: datetime) -> None:
    """What is older than `KEPT`."""
    session.execute(delete(AuditEntry).where(AuditEntry.at < now - KEPT))
