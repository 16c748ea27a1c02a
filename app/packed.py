"""Scripts, styles, fonts and the ground of maps are packed once: the same for everybody while the server runs.

A browser that comes for the first time asks for some thirty of them, a map's sheet of its own for ten.
"""

import asyncio
import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOR_EVERYBODY = re.compile(r"/static/|/_nicegui/[\d.]+/(static|components)/|/maps/(leaflet|ground/)")
MOST = 400
"""Answers; an address can be written in many ways."""
PARTLY = {"range", "if-none-match", "if-modified-since"}
"""Who sends these may get something else than the whole."""


class PackedOnce:
    """Has what lies behind it answer each address once to who takes gzip and once to who does not."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._kept: dict[tuple[str, bool], list[Message]] = {}
        """By path alone: what follows it names the version of the file, which is the one that is there."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not FOR_EVERYBODY.match(scope["path"]):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if PARTLY & {*headers}:
            await self.app(scope, receive, send)
            return
        key = scope["path"], "gzip" in headers.get("accept-encoding", "")
        answer = self._kept.get(key) or await self.whole(scope)
        if answer[0]["status"] == 200 and len(self._kept) < MOST:
            self._kept[key] = answer
        for message in answer:
            await send(copied(message))

    async def whole(self, scope: Scope) -> list[Message]:
        """What it answers to be sent, its body in one piece: all of it, though who has asked may leave meanwhile."""
        said: list[Message] = []
        asked = iter([{"type": "http.request", "body": b"", "more_body": False}])

        async def nobody_leaves() -> Message:
            return next(asked, None) or await asyncio.get_running_loop().create_future()

        async def hear(message: Message) -> None:
            said.append(message)

        await self.app(scope, nobody_leaves, hear)
        body = b"".join(message.get("body", b"") for message in said[1:])
        return [said[0], {"type": "http.response.body", "body": body}]


def copied(message: Message) -> Message:
    """Whoever passes it on adds headers to it."""
    return {**message, "headers": [*message["headers"]]} if "headers" in message else message
