"""What every page tells the browser: only scripts that carry this answer's mark run, and nobody frames or guesses."""

import re

import httpx
import pytest
from fastapi.testclient import TestClient

from app.access.rules import PAGES
from dashcam.access.roles import Role
from dashcam.database import writing
from tests.app.access.conftest import Home
from tests.catalog.rows import add_route, add_sighting, add_video

VIDEO = f"{1:016x}"
SHOWN = [
    line.removeprefix("GET ").replace("{video_id}", VIDEO).replace("{trip_id}", "1").replace("{text:path}", "B577PRO")
    for line in PAGES
    if line.startswith("GET ") and "{path" not in line and "{form}" not in line
]
SCRIPT = re.compile(r"<script\b([^>]*)>")
HANDLER = re.compile(r"<[^>]+\son\w+\s*=", re.IGNORECASE)


@pytest.fixture
def admin(home: Home) -> TestClient:
    with writing(home.here.engine) as session:
        video = add_video(session, 1)
        add_route(session, video)
        add_sighting(session, video, "B577PRO", 1.0, lat=44.43, lon=26.1)
    home.add("ana", Role.ADMIN)
    return home.logged_in("ana")


def nonce_of(answer: httpx.Response) -> str:
    policy = answer.headers["content-security-policy"]
    found = re.search(r"script-src[^;]*'nonce-([\w-]{20,})'", policy)
    assert found, policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0], "or the mark would be for nothing"
    return found[1]


def test_every_page_marks_its_own_scripts_and_no_others_run(admin: TestClient) -> None:
    pages, seen = [], set()
    for path in SHOWN:
        answer = admin.get(path)
        assert answer.status_code < 500, path
        assert answer.headers["x-content-type-options"] == "nosniff", path
        assert answer.headers["x-frame-options"] == "SAMEORIGIN", path
        assert answer.headers["referrer-policy"] == "same-origin", path
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        nonce = nonce_of(answer)
        scripts = SCRIPT.findall(answer.text)
        assert all(f'nonce="{nonce}"' in attributes for attributes in scripts), path
        policy = answer.headers["content-security-policy"]
        assert "object-src 'none'" in policy or "default-src 'none'" in policy, path
        assert "base-uri 'none'" in policy and "frame-ancestors 'self'" in policy, path
        assert not HANDLER.search(answer.text), path
        pages.append(path)
        seen.add(nonce)
    assert {"/", "/videos", "/plates", "/log-in", "/docs", f"/maps/videos/{VIDEO}", "/people", "/account"} <= set(pages)
    assert len(seen) == len(pages), "each answer has a mark of its own"


def test_so_do_the_pages_for_whoever_is_not_let_in(home: Home) -> None:
    home.add("vic", Role.VIEWER)
    refused, asked = home.logged_in("vic").get("/storage"), home.browser().get("/log-in")
    assert (refused.status_code, asked.status_code) == (403, 200)
    for answer in (refused, asked):
        assert f'nonce="{nonce_of(answer)}"' in answer.text
        assert answer.headers["cache-control"] == "no-store"


def test_what_the_api_answers_is_never_taken_for_a_page(home: Home) -> None:
    answer = home.program("none").get("/videos")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
