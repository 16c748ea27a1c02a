"""People: who there is and what they may."""

import re
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from dashcam import Explained
from dashcam.access.models import AccessToken, Account, LoginSession
from dashcam.access.roles import Role, role_of

LONGEST_NAME = 40
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")


class NoSuchPerson(Explained):
    """There is no such person here (any more)."""


class NotPossible(Explained):
    """What was asked for would leave the site without what it needs, or is there already; nothing was changed."""


def normalised(name: str) -> str:
    return name.strip().lower()


def add(
    session: Session, name: str, password_hash: str, role: Role, now: datetime, from_date: datetime | None = None
) -> Account:
    """Raises `NotPossible` where the name is none or taken."""
    name = normalised(name)
    if not NAME.fullmatch(name):
        raise NotPossible("A name has 1 to 40 small letters, digits, dots, dashes or underscores.")
    if by_name(session, name) is not None:
        raise NotPossible(f"There is a person called {name} already: choose another name.")
    account = Account(name=name, password_hash=password_hash, role=role.word, created_at=now, valid_from=now)
    account.from_date = from_date
    session.add(account)
    session.flush()
    return account


def by_name(session: Session, name: str) -> Account | None:
    return session.scalar(select(Account).where(Account.name == normalised(name)))


def get(session: Session, account_id: int) -> Account:
    account = session.get(Account, account_id)
    if account is None:
        raise NoSuchPerson(f"There is no person with the number {account_id} (any more).")
    return account


def all_of_them(session: Session) -> list[Account]:
    return list(session.scalars(select(Account).order_by(Account.name)))


def anybody(session: Session) -> bool:
    return session.scalar(select(Account.account_id).limit(1)) is not None


def set_role(session: Session, account_id: int, role: Role) -> Account:
    account = get(session, account_id)
    if role is not Role.ADMIN:
        _keep_an_admin(session, account)
    account.role = role.word
    return account


def set_from_date(session: Session, account_id: int, from_date: datetime | None) -> Account:
    account = get(session, account_id)
    account.from_date = from_date
    return account


def set_disabled(session: Session, account_id: int, disabled: bool, now: datetime) -> Account:
    """Who is disabled is out at once, in every browser and every program."""
    account = get(session, account_id)
    if disabled:
        _keep_an_admin(session, account)
        end_sessions(session, account, now)
    account.disabled = disabled
    return account


def set_password(
    session: Session, account_id: int, password_hash: str, now: datetime, keep: int | None = None
) -> Account:
    """Ends all sessions but ``keep``, the one in which it was done: who knew the old password is out."""
    account = get(session, account_id)
    account.password_hash = password_hash
    end_sessions(session, account, now, keep)
    return account


def remove(session: Session, account_id: int) -> Account:
    account = get(session, account_id)
    _keep_an_admin(session, account)
    for its in (LoginSession, AccessToken):
        session.execute(delete(its).where(its.account_id == account_id))
    session.delete(account)
    return account


def end_sessions(session: Session, account: Account, now: datetime, keep: int | None = None) -> int:
    """In every browser but ``keep``, and for every program that this person let in; how many browsers there were."""
    account.valid_from = now
    live = (AccessToken.account_id == account.account_id) & AccessToken.revoked_at.is_(None)
    session.execute(update(AccessToken).where(live).values(revoked_at=now))
    its = LoginSession.account_id == account.account_id
    if keep is not None:
        its &= LoginSession.session_id != keep
    there = session.scalar(select(func.count()).select_from(LoginSession).where(its)) or 0
    session.execute(delete(LoginSession).where(its))
    return there


def _keep_an_admin(session: Session, account: Account) -> None:
    """Raises `NotPossible` where it is the last one who can let others in."""
    others = (Account.role == Role.ADMIN.word) & ~Account.disabled & (Account.account_id != account.account_id)
    able = role_of(account.role) is Role.ADMIN and not account.disabled
    if able and session.scalar(select(Account.account_id).where(others).limit(1)) is None:
        raise NotPossible(f"{account.name} is the only admin left: make another person one first.")
