"""How devices come in and are let go: a code for one device, what it then is told, and its token taken back."""

from datetime import UTC, datetime
from typing import Annotated, get_args

from fastapi import APIRouter, HTTPException, Path, Request
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import system
from app.access import callers
from app.access.limits import TooMany
from dashcam import __version__
from dashcam.access import invitations, tokens
from dashcam.access.invitations import CodeRefused
from dashcam.access.models import AccessToken
from dashcam.access.scope import tasks_of
from dashcam.config.pools import DeviceType
from dashcam.doctor import stores
from dashcam.site import authority
from dashcam.site.answer import JoinRequest, SiteAnswer, for_devices

router = APIRouter(tags=["devices"])


class InvitationWish(BaseModel):
    hostname: str | None = Field(None, max_length=253, pattern=r"^\w[\w.-]*$")
    device_type: str | None = Field(None, max_length=40)


class InvitationAnswer(BaseModel):
    code: str
    expires_at: datetime
    url: str
    authority: str | None
    """The fingerprint of who vouches for that address, where it is the site's own authority."""


class Revoked(BaseModel):
    tokens: int
    """How many let the device in until now."""


@router.post("/devices/invitations", status_code=201)
def invite(wish: InvitationWish) -> InvitationAnswer:
    """A code with which one device may join within an hour; for one of that name and type where they are given."""
    here, now = system.current(), datetime.now(UTC)
    try:
        code = here.access.change(lambda session: invitations.invite(session, now, wish.hostname, wish.device_type))
    except ValueError as error:
        raise HTTPException(422, f"{error}.") from None
    return InvitationAnswer(
        code=code.text, expires_at=code.expires_at, url=here.site.server.url, authority=authority.known()
    )


@router.post("/join", status_code=201)
def join(asked: JoinRequest, request: Request) -> SiteAnswer:
    """Open to who has a code: a token of the device's own, and all that it should know. Tokens that it had end."""
    here = system.current()
    address = here.access.address(request)
    try:
        here.access.limits.count("a device joins", address)
        answer = here.access.change(lambda session: admitted(session, asked))
    except TooMany as many:
        raise HTTPException(429, str(many)) from None
    except CodeRefused as refused:
        here.access.note(asked.hostname, "access", "tried to join", address)
        raise HTTPException(403, str(refused)) from None
    here.access.limits.forgive("a device joins", address)
    here.access.note(asked.hostname, "access", f"joined as {answer.device_type}", address)
    return answer


def admitted(session: Session, asked: JoinRequest) -> SiteAnswer:
    now = datetime.now(UTC)
    invitation = invitations.redeem(session, asked.code, asked.hostname, now)
    device_type = invitation.device_type or asked.device_type
    if invitation.hostname not in (None, asked.hostname):
        raise CodeRefused(f"This code is for {invitation.hostname}, and this device is called {asked.hostname}.")
    if device_type is None:
        types = ", ".join(get_args(DeviceType))
        raise CodeRefused(f"Nothing of this machine says of what type it is: add --type, one of {types}.")
    if asked.device_type not in (None, device_type):
        raise CodeRefused(f"This code is for a device of the type {device_type}.")
    try:
        its_tasks, its_stores = rights_of(device_type)
    except ValueError as error:
        raise HTTPException(422, f"{error}.") from None
    tokens.revoke_device(session, asked.hostname, now)
    secret, _ = tokens.for_device(session, asked.hostname, device_type, its_tasks, its_stores, now)
    return answer_for(asked.hostname, device_type, secret)


@router.get("/site")
def get_site() -> SiteAnswer:
    """What a device that has joined should know now. Its token is from then on for what the site leaves to it now."""
    caller = callers.current()
    if caller is None or caller.scope is None:
        raise HTTPException(403, "That is for a device, with the token that it got when it joined.")
    hostname = caller.scope.hostname
    device_type = system.current().access.change(lambda session: brought_up_to_date(session, hostname))
    return answer_for(hostname, device_type, None)


def brought_up_to_date(session: Session, hostname: str) -> str:
    """The device's type, once its token is for the tasks and stores that go with it."""
    live = (AccessToken.hostname == hostname) & AccessToken.revoked_at.is_(None)
    device_type = "main_server"
    for token in session.scalars(select(AccessToken).where(live)):
        device_type = token.device_type or device_type
        token.task_types, token.stores = rights_of(device_type)
    return device_type


@router.delete("/devices/{hostname}/token")
def revoke_device(hostname: Annotated[str, Path(max_length=253)]) -> Revoked:
    """From the next call on the device gets nothing more, from Prefect neither. Its clips go to others of its pool."""
    now = datetime.now(UTC)
    count = system.current().access.change(lambda session: tokens.revoke_device(session, hostname, now))
    if count == 0:
        raise HTTPException(404, f"No device called {hostname} has a token that lets it in.")
    return Revoked(tokens=count)


def answer_for(hostname: str, device_type: str, secret: str | None) -> SiteAnswer:
    site = system.current().site
    pool, *covers = site.pools_of(device_type)
    return SiteAnswer(
        version=__version__,
        hostname=hostname,
        device_type=device_type,
        pool=pool,
        covers=covers,
        site=for_devices(site),
        needs=stores.needed(device_type, site.covered_by),
        token=secret,
    )


def rights_of(device_type: str) -> tuple[list[str], list[str]]:
    """The task types and the stores of a device of this type here, with those of the pools that it covers."""
    site = system.current().site
    its = sorted(site.stores()) if device_type == "main_server" else stores.needed(device_type, site.covered_by)
    return tasks_of(device_type, site.covered_by), its
