"""Who asks, known to everything that runs for a request, an open page's buttons and timers included."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from dashcam import Explained
from dashcam.access.roles import Role
from dashcam.access.scope import Scope


class NotAllowed(Explained):
    """Who asks may not do that; the message says who may."""


@dataclass(frozen=True)
class Caller:
    who: str
    """As the audit log has it."""
    via: Literal["here", "site", "session", "token", "device"]
    """``here``: on a site without log-in, from this machine. ``site``: with the site's own token."""
    role: Role | None
    """None: a device, which has a scope instead."""
    scope: Scope | None = None
    account_id: int | None = None
    session_id: int | None = None
    from_date: datetime | None = None
    """What was recorded before is not there for this person."""

    def may(self, least: Role) -> bool:
        return self.role is not None and self.role >= least


HERE = Caller("this machine", "here", Role.ADMIN)
_caller: ContextVar[Caller | None] = ContextVar("caller", default=None)


def current() -> Caller | None:
    """None in what the main server does by itself."""
    return _caller.get()


@contextmanager
def speaking(caller: Caller | None) -> Iterator[None]:
    token = _caller.set(caller)
    try:
        yield
    finally:
        _caller.reset(token)


def of_a_person() -> bool:
    """Whether a person asks, or a program of theirs: no device, and not the main server itself."""
    caller = current()
    return caller is not None and caller.role is not None


def may(least: Role) -> bool:
    """Whether who asks is at least that; what the main server does by itself may all."""
    caller = current()
    return caller is None or caller.may(least)


def ensure(least: Role) -> None:
    """Raises `NotAllowed`."""
    if not may(least):
        raise NotAllowed(f"That is for {'an' if least is Role.ADMIN else 'a'} {least.word}.")


def only_its_own(check: Callable[[Scope], None]) -> None:
    """What a device asks for in the body of its request is looked at; raises as ``check`` does."""
    caller = current()
    if caller is not None and caller.scope is not None:
        check(caller.scope)


def view() -> tuple[bool, datetime | None]:
    """What of the catalogue is there for who asks (`horizon`): plates, and from which date on."""
    caller = current()
    return (True, None) if caller is None or caller.role is None else (caller.may(Role.MEMBER), caller.from_date)


def name() -> str:
    caller = current()
    return "the main server" if caller is None else caller.who
