"""The whole web application as it is served, on a new database for each test; requests go straight into it."""

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterator, MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from nicegui import Client
from nicegui.element import Element
from sqlalchemy import Engine

from app import main, system
from app.access.entry import COOKIE
from dashcam.access import tokens, users
from dashcam.access.passwords import hashed
from dashcam.access.roles import Role
from dashcam.access.scope import tasks_of
from dashcam.config import Site
from dashcam.database import writing
from dashcam.storage.roots import Stores
from tests.app.conftest import TOKEN
from tests.conftest import migrated

PASSWORD = "correct horse battery"
PROVES_IT = hashed(PASSWORD)
"""Hashed once: it takes its time."""
HOST = "dash.lan"
CLIENT = re.compile(r"['\"]client_id['\"]: ?['\"]([0-9a-f-]+)['\"]")
SOCKET = f"ws://{HOST}/_nicegui_ws/socket.io/?EIO=4&transport=websocket&client_id={{}}&document_id=d&tab_id=t&next_message_id=0"
SOCKET += "&implicit_handshake=true"
SITE = Site.model_validate({"server": {"host": "0.0.0.0"}})


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """The database of what runs beside every test."""
    (engine,) = migrated(f"sqlite:///{tmp_path_factory.mktemp('whole') / 'dashcam.db'}")
    return engine


@pytest.fixture(scope="session")
def built(bare: Engine) -> FastAPI:
    """Once a process, because NiceGUI's application is one; what it answers from is `system.current()`."""
    return main.build(system.System(bare, SITE, Stores({}), TOKEN))


@pytest.fixture(scope="module")
def whole(built: FastAPI, bare: Engine) -> Iterator[TestClient]:
    """Runs no longer than its tests: what it does beside them would disturb those that measure."""
    # a system is of one event loop, and the one that is current may have been of another module's
    system.start(system.System(bare, SITE, Stores({}), TOKEN))
    with TestClient(built) as running:
        yield running


class Home:
    """A site that is reached over a network, with people and tokens."""

    def __init__(self, whole: TestClient, here: system.System) -> None:
        self.whole, self.here = whole, here

    def client(self, url: str, **given: Any) -> TestClient:
        """Whose requests run on the application's own event loop."""
        one = TestClient(self.whole.app, url, **given)
        one.portal = self.whole.portal
        return one

    def add(self, name: str, role: Role, from_date: datetime | None = None) -> int:
        with writing(self.here.engine) as session:
            return users.add(session, name, PROVES_IT, role, datetime.now(UTC), from_date).account_id

    def browser(self, address: str = "192.0.2.7", host: str = HOST, scheme: str = "http") -> TestClient:
        """Of somebody who is not logged in."""
        headers = {"accept": "text/html,*/*"}
        client = (address, 50_000)
        return self.client(f"{scheme}://{host}", headers=headers, follow_redirects=False, client=client)

    def logged_in(self, name: str, **where: str) -> TestClient:
        one = self.browser(**where)
        answer = one.post("/log-in", data={"name": name, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        return one

    def program(self, token: str) -> TestClient:
        one = self.client(f"http://{HOST}/api/v1", client=("192.0.2.8", 50_000))
        one.headers["Authorization"] = f"Bearer {token}"
        return one

    def device(self, hostname: str = "jetson-1", device_type: str = "jetson_coral", **given: Any) -> str:
        known = {"task_types": tasks_of(device_type), "stores": ["indoor_nas"]} | given
        with writing(self.here.engine) as session:
            return tokens.for_device(session, hostname, device_type, now=datetime.now(UTC), **known)[0]


@pytest.fixture
def home(whole: TestClient, engine: Engine, tmp_path: Path) -> Home:
    roots = {name: tmp_path / name for name in ("indoor_nas", "shed_nas")}
    for root in roots.values():
        root.mkdir()
    here = system.System(engine, SITE, Stores(roots), TOKEN)
    here.look_at_zone()
    system.start(here)
    return Home(whole, here)


def opened(browser: TestClient, address: str) -> Client:
    """A page that somebody has opened, as the server knows it."""
    answer = browser.get(address)
    assert answer.status_code == 200, answer.text
    found = CLIENT.search(answer.text)
    assert found is not None
    return Client.instances[found[1]]


def act(browser: TestClient, page: Client, element: Element, args: dict[str, str], done: Callable[[], bool]) -> None:
    """A form is sent, or a button pressed, as the page's script does it over the websocket; until ``done``."""
    (listener,) = element._event_listeners.values()
    event = {"client_id": page.id, "id": element.id, "listener_id": listener.id, "args": [json.dumps(args)]}
    own = {"origin": f"http://{HOST}", "upgrade": "websocket"}
    with browser.websocket_connect(SOCKET.format(page.id), headers=own) as socket:
        assert socket.receive_text().startswith("0{")
        socket.send_text("40")
        assert socket.receive_text().startswith("40")
        socket.send_text("42" + json.dumps(["event", event]))
        until = time.monotonic() + 60
        while not done():
            assert time.monotonic() < until, "the click changes nothing"
            time.sleep(0.02)


def cookie_of(browser: TestClient) -> str:
    return str(browser.cookies.get(COOKIE))


def plain_get(home: Home, path: str, cookie: str = "") -> tuple[int, bytes]:
    """Status and content for a path exactly as it is spelled: every client would tidy it up first."""
    raw, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(raw),
        "raw_path": raw.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", HOST.encode()), (b"cookie", cookie.encode())],
        "client": ("192.0.2.7", 50_000),
        "server": (HOST, 80),
    }
    status, content = 0, bytearray()
    asked = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, Any]:
        if (message := next(asked, None)) is None:
            await asyncio.Event().wait()  # nobody leaves before the answer
        return message or {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)
        content.extend(message.get("body", b""))

    assert home.whole.portal is not None
    home.whole.portal.call(home.whole.app, scope, receive, send)
    return status, bytes(content)
