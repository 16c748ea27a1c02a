"""The page Settings: what is set, to whom it may be told, without a secret; a message is tried from there."""

import asyncio
import contextlib
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import ClassVar

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app import addressees, named_broker, private_words
from app.access import callers
from app.access.callers import Caller, NotAllowed
from app.broker import Broker
from app.pages import broker, messaging
from dashcam.access.models import AuditEntry
from dashcam.access.roles import Role
from dashcam.config import Site
from dashcam.config.telling import MqttSettings
from dashcam.database import reading
from tests.app.access.conftest import Home, act, opened
from tests.app.access.test_own_pages import button, form, words
from tests.catalog.rows import NOON

SECRET = "hunter2-of-the-broker"
BROKER = {"host": " mosquitto.lan", "port": "8883", "user": "dashcam", "password": SECRET, "tls": "true"}


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


def kept_in(home: Home, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """Where the site's addresses for messages lie."""
    site = Site.model_validate({"server": {"host": "0.0.0.0", "database_url": f"sqlite:///{folder / 'dashcam.db'}"}})
    monkeypatch.setattr(home.here, "configured", site)
    return folder / "messages.json"


def test_an_admin_has_messages_sent_somewhere_and_no_more(
    home: Home, monkeypatch: pytest.MonkeyPatch, webhook: str, tmp_path: Path
) -> None:
    file = kept_in(home, monkeypatch, tmp_path)
    home.add("ana", Role.ADMIN)
    browser = home.logged_in("ana")
    page = opened(browser, "/settings")
    act(
        browser,
        page,
        form(page, "An address for messages"),
        {"url": f"  {webhook} "},
        lambda: bool(home.here.site.notify.urls),
    )
    assert home.here.site.notify.urls == [webhook]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600, "it may hold a password"
    page = opened(browser, "/settings")
    assert "Messages go to json." in words(page.layout) and "json, added by ana on" in words(page.layout)
    assert SECRET not in browser.get("/settings").text
    home.here.site = home.here.configured
    home.here.heed()  # as a main server does that starts
    act(browser, page, button(page, "Send a test message"), {}, lambda: bool(Post.heard))
    act(browser, page, button(page, "No messages go there any more"), {}, lambda: not home.here.site.notify.urls)
    assert "Messages go to nobody" in shown(browser)
    with reading(home.here.engine) as session:
        noted = list(session.scalars(select(AuditEntry.what).where(AuditEntry.kind == "settings")))
    assert {"has messages sent to json", "removed an address for messages"} <= {*noted}
    assert not any(SECRET in one for one in noted)


def test_what_is_no_address_or_is_there_already_is_said_and_changes_nothing(tmp_path: Path) -> None:
    site = Site.model_validate({"server": {"database_url": f"sqlite:///{tmp_path / 'dashcam.db'}"}})
    for wrong in ("", "hello", "json://", "nosuch://host/x", "javascript:alert(1)", "json://h/" + "x" * 1000):
        with pytest.raises(ValueError, match="no address as apprise writes it"):
            addressees.add(site, wrong, "ana", NOON)
    addressees.add(site, "json://one.lan", "ana", NOON)
    with pytest.raises(ValueError, match="already"):
        addressees.add(site, "json://one.lan", "ben", NOON)
    assert [one.url for one in addressees.known(site)] == ["json://one.lan"]
    for number in range(addressees.MOST - 1):
        addressees.add(site, f"json://other{number}.lan", "ana", NOON)
    with pytest.raises(ValueError, match="remove one first"):
        addressees.add(site, "json://late.lan", "ana", NOON)


def test_addresses_that_cannot_be_read_are_told_of_and_stay_as_they_are(
    home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = kept_in(home, monkeypatch, tmp_path)
    file.write_text('[{"url": "json://one.lan", "who": "ana"')
    torn = file.read_text()
    home.here.heed()  # as a main server does that starts
    home.add("ana", Role.ADMIN)
    browser = home.logged_in("ana")
    page = opened(browser, "/settings")
    assert "messages.json cannot be read: no message goes to the addresses in it" in words(page.layout)
    assert "messages.json cannot be read" in words(opened(browser, "/").layout)
    for do in (lambda: addressees.add(home.here.configured, "json://two.lan", "ana", NOON),
               lambda: addressees.remove(home.here.configured, "some")):  # fmt: skip
        with pytest.raises(private_words.Unreadable, match="Put it right"):
            do()
    assert file.read_text() == torn
    file.unlink()
    home.here.heed()
    assert "cannot be read" not in words(opened(browser, "/settings").layout)


def test_of_two_admins_who_add_an_address_at_once_both_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    site = Site.model_validate({"server": {"database_url": f"sqlite:///{tmp_path / 'dashcam.db'}"}})
    both, known = Barrier(2), addressees.WORD.known

    def read_by_both(site: Site) -> list[addressees.MessageAddress] | None:
        there = known(site)
        with contextlib.suppress(BrokenBarrierError):
            both.wait(0.5)
        return there

    monkeypatch.setattr(addressees.WORD, "known", read_by_both)
    with ThreadPoolExecutor() as beside:
        list(beside.map(lambda who: addressees.add(site, f"json://{who}.lan", who, NOON), ("ana", "ben")))
    assert {one.who for one in known(site) or []} == {"ana", "ben"}


def test_a_member_has_no_messages_sent(home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kept_in(home, monkeypatch, tmp_path)
    for do in (messaging.add, messaging.remove):
        with callers.speaking(Caller("ben", "session", Role.MEMBER)), pytest.raises(NotAllowed, match="for an admin"):
            asyncio.run(do("json://one.lan"))
    with callers.speaking(Caller("ben", "session", Role.MEMBER)):
        for how in (broker.name(broker.named("ben", BROKER)), broker.remove()):
            with pytest.raises(NotAllowed, match="for an admin"):
                asyncio.run(how)
    assert list(tmp_path.glob("*.json")) == []


def test_an_admin_names_a_broker_and_its_password_is_nowhere(
    home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = kept_in(home, monkeypatch, tmp_path).with_name("broker.json")
    waited: list[Broker] = []

    async def at_once(one: Broker) -> None:
        waited.append(one)

    monkeypatch.setattr(broker, "answered", at_once)
    home.add("ana", Role.ADMIN)
    browser = home.logged_in("ana")
    page = opened(browser, "/settings")
    assert "No MQTT broker is told how the site is." in words(page.layout)
    act(browser, page, form(page, "Password"), BROKER, lambda: waited == [home.here.broker])
    assert home.here.site.mqtt == MqttSettings(host="mosquitto.lan", port=8883, tls=True, topic="dashcam")
    assert home.here.broker_named is not None and home.here.broker_named.login == f"dashcam:{SECRET}"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    page = opened(browser, "/settings")
    assert "mosquitto.lan has not answered yet" in words(page.layout)
    assert "mosquitto.lan:8883 as dashcam, named by ana on" in words(page.layout)
    assert SECRET not in browser.get("/settings").text
    file.write_text('{"host": "mosqui')
    home.here.heed()
    assert "broker.json cannot be read: the MQTT broker in it is told nothing" in shown(browser)
    act(browser, page, form(page, "Password"), BROKER, lambda: home.here.broker_named is not None)
    act(browser, page, button(page, "Nothing is told to it any more"), {}, lambda: home.here.site.mqtt.host is None)
    named_broker.WORD.unsay(home.here.configured)  # as a second admin does who has the same page open
    assert not file.exists() and "No MQTT broker is told how the site is." in shown(browser)
    with reading(home.here.engine) as session:
        noted = list(session.scalars(select(AuditEntry.what).where(AuditEntry.kind == "settings")))
    assert {"has the MQTT broker mosquitto.lan told how the site is", "removed the MQTT broker"} <= {*noted}


def test_the_page_waits_no_longer_than_the_broker_for_an_answer(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "ANSWERS_WITHIN_S", 3600)
    home.here.broker.note("It does not answer.")
    asyncio.run(asyncio.wait_for(broker.answered(home.here.broker), 60))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"host": "mqtt://mosquitto.lan"}, "named as in homeassistant.lan"),
        ({"host": ""}, "named as in homeassistant.lan"),
        ({"port": "0"}, "from 1 to 65535"),
        ({"port": "many"}, "from 1 to 65535"),
        ({"user": "a:b"}, "no colon"),
        ({"user": ""}, "of a user: name one"),
        ({"password": "x" * 201}, "200 characters at most"),
    ],
)
def test_what_names_no_broker_is_said_in_a_sentence(given: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said) as error:
        broker.named("ana", BROKER | given)
    assert SECRET not in str(error.value)
