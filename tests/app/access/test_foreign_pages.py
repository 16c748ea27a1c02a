"""What a page of another site makes a browser do counts for nothing: its forms, scripts, pictures and websockets."""

from itertools import product

import pytest
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from app import system
from app.access.rules import rule_of
from dashcam.access.roles import Role
from dashcam.config import Site
from tests.app.access.conftest import HOST, PASSWORD, Home
from tests.app.access.test_every_route import every as every
from tests.app.access.test_every_route import example

FOREIGN = "A page of another site asked for this"
SOCKET = f"ws://{HOST}/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
OTHERS = ["https://evil.example", "null", f"http://{HOST}.evil.example", f"http://evil.{HOST}", f"ftp://{HOST}", ""]


@pytest.fixture
def admin(home: Home) -> TestClient:
    home.add("ana", Role.ADMIN)
    return home.logged_in("ana")


def test_no_form_or_script_of_another_site_acts_as_who_is_logged_in(
    admin: TestClient, every: list[tuple[str, str]]
) -> None:
    tried = 0
    for number, (method, path) in enumerate(every):
        origin = OTHERS[number % len(OTHERS)]
        if rule_of(example(path), method)[0].is_api or path.startswith("/prefect/"):
            continue
        answer = admin.request(method, example(path), headers={"Origin": origin})
        assert answer.status_code == 403 and FOREIGN in answer.text, f"{method} {path}"
        tried += 1
    assert tried > 30
    assert admin.get("/maps/leaflet.js").status_code == 200, "who is logged in still is"


def test_nor_does_a_picture_or_frame_there_see_anything(admin: TestClient) -> None:
    for site, mode in product(("cross-site", "same-site", "nonsense"), ("no-cors", "cors", "navigate")):
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
        posted = admin.post("/log-out", headers=headers)
        assert posted.status_code == 403 and FOREIGN in posted.text
        read = admin.get("/export/sightings.csv", headers=headers)
        assert read.status_code == (200 if mode == "navigate" else 403), "a link that a person follows is right"


def test_the_api_asks_for_a_token_whatever_page_it_is_asked_from(
    admin: TestClient, every: list[tuple[str, str]]
) -> None:
    """So a cookie cannot be made use of: there is nothing that another site's form could ride on."""
    for method, path in every:
        rule, _ = rule_of(example(path), method)
        if rule.is_api and rule.least is not None:
            answer = admin.request(method, example(path), headers={"Origin": f"http://{HOST}"})
            assert answer.status_code == 401, f"{method} {path}"


def test_nobody_is_logged_in_by_another_site_as_somebody_else(home: Home) -> None:
    home.add("mallory", Role.VIEWER)
    form = {"name": "mallory", "password": PASSWORD}
    answer = home.browser().post("/log-in", data=form, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403 and "set-cookie" not in answer.headers
    assert home.browser().post("/log-in", data=form, headers={"Origin": f"http://{HOST}"}).status_code == 303


def test_no_websocket_is_opened_from_another_sites_page(admin: TestClient) -> None:
    upgrade = {"Upgrade": "websocket"}
    for origin in OTHERS:
        with (
            pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)),
            admin.websocket_connect(SOCKET, headers=upgrade | {"Origin": origin}),
        ):
            pass
    with admin.websocket_connect(SOCKET, headers=upgrade | {"Origin": f"http://{HOST}"}) as socket:
        assert socket.receive_text().startswith("0{")


def test_nor_does_the_long_polling_that_stands_in_for_one_answer(admin: TestClient) -> None:
    polling = "/_nicegui_ws/socket.io/?EIO=4&transport=polling"
    assert admin.get(polling, headers={"Origin": "https://evil.example"}).status_code == 403
    assert admin.get(polling, headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}).status_code == 403


def test_the_origin_may_be_the_one_that_the_settings_name(home: Home, admin: TestClient) -> None:
    """A proxy that hands on another ``Host`` than it was asked for."""
    home.here.access.site = Site.model_validate({"server": {"host": "0.0.0.0", "url": "https://dash.example"}})
    asked = {"Origin": "https://dash.example"}
    assert admin.get("/maps/leaflet.js", headers=asked).status_code == 200
    assert admin.get("/maps/leaflet.js", headers={"Origin": "https://other.example"}).status_code == 403


def test_without_log_in_another_sites_page_reaches_no_more(home: Home) -> None:
    """On a machine without log-in a page of the internet, opened there, must not read or change anything either."""
    here = system.System(home.here.engine, Site(), home.here.stores, home.here.token)
    here.look_at_zone()
    system.start(here)
    local = home.browser(address="127.0.0.1", host="127.0.0.1:8000")
    assert local.get("/export/sightings.csv").status_code == 200
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}):
        assert local.get("/export/sightings.csv", headers=headers).status_code == 403
        assert local.post("/log-out", headers=headers).status_code == 403
