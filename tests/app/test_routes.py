"""What holds for every route of the REST API, and so for one that is new: walked over the router itself."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app import api, system
from app.access.guard import stand_before
from app.system import System
from dashcam.config import Site
from dashcam.storage.roots import Stores
from tests.app.conftest import TOKEN
from tests.conftest import migrated

OPEN = {"/api/v1/health", "/api/v1/auth/token", "/api/v1/join"}


def routes() -> Iterator[tuple[str, str]]:
    """(method, path) of every route, with something in the place of its parameters."""
    web = FastAPI()
    web.include_router(api.router)
    for path, calls in web.openapi()["paths"].items():
        for method in calls:
            yield method.upper(), path.replace("{task_id}", "1").replace("{trip_id}", "1").replace("{form}", "gpx")


ROUTES = list(routes())
GUARDED = [(method, path) for method, path in ROUTES if path not in OPEN]


def leaves(routes: list[Any]) -> int:
    return sum(leaves(one.original_router.routes) if hasattr(one, "original_router") else 1 for one in routes)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The API on an empty database: what is refused here is refused before anything but the token is looked up."""
    (engine,) = migrated(f"sqlite:///{tmp_path_factory.mktemp('routes') / 'dashcam.db'}")
    system.start(System(engine, Site(), Stores({}), TOKEN))
    web = FastAPI()
    web.include_router(api.router)
    stand_before(web)
    with TestClient(web) as client:
        yield client


def test_no_route_is_hidden_from_this_walk() -> None:
    assert len(ROUTES) == leaves(api.router.routes) > 35


@pytest.mark.parametrize(
    "header",
    [
        None,
        "Bearer wrong",
        "Bearer ",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN[:1]}",
        f"Bearer {TOKEN}x",
        f"Bearer x{TOKEN}",
        f"Basic {TOKEN}",
    ],
    ids=["none", "wrong", "empty", "shortened", "one character", "longer", "prefixed", "of another scheme"],
)
@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_no_route_answers_without_the_whole_token(web: TestClient, method: str, path: str, header: str | None) -> None:
    answer = web.request(method, path, headers={} if header is None else {"Authorization": header})
    assert (answer.status_code, answer.headers.get("WWW-Authenticate")) == (401, "Bearer")
    assert "needs a token" in answer.json()["detail"]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_parameter_that_a_route_does_not_have_is_refused_with_those_it_has(
    web: TestClient, method: str, path: str
) -> None:
    answer = web.request(method, path, params={"colour": "red"}, headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 422
    assert str(answer.json()["detail"]).startswith("colour is no parameter of this call: it takes ")


SEARCHED = (
    "limit, offset, q, near, unsure, only_unsure, box, since, until, first, last, trip, camera, kind, times, sort"
)
SEARCHED += ", confidence, tag, reviewed"


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("/api/v1/tasks", "device_type, type, state, video, limit, offset"),
        ("/api/v1/tasks/pending", "device_type, limit"),
        ("/api/v1/videos", "outcome, camera, trip, limit, offset, since, until"),
        ("/api/v1/trips", "limit, offset, since, until"),
        ("/api/v1/search", SEARCHED),
        ("/api/v1/export/track.gpx", "video, trip, home, since, until"),
        ("/api/v1/health", None),
    ],
)
def test_the_refusal_names_them(client: TestClient, path: str, known: str | None) -> None:
    client.base_url = "http://testserver"
    said = client.get(path, params={"task_type": "INGEST_VIDEO"}).json()["detail"]
    assert said.startswith("task_type is no parameter of this call: ")
    taken = said.removeprefix("task_type is no parameter of this call: it takes ").rstrip(".")
    assert set(taken.split(", ")) == set((known or "none").split(", "))


@pytest.mark.parametrize(("method", "path"), [one for one in GUARDED if one[0] in ("POST", "PUT")])
@pytest.mark.parametrize("body", ['{"hostname": "\\ud800", "camera": "\\ud800"}', '["\\udfff"]', '{"\\uDC00": 1}'])
def test_half_a_character_is_refused_everywhere(web: TestClient, method: str, path: str, body: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    answer = web.request(method, path, content=body, headers=headers)
    assert answer.status_code == 422
    assert "half a character" in str(answer.json()["detail"])


def test_whole_characters_that_are_written_in_two_halves_are_taken(client: TestClient) -> None:
    beat = '{"hostname": "jetson", "device_type": "jetson_coral", "info": {"says": "\\ud83d\\ude97"}}'
    assert client.post("/devices/heartbeat", content=beat, headers={"Content-Type": "application/json"}).is_success
    assert client.get("/devices/jetson").json()["info"] == {"says": "\U0001f697"}
