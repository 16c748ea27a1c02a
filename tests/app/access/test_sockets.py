"""An open page's websocket ends with the session in which it was opened."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.testclient import WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from app.access.refusals import LOG_IN
from dashcam.access import sessions, tokens, users
from dashcam.access.models import AccessToken, LoginSession
from dashcam.access.roles import Role
from dashcam.database import writing
from tests.app.access.conftest import HOST, Home

SOCKET = f"ws://{HOST}/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
OWN = {"origin": f"http://{HOST}", "upgrade": "websocket"}
ASK = '421["handshake",{"client_id":"none","document_id":"d","tab_id":"t","next_message_id":0}]'
"""What the server of any page answers: no, there is no such page."""


@contextmanager
def connected(browser: TestClient) -> Iterator[WebSocketTestSession]:
    with browser.websocket_connect(SOCKET, headers=OWN) as socket:
        socket.send_text("40")
        yield socket


def answered(socket: WebSocketTestSession) -> bool:
    """Whether whoever holds the other end is still heard; False where it was closed as the log-in's end."""
    try:
        socket.send_text(ASK)
        while not (said := socket.receive_text()).startswith("431"):
            assert said.startswith(("0{", "2", "40")), said
    except WebSocketDisconnect as closed:
        assert closed.code == LOG_IN
        return False
    return True


def end_it(session: Session, person: int) -> None:
    (number,) = session.scalars(select(LoginSession.session_id).where(LoginSession.account_id == person)).all()
    assert sessions.end(session, number)


NOW = datetime.now(UTC)
ENDS: dict[str, Callable[[Session, int], Any]] = {
    "the session is ended": end_it,
    "all sessions are ended": lambda session, one: users.end_sessions(session, users.get(session, one), NOW),
    "the password is another": lambda session, one: users.set_password(session, one, "another", NOW),
    "the person is kept out": lambda session, one: users.set_disabled(session, one, True, NOW),
    "the person is removed": users.remove,
    "the person may do less": lambda session, one: users.set_role(session, one, Role.VIEWER),
    "the person sees less": lambda session, one: users.set_from_date(session, one, NOW),
}


def test_it_is_closed_with_what_let_it_in(home: Home) -> None:
    home.add("ana", Role.ADMIN)
    with connected(home.logged_in("ana")) as hers:
        for number, (how, change) in enumerate(ENDS.items()):
            ben = home.add(f"ben{number}", Role.MEMBER)
            with connected(home.logged_in(f"ben{number}")) as his:
                assert answered(his), how
                home.here.access.change(lambda session, change=change, ben=ben: change(session, ben))
                assert not answered(his), how
        assert answered(hers), "nobody else's is"


def test_it_is_closed_when_the_person_logs_out_in_another_tab(home: Home) -> None:
    home.add("ana", Role.ADMIN)
    browser = home.logged_in("ana")
    with connected(browser) as socket:
        assert answered(socket)
        browser.post("/log-out")
        assert not answered(socket)


def test_it_is_closed_when_the_session_ends_by_itself(home: Home) -> None:
    home.add("ana", Role.ADMIN)
    with connected(home.logged_in("ana")) as socket:
        assert answered(socket)
        with writing(home.here.engine) as session:
            session.scalars(select(LoginSession)).one().expires_at = datetime.now(UTC) - timedelta(seconds=1)
        home.here.access.forget()  # what was looked up is kept for some seconds
        assert not answered(socket)


def test_a_programs_is_closed_when_its_token_is_revoked(home: Home) -> None:
    with writing(home.here.engine) as session:
        secret, _ = tokens.for_program(session, "kiosk", Role.VIEWER, datetime.now(UTC))
    browser: TestClient = home.browser()
    browser.headers["Authorization"] = f"Bearer {secret}"
    with connected(browser) as socket:
        assert answered(socket)
        home.here.access.change(
            lambda session: tokens.revoke(session, session.scalars(select(AccessToken.token_id)).one(), NOW)
        )
        assert not answered(socket)
