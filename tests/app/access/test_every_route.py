"""No route is forgotten: the whole application is walked, and each of its routes has a line in the table of rules."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.routing import Mount, WebSocketRoute
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from app.access.rules import LINES, rule_of
from dashcam.access.roles import Role
from tests.app.access.conftest import Home

OPEN = {
    "GET /api/v1/health",
    "POST /api/v1/auth/token",
    "POST /api/v1/join",
    "GET /log-in",
    "GET /log-in/check",
    "POST /log-out",
    "GET /favicon.ico",
    "GET /authority.crt",
}
WHOLE = ("/_nicegui/", "/_nicegui_ws/", "/static/", "/static-offline-docs/")
"""Folders that have one line, and are guarded as one."""
EXAMPLE = {"task_id": "1", "trip_id": "1", "plan_id": "1", "token_id": "1", "form": "gpx", "video_id": "0" * 16}


def routes(of: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """(method, path) of every route, those of mounted applications and included routers too."""
    for one in of:
        if hasattr(one, "effective_candidates"):
            yield from routes(one.effective_candidates(), prefix)
            continue
        one = getattr(one, "starlette_route", None) or one
        path = prefix + getattr(one, "path", "")
        if isinstance(one, Mount):
            inner = getattr(one.app, "routes", None)
            yield from routes(inner, path) if inner is not None else [("GET", f"{path}/{{path:path}}")]
        elif isinstance(one, WebSocketRoute):
            yield "GET", path
        else:
            yield from ((method, path) for method in (one.methods or {"GET"}))


def example(path: str) -> str:
    """The path with something in the place of its parameters."""
    pieces = [
        piece.split(":")[0].strip("{}") if "{" in piece else None for piece in path.replace("}.", "}/.").split("/")
    ]
    for name in filter(None, pieces):
        path = path.replace(f"{{{name}:path}}", "a").replace(f"{{{name}}}", EXAMPLE.get(name, "a"))
    return path.replace("{form}", "gpx")


@pytest.fixture
def every(whole: TestClient) -> list[tuple[str, str]]:
    found = [(method, path) for method, path in routes(whole.app.routes) if method != "HEAD"]
    assert len(found) > 90, "the walk sees them"
    return found


def test_every_route_has_a_line_of_its_own(every: list[tuple[str, str]]) -> None:
    missing = []
    for method, path in every:
        rule, _ = rule_of(example(path), method)
        its_own = rule.path == path or (rule.path.endswith("{path:path}") and path.startswith(WHOLE))
        if not its_own:
            missing.append(f"{method} {path} (goes by {rule.path or 'no line'})")
    assert missing == [], "give each a line in app/access/rules.py"


def test_every_line_is_of_a_route(every: list[tuple[str, str]]) -> None:
    there = {path for _, path in every}
    lines = {rule.path for _, _, rule in LINES if not rule.path.startswith(WHOLE)}
    assert lines - there == set()


def test_nothing_but_the_short_list_answers_a_stranger(home: Home, every: list[tuple[str, str]]) -> None:
    stranger = home.browser()
    answered = {}
    for method, path in every:
        answer = stranger.request(method, example(path))
        to_log_in = answer.status_code == 303 and answer.headers["location"].startswith("/log-in?next=")
        if answer.status_code != 401 and not to_log_in:  # to POST /log-in with nothing 401 is an answer
            answered[f"{method} {path}"] = answer.status_code
    assert set(answered) == OPEN


def test_nor_what_is_no_route_at_all(home: Home) -> None:
    stranger = home.browser()
    for path in ("/nothing", "/api/v1/nothing", "/api/v2", "//", "/videos/", "/VIDEOS", "/.env", "/media", "/%2e%2e/"):
        assert stranger.get(path, headers={"accept": "*/*"}).status_code == 401, path
        assert stranger.request("BREW", path).status_code == 401, path


@pytest.mark.parametrize("path", ["/_nicegui_ws/socket.io/?transport=websocket&EIO=4", "/nothing"])
def test_nor_any_websocket(home: Home, path: str) -> None:
    with pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)), home.browser().websocket_connect(path):
        pass


def test_a_viewer_is_kept_from_all_that_is_for_others(home: Home, every: list[tuple[str, str]]) -> None:
    """Pages and files by the cookie, calls by a token: each refused where its line asks for more."""
    home.add("ana", Role.ADMIN)
    home.add("vic", Role.VIEWER)
    browser = home.logged_in("vic")
    told = home.program("none").post("/auth/token", json={"user": "vic", "password": "correct horse battery"})
    program = home.program(told.json()["access_token"])
    for method, path in every:
        rule, _ = rule_of(example(path), method)
        if rule.least is None or rule.least is Role.VIEWER:
            continue
        client = program if rule.is_api else browser
        answer = client.request(method, example(path).removeprefix("/api/v1") if rule.is_api else example(path))
        assert answer.status_code == 403, f"{method} {path}"


def test_a_page_that_nobody_has_given_a_line_is_an_admins_alone(home: Home) -> None:
    home.add("ana", Role.ADMIN)
    home.add("ben", Role.MEMBER)
    refused, let_in = (home.logged_in(name).get("/new-page") for name in ("ben", "ana"))
    assert (refused.status_code, let_in.status_code) == (404, 404), "nobody is told whether it is there"
    assert "door" in refused.text and "top-nav" in let_in.text, "only the admin has come past the guard"


def test_a_script_that_is_kept_for_everybody_is_given_to_no_stranger(home: Home) -> None:
    home.add("ana", Role.MEMBER)
    known = home.logged_in("ana").get("/static/map.js")
    assert known.status_code == 200 and known.headers["X-Content-Type-Options"] == "nosniff"
    assert home.browser().get("/static/map.js").status_code in (303, 401)
