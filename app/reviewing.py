"""Whose marks they are: of the person who looks, or the owner's where nobody logs in."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.orm import Session

from app import system
from app.access import callers
from dashcam.access import users
from dashcam.access.models import Account
from dashcam.access.roles import Role
from dashcam.catalog import reviews
from dashcam.database import writing

T = TypeVar("T")


def account() -> int:
    caller = callers.current()
    return caller.account_id if caller is not None and caller.account_id is not None else reviews.OWNER


async def write(what: Callable[[Session], T]) -> T:
    """Marks are a person's own, so a viewer sets them too. Raises `callers.NotAllowed`."""
    callers.ensure(Role.VIEWER)

    def carry_out() -> T:
        with writing(system.current().engine) as session:
            return what(session)

    return await asyncio.to_thread(carry_out)


def remove_person(session: Session, account_id: int) -> Account:
    """With their marks: the number may be another person's one day. Raises as `users.remove`."""
    reviews.forget_person(session, account_id)
    return users.remove(session, account_id)
