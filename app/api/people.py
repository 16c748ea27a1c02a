"""People, tokens and the audit log: an admin's, or of who has the site's own token."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy.orm import Session

from app import reviewing, system
from app.parameters import Number
from dashcam.access import audit, tokens, users
from dashcam.access.models import Account
from dashcam.access.passwords import Unfit, hashed
from dashcam.access.roles import role_of
from dashcam.access.users import NoSuchPerson, NotPossible
from dashcam.database import reading

router = APIRouter(tags=["access"])
RoleName = Literal["viewer", "member", "admin"]
T = TypeVar("T")


class Person(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    name: str
    role: RoleName
    from_date: datetime | None
    """What was recorded before is not there for this person."""
    disabled: bool
    created_at: datetime


class NewPerson(BaseModel):
    name: str = Field(min_length=1, max_length=100)
    password: str = Field(max_length=1000, repr=False)
    role: RoleName = "viewer"
    from_date: datetime | None = None

    @field_validator("from_date")
    @classmethod
    def _in_utc(cls, moment: datetime | None) -> datetime | None:
        return moment and system.with_zone(moment)


class Change(BaseModel):
    """What is left out stays as it is."""

    password: str | None = Field(None, max_length=1000, repr=False)
    role: RoleName | None = None
    from_date: datetime | None = None
    disabled: bool | None = None

    @field_validator("from_date")
    @classmethod
    def _in_utc(cls, moment: datetime | None) -> datetime | None:
        return moment and system.with_zone(moment)


class EndedSessions(BaseModel):
    sessions: int


class TokenState(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    token_id: int
    name: str
    kind: Literal["device", "api"]
    role: str | None
    hostname: str | None
    device_type: str | None
    task_types: list[str]
    stores: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used: datetime | None


class NewToken(BaseModel):
    name: str = Field(min_length=1, max_length=60, pattern=r"^[\w][\w .-]*$")
    role: RoleName = "viewer"
    days: int | None = Field(None, ge=1, le=3660)
    """None: until it is revoked."""


class NewSecret(BaseModel):
    token: str
    """Shown this once; the server keeps its hash."""
    known: TokenState


class AuditLine(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    at: datetime
    who: str
    kind: audit.Kind
    what: str
    address: str


@router.get("/users")
def list_people() -> list[Person]:
    with reading(system.current().engine) as session:
        return [Person.model_validate(one) for one in users.all_of_them(session)]


@router.post("/users", status_code=201)
def add_person(new: NewPerson) -> Person:
    proof, now = proof_of(new.password, new.name), datetime.now(UTC)
    return changed(
        lambda session: Person.model_validate(
            users.add(session, new.name, proof, role_of(new.role), now, new.from_date)
        )
    )


@router.patch("/users/{name}")
def change_person(name: str, change: Change) -> Person:
    """A new password ends all of the person's sessions, and so does being disabled."""
    given, now = change.model_fields_set, datetime.now(UTC)
    proof = proof_of(change.password, name) if change.password is not None else None

    def all_of_it(session: Session) -> Person:
        account = known(session, name)
        if proof is not None:
            users.set_password(session, account.account_id, proof, now)
        if change.role is not None:
            users.set_role(session, account.account_id, role_of(change.role))
        if "from_date" in given:
            users.set_from_date(session, account.account_id, change.from_date)
        if change.disabled is not None:
            users.set_disabled(session, account.account_id, change.disabled, now)
        return Person.model_validate(account)

    return changed(all_of_it)


@router.delete("/users/{name}")
def remove_person(name: str) -> Person:
    return changed(
        lambda session: Person.model_validate(reviewing.remove_person(session, known(session, name).account_id))
    )


@router.delete("/users/{name}/sessions")
def end_sessions(name: str) -> EndedSessions:
    """In every browser, and of every program that this person let in."""
    now = datetime.now(UTC)
    return changed(lambda session: EndedSessions(sessions=users.end_sessions(session, known(session, name), now)))


@router.get("/tokens")
def list_tokens() -> list[TokenState]:
    with reading(system.current().engine) as session:
        return [TokenState.model_validate(one) for one in tokens.known(session)]


@router.post("/tokens", status_code=201)
def make_token(new: NewToken) -> NewSecret:
    """A token for a program that calls the API. Those of devices come from ``dashcam join``."""
    now = datetime.now(UTC)
    ends = None if new.days is None else now + timedelta(days=new.days)

    def make(session: Session) -> NewSecret:
        secret, row = tokens.for_program(session, new.name, role_of(new.role), now, ends)
        return NewSecret(token=secret, known=TokenState.model_validate(row))

    return changed(make)


@router.delete("/tokens/{token_id}")
def revoke_token(token_id: Number) -> TokenState:
    """From the next call on it lets nobody in."""
    now = datetime.now(UTC)
    row = changed(lambda session: tokens.revoke(session, token_id, now))
    if row is None:
        raise HTTPException(404, f"There is no token {token_id}.")
    return TokenState.model_validate(row)


@router.get("/audit")
def list_entries(
    kind: audit.Kind | None = None,
    who: Annotated[str, Query(max_length=100)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[AuditLine]:
    """Who looked plates up, corrected, exported, deleted, logged in; newest first, kept for a year."""
    with reading(system.current().engine) as session:
        return [AuditLine.model_validate(one) for one in audit.entries(session, kind, who, limit=limit)]


def known(session: Session, name: str) -> Account:
    account = users.by_name(session, name)
    if account is None:
        raise NoSuchPerson(f"There is nobody called {name} here.")
    return account


def changed(what: Callable[[Session], T]) -> T:
    try:
        return system.current().access.change(what)
    except NoSuchPerson as error:
        raise HTTPException(404, str(error)) from error
    except NotPossible as error:
        raise HTTPException(409, str(error)) from error


def proof_of(password: str, name: str) -> str:
    try:
        return hashed(password, name)
    except Unfit as error:
        raise HTTPException(422, str(error)) from error
