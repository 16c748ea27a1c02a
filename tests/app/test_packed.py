"""What is the same for everybody is made once, and answered as if it were made anew."""

import asyncio
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import packed
from app.access.headers import Headers
from app.packed import PackedOnce

SCRIPT = "export const here = true;\n" * 100
PLAIN = {"Accept-Encoding": "identity"}


class Named:
    """As a session does: each answer says whose it is."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.whose = app, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def add(message: Message) -> None:
            if "headers" in message:
                self.whose += 1
                MutableHeaders(scope=message).append("Set-Cookie", f"whose={self.whose}")
            await send(message)

        await self.app(scope, receive, add)


class Counted(StaticFiles):
    asked = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        await super().__call__(scope, receive, send)


@pytest.fixture
def files(tmp_path: Path) -> Counted:
    (tmp_path / "app.js").write_text(SCRIPT, encoding="utf-8")
    return Counted(directory=tmp_path)


@pytest.fixture
def browser(files: Counted) -> TestClient:
    layers = [Middleware(Named), Middleware(Headers), Middleware(PackedOnce), Middleware(GZipMiddleware)]
    places = "/static", "/media", "/maps/ground"
    return TestClient(Starlette(routes=[Mount(place, files) for place in places], middleware=layers))


@pytest.mark.parametrize("address", ["/static/app.js", "/maps/ground/app.js"])
def test_it_is_read_once_and_each_answer_is_the_same(browser: TestClient, files: Counted, address: str) -> None:
    first, again, newer = (browser.get(asked) for asked in (address, address, f"{address}?v=2"))
    assert files.asked == 1
    assert first.text == again.text == newer.text == SCRIPT
    assert [answer.headers.pop("Set-Cookie") for answer in (first, again, newer)] == ["whose=1", "whose=2", "whose=3"]
    assert first.headers.raw == again.headers.raw == newer.headers.raw
    assert first.headers["Content-Encoding"] == "gzip" and first.headers["X-Content-Type-Options"] == "nosniff"


def test_who_does_not_take_gzip_gets_it_as_it_is(browser: TestClient) -> None:
    for headers in ({}, PLAIN, {}, PLAIN):
        answer = browser.get("/static/app.js", headers=headers)
        assert answer.text == SCRIPT
        assert ("Content-Encoding" in answer.headers) == (headers is not PLAIN)


def test_a_part_of_it_and_whether_it_has_changed_are_asked_of_the_file(browser: TestClient, files: Counted) -> None:
    mark = browser.get("/static/app.js").headers["ETag"]
    part = browser.get("/static/app.js", headers=PLAIN | {"Range": "bytes=0-5"})
    assert part.status_code == 206 and part.text == SCRIPT[:6]
    assert browser.get("/static/app.js", headers={"If-None-Match": mark}).status_code == 304
    assert browser.head("/static/app.js").status_code == 200
    assert files.asked == 4


def test_what_is_not_there_is_looked_for_each_time(browser: TestClient, files: Counted, tmp_path: Path) -> None:
    assert browser.get("/static/new.js").status_code == 404
    (tmp_path / "new.js").write_text("1", encoding="utf-8")
    assert browser.get("/static/new.js").text == "1"


def test_what_is_somebodys_own_is_asked_for_each_time(browser: TestClient, files: Counted) -> None:
    assert [browser.get("/media/app.js").status_code for _ in range(3)] == [200] * 3
    assert files.asked == 3


def test_no_more_is_kept_however_an_address_is_written(
    browser: TestClient, files: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "MOST", 2)
    for address in ("x/%2e%2e/app.js", "y/%2e%2e/app.js", "z/%2e%2e/app.js", "z/%2e%2e/app.js"):
        assert browser.get(f"/static/{address}").text == SCRIPT
    assert files.asked == 4


async def passed_on(request: Request, call_next: RequestResponseEndpoint) -> Response:
    return await call_next(request)


async def unheard(_: Message) -> None:
    pass


@pytest.mark.parametrize("turns", range(0, 60, 4))
def test_who_leaves_while_it_is_read_spoils_it_for_nobody(files: Counted, tmp_path: Path, turns: int) -> None:
    """After so many turns of the loop. NiceGUI has layers within that hear of who leaves."""

    async def leaves() -> Message:
        for _ in range(turns):
            await asyncio.sleep(0)
        return {"type": "http.disconnect"}

    (tmp_path / "app.js").write_text(SCRIPT * 1000, encoding="utf-8")  # more than is read at once
    layers = [Middleware(PackedOnce), Middleware(BaseHTTPMiddleware, dispatch=passed_on), Middleware(GZipMiddleware)]
    site = Starlette(routes=[Mount("/static", files)], middleware=layers)
    given = {"type": "http", "method": "GET", "path": "/static/app.js", "root_path": "", "query_string": b""}
    asyncio.run(site(given | {"headers": [(b"accept-encoding", b"gzip")]}, leaves, unheard))
    assert TestClient(site).get("/static/app.js").text == SCRIPT * 1000
    assert files.asked == 1, "and is read for the next, too"
