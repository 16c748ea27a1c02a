"""A system on one machine is open to the programs on it, says so, and to nobody else."""

from itertools import product

import pytest

from app import system
from app.access.entry import Access
from dashcam.config import Site
from tests.app.access.conftest import Home

LOCAL = "127.0.0.1"


@pytest.fixture
def one_machine(home: Home) -> Home:
    here = system.System(home.here.engine, Site(), home.here.stores, home.here.token)
    here.look_at_zone()
    system.start(here)
    home.here = here
    return home


def test_who_asks_from_this_machine_is_let_in(one_machine: Home) -> None:
    for host, address in product(("127.0.0.1:8000", "localhost:8000", "[::1]:8000"), ("127.0.0.1", "::1")):
        assert one_machine.browser(address=address, host=host).get("/export/sightings.csv").status_code == 200


STRANGERS: list[tuple[str, str, dict[str, str]]] = [
    ("192.0.2.7", "127.0.0.1:8000", {}),
    ("192.0.2.7", "dash.lan", {}),
    # a page of the internet whose name was made to lead here
    (LOCAL, "evil.example", {}),
    (LOCAL, "127.0.0.1.evil.example", {}),
    (LOCAL, "", {}),
    # a proxy on this machine that asks for somebody else
    (LOCAL, "127.0.0.1:8000", {"X-Forwarded-For": "192.0.2.7"}),
    (LOCAL, "127.0.0.1:8000", {"X-Forwarded-For": "127.0.0.1"}),
    (LOCAL, "127.0.0.1:8000", {"X-Forwarded-Host": "localhost"}),
    (LOCAL, "127.0.0.1:8000", {"Forwarded": "for=127.0.0.1"}),
    (LOCAL, "127.0.0.1:8000", {"X-Real-IP": "127.0.0.1"}),
]


def test_nobody_else_is(one_machine: Home) -> None:
    for address, host, headers in STRANGERS:
        stranger = one_machine.browser(address=address)
        answer = stranger.get("/export/sightings.csv", headers={"Host": host} | headers)
        assert answer.status_code == 303 and answer.headers["location"].startswith("/log-in?next="), (host, headers)
        assert stranger.get("/api/v1/plates", headers={"Host": host} | headers).status_code == 401


def test_its_api_asks_for_a_token_all_the_same(one_machine: Home) -> None:
    here = one_machine.browser(address=LOCAL, host="127.0.0.1:8000")
    assert here.get("/api/v1/videos").status_code == 401
    assert here.post("/api/v1/users", json={}).status_code == 401


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "Without log-in, because only this machine reaches this server; over a network log-in would be on."),
        ({"access": {"login": "on"}}, "Log-in is on: whoever comes in has a name and a password."),
        ({"server": {"host": "0.0.0.0"}}, "Log-in is on: whoever comes in has a name and a password."),
        ({"server": {"url": "https://dash.example"}}, "Log-in is on: whoever comes in has a name and a password."),
        (
            {"server": {"host": "0.0.0.0"}, "access": {"login": "off"}},
            "Log-in is off (access.login): whoever reaches this server sees and changes everything.",
        ),
    ],
)
def test_at_its_start_the_server_says_who_is_let_in(home: Home, settings: dict[str, dict[str, str]], said: str) -> None:
    access = Access(home.here.engine, Site.model_validate(settings), "a token")
    assert access.standing() == said


def test_with_the_setting_on_this_machine_has_to_log_in_too(home: Home) -> None:
    home.here.access = Access(home.here.engine, Site.model_validate({"access": {"login": "on"}}), "a token")
    assert home.browser(address=LOCAL, host="127.0.0.1:8000").get("/export/sightings.csv").status_code == 303


def test_with_log_in_off_whoever_reaches_the_server_sees_all_and_programs_have_their_token_all_the_same(
    home: Home,
) -> None:
    off = {"server": {"host": "0.0.0.0"}, "access": {"login": "off"}}
    home.here.access = Access(home.here.engine, Site.model_validate(off), "a token")
    stranger = home.browser()
    assert stranger.get("/export/sightings.csv").status_code == 200 and stranger.get("/people").status_code == 200
    assert stranger.get("/api/v1/plates").status_code == 401
