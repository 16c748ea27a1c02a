"""The pages People, Your account and Audit log, and the devices' tokens: what is pressed there, holds from then on."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import segno
from fastapi.testclient import TestClient
from nicegui import Client
from nicegui.element import Element
from sqlalchemy import select

from app import system
from app.pages.still import Piece
from dashcam.access import audit, users
from dashcam.access.models import AccessToken, Account, AuditEntry, LoginSession
from dashcam.access.roles import Role
from dashcam.catalog import devices
from dashcam.config import Site
from dashcam.database import reading, writing
from tests.app.access.conftest import HOST, PASSWORD, Home, act, opened

NEW = "another horse battery"


@pytest.fixture
def ana(home: Home) -> TestClient:
    home.add("ana", Role.ADMIN)
    return home.logged_in("ana")


def rows(home: Home, table: Any) -> list[Any]:
    with reading(home.here.engine) as session:
        return list(session.scalars(select(table)))


def person(home: Home, name: str) -> Account | None:
    with reading(home.here.engine) as session:
        return users.by_name(session, name)


def noted(home: Home) -> list[tuple[str, str]]:
    return [(one.who, one.what) for one in rows(home, AuditEntry) if one.kind == "access"]


def inside(element: Element) -> Iterator[Element]:
    yield element
    for child in element:
        yield from inside(child)


def words(element: Element) -> str:
    return " ".join(text_of(one) for one in inside(element))


def text_of(element: Element) -> str:
    if isinstance(element, Piece):
        return unescape(re.sub("<[^>]*>", " ", element.content))
    return str(getattr(element, "text", ""))


def form(page: Client, label: str) -> Element:
    """The form with a field or button of that label."""
    (found,) = [
        one
        for one in page.elements.values()
        if one.tag == "form" and any(each.props.get("aria-label") == label for each in inside(one))
    ]
    return found


def button(page: Client, label: str) -> Element:
    (found,) = [
        one
        for one in page.elements.values()
        if one.tag == "button" and label in (one.props.get("aria-label"), getattr(one, "text", None))
    ]
    return found


def test_an_admin_lets_a_person_in(home: Home, ana: TestClient) -> None:
    page = opened(ana, "/people")
    given = {"name": " Ben ", "password": NEW, "role": "member", "since": "2026-05-01"}
    act(ana, page, form(page, "Name of the new person"), given, lambda: ("ana", "let ben in as member") in noted(home))
    ben = person(home, "ben")
    assert ben is not None and ben.role == "member"
    assert ben.from_date is not None and ben.from_date.astimezone(home.here.zone()).date().isoformat() == "2026-05-01"
    assert home.browser().post("/log-in", data={"name": "ben", "password": NEW}).status_code == 303


def test_what_a_person_may_is_changed_and_ends_what_they_have_open_in_that_role(home: Home, ana: TestClient) -> None:
    home.add("ben", Role.MEMBER)
    ben = home.logged_in("ben")
    assert ben.get("/export/sightings.csv").status_code == 200
    page = opened(ana, "/people")
    act(ana, page, form(page, "Role of ben"), {"role": "viewer"}, lambda: len(noted(home)) == 1)
    assert noted(home) == [("ana", "ben is viewer now")]
    assert ben.get("/export/sightings.csv").status_code == 403


def test_a_new_password_and_the_end_of_sessions_put_a_person_out(home: Home, ana: TestClient) -> None:
    home.add("ben", Role.MEMBER)
    ben = home.logged_in("ben")
    page = opened(ana, "/people")
    act(ana, page, form(page, "New password of ben"), {"password": NEW}, lambda: len(noted(home)) == 1)
    assert ben.get("/maps/leaflet.js").status_code == 303
    assert home.browser().post("/log-in", data={"name": "ben", "password": PASSWORD}).status_code == 401
    ben = home.browser()
    assert ben.post("/log-in", data={"name": "ben", "password": NEW}).status_code == 303
    page = opened(ana, "/people")
    act(ana, page, button(page, "Log ben out everywhere"), {}, lambda: len(noted(home)) == 2)
    assert ben.get("/maps/leaflet.js").status_code == 303


def test_a_person_is_kept_out_let_in_again_and_removed(home: Home, ana: TestClient) -> None:
    home.add("ben", Role.MEMBER)
    log_in = {"name": "ben", "password": PASSWORD}
    for label, may in (("Let ben log in no more", 401), ("Let ben log in again", 303)):
        page, before = opened(ana, "/people"), len(noted(home))
        act(ana, page, button(page, label), {}, lambda before=before: len(noted(home)) > before)
        assert home.browser().post("/log-in", data=log_in).status_code == may
    page = opened(ana, "/people")
    act(ana, page, button(page, "Remove ben for good"), {}, lambda: ("ana", "removed ben") in noted(home))
    assert person(home, "ben") is None


def test_the_last_admin_stays_one(home: Home, ana: TestClient) -> None:
    page = opened(ana, "/people")

    def refused() -> bool:
        told_or_to_be_told = [*page.outbox.message_history, *page.outbox.messages]
        return any("only admin left" in str(message) for message in told_or_to_be_told)

    act(ana, page, button(page, "Remove ana for good"), {}, lambda: refused() or told(page, "only admin left"))
    assert person(home, "ana") is not None and noted(home) == []


def told(page: Client, words: str) -> bool:
    return any(words in str(one.props) for one in page.elements.values())


@pytest.mark.parametrize("page", ["/people", "/audit"])
def test_they_are_an_admins(home: Home, page: str) -> None:
    home.add("ben", Role.MEMBER)
    ben = home.logged_in("ben")
    assert ben.get(page).status_code == 403
    links = {one.props.get("href") for one in opened(ben, "/account").elements.values()}
    assert page not in links and "/settings" in links


def test_a_person_changes_their_own_password(home: Home) -> None:
    home.add("vic", Role.VIEWER)
    vic, elsewhere = home.logged_in("vic"), home.logged_in("vic")
    page = opened(vic, "/account")
    wrong = {"current": "not the one of now", "password": NEW}
    act(
        vic,
        page,
        form(page, "Password of now"),
        wrong,
        lambda: any("not let in" in one.what for one in rows(home, AuditEntry)),
    )
    assert home.browser(address="192.0.2.9").post("/log-in", data={"name": "vic", "password": NEW}).status_code == 401
    page = opened(vic, "/account")
    right = {"current": PASSWORD, "password": NEW}
    act(vic, page, form(page, "Password of now"), right, lambda: bool(noted(home)))
    assert noted(home) == [("vic", "changed their own password")]
    assert vic.get("/maps/leaflet.js").status_code == 200, "who has done it is still logged in"
    assert elsewhere.get("/maps/leaflet.js").status_code == 303


def test_a_person_ends_a_session_of_their_own(home: Home) -> None:
    home.add("vic", Role.VIEWER)
    vic, elsewhere = home.logged_in("vic"), home.logged_in("vic", address="192.0.2.50")
    page = opened(vic, "/account")
    label = "End the session of A browser at 192.0.2.50"
    act(vic, page, button(page, label), {}, lambda: len(rows(home, LoginSession)) == 1)
    assert elsewhere.get("/maps/leaflet.js").status_code == 303 and vic.get("/maps/leaflet.js").status_code == 200


def made_token(home: Home, browser: TestClient, **given: str) -> str:
    """Made on the page, and read where it is shown once."""
    page = opened(browser, "/account")
    shown: list[str] = []

    def is_shown() -> bool:
        shown[:] = [one.text for one in page.elements.values() if one.tag == "code" and one.text.startswith("dca_")]
        return bool(shown)

    act(browser, page, form(page, "What the token is for"), {"name": "script"} | given, is_shown)
    assert shown[0] not in words(opened(browser, "/account").layout), "shown once"
    return shown[0]


def test_a_token_of_ones_own_lets_a_program_in_as_far_as_oneself(home: Home) -> None:
    ben = home.add("ben", Role.MEMBER)
    browser = home.logged_in("ben")
    program = home.program(made_token(home, browser, role="admin", days="30"))
    assert program.get("/plates").status_code == 200 and program.get("/users").status_code == 403
    (row,) = rows(home, AccessToken)
    assert (row.account_id, row.role) == (ben, "member")
    assert row.expires_at is not None and row.expires_at - row.created_at == timedelta(days=30)
    home.here.access.change(lambda session: users.set_role(session, ben, Role.VIEWER))
    assert program.get("/plates").status_code == 403, "no further than the person of now"
    home.here.access.change(lambda session: users.set_disabled(session, ben, True, datetime.now(UTC)))
    assert program.get("/videos").status_code == 401
    home.here.access.change(lambda session: users.set_disabled(session, ben, False, datetime.now(UTC)))
    assert program.get("/videos").status_code == 401, "it has ended with the sessions"


def test_what_it_sees_begins_with_the_persons_date(home: Home) -> None:
    cid = home.add("cid", Role.MEMBER)
    program = home.program(made_token(home, home.logged_in("cid"), role="member", days=""))
    home.here.access.change(lambda session: users.set_from_date(session, cid, datetime(2026, 5, 1, tzinfo=UTC)))
    caller = home.here.access.by_header(str(program.headers["Authorization"]), datetime.now(UTC))
    assert caller is not None and caller.from_date == datetime(2026, 5, 1, tzinfo=UTC)


def test_it_is_revoked_by_its_person_and_goes_when_they_go(home: Home) -> None:
    home.add("ana", Role.ADMIN)
    ben = home.add("ben", Role.MEMBER)
    browser = home.logged_in("ben")
    program = home.program(made_token(home, browser))
    assert program.get("/videos").status_code == 200
    page = opened(browser, "/account")
    act(browser, page, button(page, "Revoke script for good"), {}, lambda: len(noted(home)) == 2)
    assert noted(home)[-1] == ("ben", "revoked their own token: script")
    assert "has been revoked" in program.get("/videos").json()["detail"]
    other = home.program(made_token(home, browser))
    home.here.access.change(lambda session: users.remove(session, ben))
    assert other.get("/videos").status_code == 401 and rows(home, AccessToken) == []


def test_without_log_in_the_page_says_so(home: Home) -> None:
    here = system.System(home.here.engine, Site(), home.here.stores, home.here.token)
    here.look_at_zone()
    system.start(here)
    page = opened(home.browser(address="127.0.0.1", host="127.0.0.1:8000"), "/account")
    assert "Without log-in, because only this machine reaches this server" in words(page.layout)
    page = opened(home.browser(address="127.0.0.1", host="127.0.0.1:8000"), "/people")
    assert "Without log-in, because only this machine reaches this server" in words(page.layout)


def test_an_admin_sees_when_a_devices_token_was_used_and_takes_it_back(home: Home, ana: TestClient) -> None:
    jetson = home.program(home.device())
    assert jetson.get("/devices/jetson-1/pause").status_code == 200
    page = opened(ana, "/devices")
    assert "used just now; for PREPROCESS_VIDEO, indoor_nas" in words(page.layout)
    label = "Revoke the token of jetson-1: it is let in no more"
    act(ana, page, button(page, label), {}, lambda: bool(noted(home)))
    assert noted(home) == [("ana", "took a device's token back: jetson-1")]
    assert jetson.get("/devices/jetson-1/pause").status_code == 401
    home.add("ben", Role.MEMBER)
    assert "Their tokens" not in words(opened(home.logged_in("ben"), "/devices").layout)


def test_an_admin_makes_a_code_with_which_a_device_joins(home: Home, ana: TestClient) -> None:
    page = opened(ana, "/devices")
    shown: list[str] = []

    def is_shown() -> bool:
        said = [str(one.props.get("src") or getattr(one, "text", "")) for one in page.elements.values()]
        shown[:] = [one for one in said if one.startswith(("sudo dashcam join", "data:image"))]
        return len(shown) == 2

    act(ana, page, form(page, "What the device is"), {"type": "rtx_4090"}, is_shown)
    line, picture = shown
    assert picture == segno.make_qr(line, error="m").svg_data_uri(scale=6, border=4, dark="#000", light="#fff")
    assert line.startswith(f"sudo dashcam join {home.here.site.server.url} --code ")
    asked = {"code": line.split("--code ")[1].split()[0], "hostname": "gpu-pc"}
    answer = home.client(f"http://{HOST}/api/v1").post("/join", json=asked)
    assert answer.status_code == 201 and answer.json()["device_type"] == "rtx_4090", answer.text
    assert ("ana", "made a code for a device to join: rtx_4090") in noted(home)
    home.add("ben", Role.MEMBER)
    assert "Add a device" not in words(opened(home.logged_in("ben"), "/devices").layout)


def test_the_devices_page_says_who_does_the_work_of_a_class_that_is_missing(home: Home, ana: TestClient) -> None:
    home.here.site = home.here.site.model_copy(update={"covered_by": {"jetson": "gpu"}})
    with writing(home.here.engine) as session:
        for hostname, pool in (("gpu-pc", "gpu"), ("gpu-pc-jetson", "jetson")):
            devices.beat(session, hostname, "rtx_4090", {"pool": pool}, None, datetime.now(UTC))
    said = words(opened(ana, "/devices").layout)
    assert "Preprocess jetson left to gpu gpu-pc-jetson" in " ".join(said.split()), said
    assert "No device has reported for it. Without one: dashcam init --cover nas=server" in said


def test_the_audit_log_is_found_by_who_what_and_when(home: Home, ana: TestClient) -> None:
    noon = datetime(2026, 11, 28, 12, tzinfo=UTC)
    with writing(home.here.engine) as session:
        for number in range(130):
            audit.note(session, noon - timedelta(minutes=number), "ben", "plate", f"looked a plate up: B{number:03d}")
        audit.note(session, noon - timedelta(days=40), "cid", "export", "exported 100 % of_it")

    def shown(address: str) -> str:
        return words(opened(ana, address).layout)

    first = shown("/audit?who=ben")
    assert "B000" in first and "B099" in first and "B100" not in first and "exported" not in first
    page = opened(ana, "/audit?who=ben")
    (older,) = [one.props["href"] for one in page.elements.values() if one.props.get("href", "").count("after=")]
    second = shown(older)
    assert "B100" in second and "B129" in second and "B099" not in second
    assert "exported" in shown("/audit?kind=export") and "B000" not in shown("/audit?kind=export")
    assert "exported" in shown("/audit?q=100+%25+OF_IT") and "B000" not in shown("/audit?q=100+%25")
    day = (noon - timedelta(days=40)).date().isoformat()
    assert "exported" in shown(f"/audit?first={day}&last={day}") and "B000" not in shown(f"/audit?last={day}")
    assert "Nothing like that is written down" in shown("/audit?who=nobody")
