"""Browsers in which people have logged in."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, joinedload

from dashcam.access import keys
from dashcam.access.models import Account, LoginSession

SEEN_EVERY = timedelta(minutes=5)
"""That a session is used is written down no more often."""
LONGEST_AGENT = 200


def begin(session: Session, account: Account, now: datetime, lasts: timedelta, address: str, agent: str) -> str:
    """What the cookie is to hold; ends after so long without use."""
    secret = keys.new()
    row = LoginSession(secret_hash=keys.digest(secret), account_id=account.account_id)
    row.created_at = row.last_seen = now
    row.expires_at, row.address, row.agent = now + lasts, address, agent[:LONGEST_AGENT]
    session.add(row)
    return secret


def find(session: Session, secret: str, now: datetime) -> LoginSession | None:
    """The session with its person; None where it has ended or may not be used any more."""
    if len(secret) > keys.LONGEST:
        return None
    its = LoginSession.secret_hash == keys.digest(secret)
    row = session.scalar(select(LoginSession).options(joinedload(LoginSession.account)).where(its))
    return None if row is None or row.expires_at <= now or row.account.disabled else row


def is_note_due(row: LoginSession, now: datetime, address: str) -> bool:
    return now - row.last_seen >= SEEN_EVERY or row.address != address


def note_use(session: Session, session_id: int, now: datetime, lasts: timedelta, address: str) -> None:
    seen = {"last_seen": now, "expires_at": now + lasts, "address": address}
    session.execute(update(LoginSession).where(LoginSession.session_id == session_id).values(seen))


def of(session: Session, account_id: int, now: datetime) -> list[LoginSession]:
    """A person's, used last first."""
    live = (LoginSession.account_id == account_id) & (LoginSession.expires_at > now)
    return list(session.scalars(select(LoginSession).where(live).order_by(LoginSession.last_seen.desc())))


def presence(session: Session, now: datetime) -> dict[int, tuple[int, datetime]]:
    """By person: in how many browsers they are logged in, and when one of them was used last."""
    asked = select(LoginSession.account_id, func.count(), func.max(LoginSession.last_seen))
    live = asked.where(LoginSession.expires_at > now).group_by(LoginSession.account_id)
    return {person: (browsers, last) for person, browsers, last in session.execute(live)}


def end(session: Session, session_id: int, account_id: int | None = None) -> bool:
    """``account_id``: only where it is this person's."""
    its = LoginSession.session_id == session_id
    if account_id is not None:
        its &= LoginSession.account_id == account_id
    return session.execute(delete(LoginSession).where(its).returning(LoginSession.session_id)).first() is not None


def forget_expired(session: Session, now: datetime) -> None:
    session.execute(delete(LoginSession).where(LoginSession.expires_at <= now))
