"""How it is said that somebody is not let in: to a browser by a page, to a program by a sentence."""

from urllib.parse import quote, urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.access import shell
from app.access.rules import RouteRule

LOG_IN = 4401
"""Why a websocket is closed."""


class Refusal(Exception):
    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


def answer(refusal: Refusal, connection: HTTPConnection, rule: RouteRule) -> ASGIApp:
    if connection.scope["type"] == "websocket":
        return closed
    if rule.is_api or not wants_page(connection):
        headers = {"WWW-Authenticate": "Bearer"} if refusal.status == 401 else {}
        return JSONResponse({"detail": refusal.sentence}, refusal.status, headers | {"Cache-Control": "no-store"})
    if refusal.status == 401:
        asked = connection.url.path + (f"?{connection.url.query}" if connection.url.query else "")
        return RedirectResponse(f"/log-in?next={quote(asked, safe='')}", 303)
    title = "No such page" if refusal.status == 404 else "Not for you"
    return shell.page(title, refusal.sentence, shell.HOME, refusal.status)


async def closed(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "websocket.close", "code": LOG_IN})


def wants_page(connection: HTTPConnection) -> bool:
    return connection.scope["method"] in ("GET", "HEAD") and "text/html" in connection.headers.get("accept", "")


def inside(target: str) -> str:
    """Where a person goes after the log-in: a place of this site, else its first page."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return "/"
    plain = target.startswith("/") and target.isprintable() and "\\" not in target
    outside = parts.scheme or parts.netloc or target.startswith("//")
    return "/" if not plain or outside or parts.path.startswith("/log-") else target
