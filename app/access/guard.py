"""The guard before every route: pages, media, maps, exports, REST, NiceGUI's own files and its websocket.

It is the application's outermost layer, so nothing is reached but through it, and what is not in the table of rules is
an admin's alone.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import system
from app.access import callers, horizon, login, origin, refusals
from app.access.callers import Caller
from app.access.entry import COOKIE, Access, cookie_proof
from app.access.headers import Headers
from app.access.refusals import Refusal
from app.access.rules import Device, RouteRule, rule_of
from app.parameters import LARGEST
from dashcam.access.scope import OutOfScope
from dashcam.access.tokens import Refused
from dashcam.config.pools import POOLS
from dashcam.database import passing, reading
from dashcam.tasks.row import TaskRow

log = logging.getLogger("dashcam")
SAYS_WHAT = {
    "q", "first", "last", "since", "until", "video", "trip", "near", "unsure", "only_unsure", "box", "home",
    "camera", "kind", "confidence", "times",
}  # fmt: skip
"""Of an address that is asked for: the parameters that are written down."""
NEEDS_TOKEN = "This call needs a token: send the header 'Authorization: Bearer <device token, or one of your own>'."


def stand_before(web: FastAPI) -> None:
    """The log-in, and from now on nothing of ``web`` is reached but through the guard."""
    horizon.watch()
    web.include_router(login.router)
    web.add_middleware(Guard)
    web.add_middleware(Headers)


class Guard:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        rule, parameters = rule_of(scope["path"], scope.get("method", "GET"))
        access = system.current().access
        try:
            caller = await admitted(access, connection, rule, parameters)
        except Refusal as refusal:
            await refusals.answer(refusal, connection, rule)(scope, receive, send)
            return
        with callers.speaking(caller):
            if scope["type"] == "websocket":
                await self.app(scope, *Watched(access, connection, caller, receive, send).ends)
            elif rule.audit is not None and caller is not None:
                await self.noted(access, connection, rule, parameters, caller)(scope, receive, send)
            else:
                await self.app(scope, receive, send)

    def noted(
        self, access: Access, connection: HTTPConnection, rule: RouteRule, parameters: dict[str, str], caller: Caller
    ) -> ASGIApp:
        """The application, whose answer is written down where it is none that refuses."""

        async def answered(scope: Scope, receive: Receive, send: Send) -> None:
            status = 500

            async def look(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            await self.app(scope, receive, look)
            if status < 400 and rule.audit is not None:
                about = " ".join([*parameters.values(), *asked_for(connection)])
                what = f"{rule.what}: {about}" if about else rule.what
                await asyncio.to_thread(access.note, caller.who, rule.audit, what, access.address(connection))

        return answered


def asked_for(connection: HTTPConnection) -> list[str]:
    """What the audit log has of an address: nothing of what a person may have put there by mistake."""
    return [f"{name}={value}" for name, value in connection.query_params.items() if value and name in SAYS_WHAT]


async def admitted(
    access: Access, connection: HTTPConnection, rule: RouteRule, parameters: dict[str, str]
) -> Caller | None:
    """Who is let in; None where nobody need be known. Raises `Refusal`."""
    try:
        caller = await identified(access, connection, rule)
    except Refused as refused:
        raise Refusal(401, str(refused)) from refused
    except OperationalError as error:
        raise Refusal(503, passing(error) or "The database does not answer: try again in a few seconds.") from error
    if not rule.is_api and (caller is None or caller.via in ("here", "session")):
        origin.ensure_own(connection, access.site.server.url)
    if rule.least is None:
        return caller
    if caller is None:
        raise Refusal(401, NEEDS_TOKEN if rule.is_api else "Log in first.")
    if caller.scope is not None:
        await device_may(access, connection, rule, parameters, caller)
    elif not caller.may(rule.least) and not rule.path and not rule.is_api:
        raise Refusal(404, "There is no such page.")
    elif not caller.may(rule.least):
        raise Refusal(403, f"That is for {'an admin' if rule.least.word == 'admin' else f'a {rule.least.word}'}.")
    return caller


async def identified(access: Access, connection: HTTPConnection, rule: RouteRule) -> Caller | None:
    """Who asks, by whatever proves it; None where nothing does. `tokens.Refused` of what did once."""
    now = datetime.now(UTC)
    if header := connection.headers.get("authorization"):
        return access.at_once(header) or await asyncio.to_thread(access.by_header, header, now)
    if rule.is_api:
        return None
    if access.is_open_to(connection):
        return callers.HERE
    if secret := connection.cookies.get(COOKIE):
        address = access.address(connection)
        known = access.at_once(cookie_proof(secret, address))
        return known or await asyncio.to_thread(access.by_cookie, secret, address, now)
    return None


async def device_may(
    access: Access, connection: HTTPConnection, rule: RouteRule, parameters: dict[str, str], caller: Caller
) -> None:
    """Raises `Refusal` where the token is not for that."""
    assert caller.scope is not None
    its = caller.scope
    try:
        match rule.device:
            case Device.ITS_OWN:
                return
            case Device.ITS_TASK:
                number = parameters["task_id"]
                if number.isdecimal() and int(number) <= LARGEST:
                    its.of_tasks(await asyncio.to_thread(type_of, access, int(number)))
                return
            case Device.ITS_POOL:
                of_type = connection.query_params.get("type")
                if of_type:
                    its.of_tasks([of_type])
                else:
                    asked = connection.query_params.get("device_type")
                    its.of_pool(asked and POOLS.get(asked, asked))
                return
            case Device.ITS_NAME:
                its.of_name(parameters["hostname"])
                return
            case Device.HOUSEKEEPING if "server" in its.pools:
                return
    except OutOfScope as refused:
        raise Refusal(403, str(refused)) from refused
    raise Refusal(403, f"The token of {its.hostname} is not for that: it is a person's, or the main server's own.")


def type_of(access: Access, task_id: int) -> list[str]:
    with reading(access.engine) as session:
        return list(session.scalars(select(TaskRow.task_type).where(TaskRow.task_id == task_id)))


class Watched:
    """Both ends of a websocket, which is closed when whoever opened it may not be here any more, or not as much."""

    def __init__(
        self, access: Access, connection: HTTPConnection, caller: Caller | None, receive: Receive, send: Send
    ) -> None:
        self.access, self.connection, self.caller = access, connection, caller
        self._receive, self._send = receive, send
        self._closed = False

    @property
    def ends(self) -> tuple[Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]]:
        return self.receive, self.send

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "websocket.receive" and not await self.may_stay():
            return {"type": "websocket.disconnect", "code": refusals.LOG_IN}
        return message

    async def send(self, message: Message) -> None:
        if message["type"] != "websocket.send" or await self.may_stay():
            await self._send(message)

    async def may_stay(self) -> bool:
        if self._closed:
            return False
        caller = self.caller
        if caller is None or caller.via in ("here", "site"):
            return True
        try:
            now = await identified(self.access, self.connection, rule_of(self.connection.url.path, "GET")[0])
        except OperationalError:
            return True  # nobody knows: a database that is busy throws nobody out
        except Refused:
            now = None
        if now != caller:
            self._closed = True
            await self._send({"type": "websocket.close", "code": refusals.LOG_IN})
        return not self._closed
