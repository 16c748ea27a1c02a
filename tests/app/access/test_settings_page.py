"""The page Settings: what is set, to whom it may be told, without a secret; a message is tried from there."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from dashcam.access.models import AuditEntry
from dashcam.access.roles import Role
from dashcam.config import Site
from dashcam.database import reading
from tests.app.access.conftest import Home, act, opened
from tests.app.access.test_own_pages import button, words

SECRET = "hunter2-of-the-broker"


class Post(BaseHTTPRequestHandler):
    """A webhook of the house, as apprise calls it."""

    heard: ClassVar[list[bytes]] = []

    def do_POST(self) -> None:
        self.heard.append(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def webhook() -> Iterator[str]:
    Post.heard.clear()
    with HTTPServer(("127.0.0.1", 0), Post) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"json://me:{SECRET}@127.0.0.1:{server.server_port}/{SECRET}"
        server.shutdown()


def settled(home: Home, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    given = {
        "server": {"host": "0.0.0.0", "database_url": f"postgresql://me:{SECRET}@db/dashcam"},
        "notify": {"urls": [url, f"{SECRET}:no-address"]},
        "mqtt": {"host": "mosquitto.lan"},
        "place": {"lenses": {"front": {"horizontal_fov_deg": 133}}},
        "privacy": {"home_zones": [{"lat": 52.3806, "lon": 4.9012, "radius_m": 350}], "watched_plates": ["AB12CDE"]},
        "global": {"storage_retention_days": {"raw_videos": 45}},
    }
    monkeypatch.setattr(home.here, "site", Site.model_validate(given))


def shown(browser: TestClient) -> str:
    page = opened(browser, "/settings")
    return words(page.layout)


def test_an_admin_reads_what_is_set_and_no_secret(home: Home, monkeypatch: pytest.MonkeyPatch, webhook: str) -> None:
    settled(home, monkeypatch, webhook)
    home.add("ana", Role.ADMIN)
    browser = home.logged_in("ana")
    said = shown(browser)
    for what in ("front 133° rectilinear", "1 circle (350 m)", "clip 45 days", "1 plate watched, 1 of them",
                 "json, unreadable", "mosquitto.lan", "Who can log in: 1 admin."):  # fmt: skip
        assert what in said
    whole = browser.get("/settings").text
    assert SECRET not in whole and "52.38" not in whole, "no password, and no place of home"


def test_a_member_is_told_nothing_of_people_and_messages_and_a_viewer_nothing_at_all(
    home: Home, monkeypatch: pytest.MonkeyPatch, webhook: str
) -> None:
    settled(home, monkeypatch, webhook)
    home.add("ben", Role.MEMBER)
    home.add("vic", Role.VIEWER)
    said = shown(home.logged_in("ben"))
    assert "front 133°" in said
    assert not any(what in said for what in ("Messages", "mosquitto.lan", "Who can log in"))
    assert home.logged_in("vic").get("/settings").status_code == 403


def test_a_test_message_arrives_and_is_in_the_audit_log(
    home: Home, monkeypatch: pytest.MonkeyPatch, webhook: str
) -> None:
    settled(home, monkeypatch, webhook)
    home.add("ana", Role.ADMIN)
    browser = home.logged_in("ana")
    page = opened(browser, "/settings")

    def noted() -> list[str]:
        with reading(home.here.engine) as session:
            return list(session.scalars(select(AuditEntry.what).where(AuditEntry.kind == "settings")))

    act(browser, page, button(page, "Send a test message"), {}, lambda: bool(noted()))
    assert noted() == ["sent a test message"]
    assert len(Post.heard) == 1 and b"a test, asked for on the page Settings" in Post.heard[0]
