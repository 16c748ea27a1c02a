"""A web page that is open in the owner's browser, or another user of the machine, starts nothing here."""

import httpx
import pytest

from dashcam.embedded.home import Home
from tests.system.running import Running

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

FOREIGN = {"Origin": "https://example.com", "Access-Control-Request-Method": "POST"}


@pytest.fixture
def door(running: Running) -> str:
    return f"http://127.0.0.1:{running.state['prefect']}"


def test_prefect_answers_nobody_who_does_not_know_the_login(running: Running, door: str) -> None:
    for login in (None, ("dashcam", ""), ("dashcam", running.prefect_login[1][:-1])):
        assert httpx.post(f"{door}/api/deployments/filter", json={}, auth=login).status_code == 401
    assert httpx.post(f"{door}/api/deployments/filter", json={}, auth=running.prefect_login).is_success
    assert Home(running.data).prefect_login_file.stat().st_mode & 0o77 == 0


def test_a_page_from_elsewhere_may_not_ask_prefect(door: str) -> None:
    asked = httpx.options(f"{door}/api/deployments/filter", headers=FOREIGN)
    assert "access-control-allow-origin" not in asked.headers
    own = httpx.options(f"{door}/api/deployments/filter", headers=FOREIGN | {"Origin": door})
    assert own.headers["access-control-allow-origin"] == door


def test_its_ui_is_there_and_asks_for_the_login(door: str) -> None:
    assert httpx.get(door, follow_redirects=True).is_success
    assert httpx.get(f"{door}/ui-settings").json()["auth"] == "BASIC"
