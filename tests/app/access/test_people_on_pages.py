"""What a person may change through a page's buttons, which arrive by the page's websocket; and who it is said to be."""

import asyncio
import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from nicegui import Client
from sqlalchemy import select

from app.access import callers
from app.access.callers import Caller, NotAllowed
from dashcam.access.models import AuditEntry
from dashcam.access.roles import Role
from dashcam.catalog.models import Protection
from dashcam.database import reading, writing
from tests.app.access.conftest import HOST, Home
from tests.catalog.rows import add_video

CLIENT = re.compile(r"['\"]client_id['\"]: ?['\"]([0-9a-f-]+)['\"]")
SOCKET = f"ws://{HOST}/_nicegui_ws/socket.io/?EIO=4&transport=websocket&client_id={{}}&document_id=d&tab_id=t&next_message_id=0"
SOCKET += "&implicit_handshake=true"


@pytest.fixture
def video(home: Home) -> str:
    with writing(home.here.engine) as session:
        return add_video(session, 1).video_id


def opened(browser: TestClient, address: str) -> Client:
    answer = browser.get(address)
    assert answer.status_code == 200, answer.text
    found = CLIENT.search(answer.text)
    assert found is not None
    return Client.instances[found[1]]


def submit(browser: TestClient, page: Client, values: dict[str, str], done: Callable[[], bool]) -> None:
    """The page's own form, as its script sends it over the websocket; until ``done``."""
    form = next(one for one in page.elements.values() if one.tag == "form" and one._event_listeners)
    (listener,) = form._event_listeners.values()
    event = {"client_id": page.id, "id": form.id, "listener_id": listener.id, "args": [json.dumps(values)]}
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


def test_what_a_member_does_on_a_page_is_written_down_as_theirs(home: Home, video: str) -> None:
    home.add("ana", Role.MEMBER)
    ana = home.logged_in("ana")

    def all_of(table: Any) -> list[Any]:
        with reading(home.here.engine) as session:
            return list(session.scalars(select(table)))

    def noted() -> list[tuple[str, str]]:
        return [(entry.who, entry.what) for entry in all_of(AuditEntry) if entry.kind == "correction"]

    page = opened(ana, f"/videos/{video}")
    submit(ana, page, {"reason": "evidence"}, lambda: bool(noted()))
    assert [(row.video_id, row.who) for row in all_of(Protection)] == [(video, "ana")]
    assert noted() == [("ana", f"keeps {video} for good")]


def test_a_viewer_sees_no_button_and_no_plates(home: Home, video: str) -> None:
    home.add("vera", Role.VIEWER)
    page = opened(home.logged_in("vera"), f"/videos/{video}")
    assert not [one for one in page.elements.values() if one.tag == "form" and one._event_listeners]
    links = {one._props.get("href") for one in page.elements.values()}
    assert "/videos" in links and "/plates" not in links and "/tasks" not in links


def test_a_viewer_changes_nothing_whatever_page_it_comes_from(home: Home) -> None:
    with callers.speaking(Caller("vera", "session", Role.VIEWER)), pytest.raises(NotAllowed, match="for a member"):
        asyncio.run(home.here.change(lambda session: None))
    with callers.speaking(Caller("ana", "session", Role.MEMBER)):
        asyncio.run(home.here.change(lambda session: None))
