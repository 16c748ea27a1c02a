"""Tokens of devices and programs: made once and shown once, checked at every call, revoked."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from dashcam import Explained
from dashcam.access import keys
from dashcam.access.models import AccessToken, Account
from dashcam.access.roles import Role, role_of
from dashcam.access.scope import Scope

DEVICE, API = "device", "api"
PREFIX = {DEVICE: "dcd_", API: "dca_"}
USED_EVERY = timedelta(minutes=1)
"""The last use is written down no more often: a device calls many times a second."""


class Refused(Explained):
    """The token does not let in; the message says why, to whoever holds it."""


def for_device(
    session: Session,
    hostname: str,
    device_type: str,
    task_types: Sequence[str],
    stores: Sequence[str],
    now: datetime,
    expires_at: datetime | None = None,
) -> tuple[str, AccessToken]:
    """A new token of a device, and its row; the secret is nowhere else. Those that it had before go on until revoked
    (`revoke_device`)."""
    scope = {"hostname": hostname, "device_type": device_type, "task_types": [*task_types], "stores": [*stores]}
    return _new(session, AccessToken(name=hostname, kind=DEVICE, expires_at=expires_at, created_at=now, **scope))


def for_program(
    session: Session, name: str, role: Role, now: datetime, expires_at: datetime | None = None
) -> tuple[str, AccessToken]:
    """A new token of a program that calls the API, such as a script or what collects metrics."""
    return _new(session, AccessToken(name=name, kind=API, role=role.word, expires_at=expires_at, created_at=now))


def for_person(
    session: Session, account: Account, name: str, role: Role, now: datetime, expires_at: datetime | None = None
) -> tuple[str, AccessToken]:
    """A new token of a program that calls the API for this person; it may no more than they may at that time."""
    known = {"account_id": account.account_id, "role": min(role, role_of(account.role)).word}
    return _new(session, AccessToken(name=name, kind=API, expires_at=expires_at, created_at=now, **known))


def _new(session: Session, row: AccessToken) -> tuple[str, AccessToken]:
    secret = keys.new(PREFIX[row.kind])
    row.secret_hash = keys.digest(secret)
    session.add(row)
    session.flush()
    return secret, row


def find(session: Session, secret: str, now: datetime) -> AccessToken | None:
    """The row of a token that lets in now, with its person; None of one that nobody knows. `Refused` where it did
    once."""
    if len(secret) > keys.LONGEST:
        return None
    its = AccessToken.secret_hash == keys.digest(secret)
    row = session.scalar(select(AccessToken).options(joinedload(AccessToken.account)).where(its))
    if row is None:
        return None
    if row.account is not None and row.account.disabled:
        raise Refused(f"The token of {row.name} lets nobody in: {row.account.name} may not log in any more.")
    if row.revoked_at is not None:
        raise Refused(f"The token of {row.name} has been revoked: a person who runs the main server can make another.")
    if row.expires_at is not None and row.expires_at <= now:
        raise Refused(f"The token of {row.name} ended on {row.expires_at:%Y-%m-%d}: ask for another.")
    return row


def is_note_due(row: AccessToken, now: datetime) -> bool:
    return row.last_used is None or now - row.last_used >= USED_EVERY


def note_use(session: Session, token_id: int, now: datetime) -> None:
    session.execute(update(AccessToken).where(AccessToken.token_id == token_id).values(last_used=now))


def scope_of(row: AccessToken) -> Scope:
    """Of a device's token."""
    return Scope(row.hostname or row.name, frozenset(row.task_types), frozenset(row.stores))


def rights_of(row: AccessToken) -> Role:
    """Of a program's token; one that a person has made may no more than they may now."""
    its = role_of(row.role or Role.VIEWER.word)
    return its if row.account is None else min(its, role_of(row.account.role))


def revoke(session: Session, token_id: int, now: datetime, account_id: int | None = None) -> AccessToken | None:
    """From the next call on it lets nobody in; None where there is no such token. ``account_id``: only where it is
    this person's."""
    row = session.get(AccessToken, token_id)
    if row is not None and account_id is not None and row.account_id != account_id:
        return None
    if row is not None and row.revoked_at is None:
        row.revoked_at = now
    return row


def revoke_device(session: Session, hostname: str, now: datetime) -> int:
    """All tokens of a device; how many there were that let in."""
    live = (AccessToken.hostname == hostname) & (AccessToken.kind == DEVICE) & AccessToken.revoked_at.is_(None)
    rows = session.scalars(select(AccessToken).where(live)).all()
    for row in rows:
        row.revoked_at = now
    return len(rows)


def known(session: Session, kind: str = "", account_id: int | None = None) -> list[AccessToken]:
    """All of them, those that let in first; of one kind, or those that one person has made."""
    order = (AccessToken.revoked_at.is_not(None), AccessToken.kind, AccessToken.name, AccessToken.token_id)
    asked = select(AccessToken).options(joinedload(AccessToken.account)).order_by(*order)
    if kind:
        asked = asked.where(AccessToken.kind == kind)
    if account_id is not None:
        asked = asked.where(AccessToken.account_id == account_id)
    return list(session.scalars(asked))
