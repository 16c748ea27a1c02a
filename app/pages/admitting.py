"""What the pages about people and tokens change: beside the event loop, written down, and refused in a sentence."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from nicegui import ui
from sqlalchemy.orm import Session

from app import system
from app.access import callers
from dashcam.access.passwords import Unfit, hashed
from dashcam.access.roles import Role
from dashcam.access.users import NoSuchPerson, NotPossible

T = TypeVar("T")
ROLES = {
    "viewer": "Viewer: videos and trips, no plates",
    "member": "Member: all there is, and corrections",
    "admin": "Admin: people, tokens, what is kept",
}


async def carry_out(what: Callable[[Session], T], did: str, least: Role = Role.ADMIN) -> T | None:
    """One change of who may what, which holds from then on; None where it was refused, which is said.

    Raises `callers.NotAllowed` where whoever presses the button may not.
    """
    callers.ensure(least)
    access = system.current().access
    try:
        done = await asyncio.to_thread(access.change, what)
    except (NoSuchPerson, NotPossible) as error:
        ui.notify(str(error), type="warning")
        return None
    await asyncio.to_thread(access.note, callers.name(), "access", did)
    return done


async def proof_of(password: str, name: str) -> str | None:
    """What is kept of a new password; None where it is none that may be set, which is said."""
    try:
        return await asyncio.to_thread(hashed, password, name)
    except Unfit as error:
        ui.notify(str(error), type="warning")
        return None
