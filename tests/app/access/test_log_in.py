"""The log-in: what is right lets in, what is wrong is slowed down, and nobody is led astray."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app import system
from app.access.entry import COOKIE, Access
from app.access.refusals import inside
from dashcam.access import audit, sessions, users
from dashcam.access.models import LoginSession
from dashcam.access.roles import Role
from dashcam.config import Site
from dashcam.database import reading, writing
from tests.app.access.conftest import PASSWORD, Home, cookie_of


def test_a_person_logs_in_and_goes_where_they_wanted(home: Home) -> None:
    home.add("ana", Role.ADMIN)
    browser = home.browser()
    away = browser.get("/export/track.gpx?video=00000000000000aa")
    assert away.status_code == 303
    assert away.headers["location"] == "/log-in?next=%2Fexport%2Ftrack.gpx%3Fvideo%3D00000000000000aa"
    asked = browser.get(away.headers["location"])
    assert asked.status_code == 200 and 'value="/export/track.gpx?video=00000000000000aa"' in asked.text
    form = {"name": " ANA ", "password": PASSWORD, "next": "/export/track.gpx?video=00000000000000aa"}
    answer = browser.post("/log-in", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, form["next"])
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie and "Secure" not in cookie
    assert browser.get(form["next"]).status_code == 404, "let in: there is no such clip"
    assert browser.post("/log-out").headers["location"] == "/log-in"
    assert browser.get(form["next"]).status_code == 303


def test_over_https_the_cookie_goes_over_https_alone(home: Home) -> None:
    home.add("ana", Role.ADMIN)
    form = {"name": "ana", "password": PASSWORD}
    assert "Secure" in home.browser(scheme="https").post("/log-in", data=form).headers["set-cookie"]
    behind = {"X-Forwarded-Proto": "https"}
    assert "Secure" not in home.browser().post("/log-in", data=form, headers=behind).headers["set-cookie"]
    with_proxy = {"server": {"host": "0.0.0.0"}, "access": {"trusted_proxies": ["192.0.2.0/24"]}}
    home.here.access.site = home.here.site = Site.model_validate(with_proxy)
    assert "Secure" in home.browser().post("/log-in", data=form, headers=behind).headers["set-cookie"]


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "\\\\evil", "javascript:alert(1)", "evil", "",
     "/\t/x", "/log-out", "/log-in?next=/", "http:///x", "///evil.example", "/\r\nSet-Cookie: a=b", "/%0d//[", "//[" ],
)  # fmt: skip
def test_nobody_is_led_to_another_site(home: Home, target: str) -> None:
    if target != "/%0d//[":
        assert inside(target) == "/"
    assert not inside(target).startswith("//")
    home.add("ana", Role.ADMIN)
    answer = home.browser().post("/log-in", data={"name": "ana", "password": PASSWORD, "next": target})
    assert answer.status_code == 303 and answer.headers["location"] == inside(target)


def test_what_is_wrong_says_the_same_of_every_name(home: Home) -> None:
    ana = home.add("ana", Role.ADMIN)
    home.add("ben", Role.ADMIN)
    with writing(home.here.engine) as session:
        users.set_disabled(session, ana, True, datetime.now(UTC))
    said = set()
    for name, password in (
        ("ben", "wrong password"),
        ("nobody", PASSWORD),
        ("ana", PASSWORD),
        ("", ""),
        ("x" * 150, "y"),
    ):
        answer = home.browser().post("/log-in", data={"name": name, "password": password})
        assert answer.status_code == 401 and COOKIE not in answer.cookies
        plain = re.sub('nonce="[^"]+"', "", answer.text.replace(f'value="{name}"', 'value=""'))
        said.add(plain.replace(" autofocus", ""))
    assert len(said) == 1, said
    assert "do not go together" in said.pop()


def test_a_name_is_shown_as_text(home: Home) -> None:
    home.add("ana", Role.ADMIN)
    answer = home.browser().post("/log-in", data={"name": '"><script>x</script>', "password": "y"})
    assert "<script>x" not in answer.text and "&lt;script&gt;x" in answer.text


def test_guessing_is_held_up_even_a_hundred_at_once(home: Home) -> None:
    home.add("ana", Role.ADMIN)

    def guess(number: int) -> int:
        return home.browser().post("/log-in", data={"name": "ana", "password": f"guess {number}"}).status_code

    with ThreadPoolExecutor(20) as crowd:
        answers = list(crowd.map(guess, range(100)))
    assert answers.count(401) == 5 and answers.count(429) == 95
    right = {"name": "ana", "password": PASSWORD}
    assert home.browser().post("/log-in", data=right).status_code == 429, "nor is the right one looked at"
    assert home.browser(address="192.0.2.99").post("/log-in", data=right).status_code == 303, "its owner is elsewhere"


def test_many_names_from_one_place_are_held_up_too_and_ipv6_does_not_help(home: Home) -> None:
    home.add("ana", Role.ADMIN)

    def guess(number: int, address: str) -> int:
        form = {"name": f"name{number}", "password": "x" * 300}
        return home.browser(address=address).post("/log-in", data=form).status_code

    answers = [guess(number, f"2001:db8::{number:x}") for number in range(32)]
    assert answers == [401] * 30 + [429] * 2
    assert guess(1, "2001:db8:0:1::1") == 401


def test_one_name_is_tried_fifty_times_an_hour_from_wherever_it_is(home: Home) -> None:
    home.add("ana", Role.ADMIN)

    def attempt(number: int, name: str = "ana", password: str = "x" * 300) -> int:
        form = {"name": name, "password": password}
        return home.browser(address=f"198.51.100.{number}").post("/log-in", data=form).status_code

    assert [attempt(number) for number in range(52)] == [401] * 50 + [429] * 2
    assert attempt(60, password=PASSWORD) == 429, "nor is the right one looked at"
    assert attempt(61, name="ben") == 401, "it is that name's alone"


def test_who_mistypes_and_then_gets_it_right_starts_anew(home: Home) -> None:
    home.add("ana", Role.ADMIN)
    for _ in range(3):
        for password in ("wrong", "wrong again"):
            home.browser().post("/log-in", data={"name": "ana", "password": password})
        home.logged_in("ana")


def test_where_a_request_comes_from_is_a_trusted_proxys_word_alone(home: Home) -> None:
    home.add("ana", Role.ADMIN)

    def guess(said: str, address: str = "192.0.2.1") -> int:
        form, headers = {"name": "ana", "password": "x" * 300}, {"X-Forwarded-For": said}
        return home.browser(address=address).post("/log-in", data=form, headers=headers).status_code

    assert [guess(f"198.51.100.{number}") for number in range(6)] == [401] * 5 + [429], (
        "it says it comes from elsewhere"
    )
    with_proxy = {"server": {"host": "0.0.0.0"}, "access": {"trusted_proxies": ["192.0.2.1"]}}
    home.here.access = Access(home.here.engine, Site.model_validate(with_proxy), home.here.token)
    assert [guess(f"1.2.3.{number}, 198.51.100.1") for number in range(6)] == [401] * 5 + [429], (
        "its browser made that up"
    )
    assert guess("198.51.100.2") == 401


def test_a_restart_of_the_server_forgives_nobody_who_guesses(home: Home) -> None:
    home.add("ana", Role.ADMIN)

    def attempt(password: str, address: str = "192.0.2.1") -> int:
        return home.browser(address=address).post("/log-in", data={"name": "ana", "password": password}).status_code

    def restart() -> None:
        home.here.access = Access(home.here.engine, home.here.site, home.here.token)

    assert [attempt("x" * 300) for _ in range(3)] == [401] * 3
    restart()
    assert [attempt("x" * 300) for _ in range(3)] == [401] * 2 + [429]
    restart()
    assert attempt(PASSWORD) == 429, "nor is the right one looked at"
    assert attempt(PASSWORD, "192.0.2.99") == 303, "its owner is elsewhere"


def test_who_got_it_right_before_a_restart_starts_anew(home: Home) -> None:
    home.add("ana", Role.ADMIN)
    for password in ["x" * 300] * 4 + [PASSWORD]:
        answer = home.browser().post("/log-in", data={"name": "ana", "password": password})
    assert answer.status_code == 303
    home.here.access = Access(home.here.engine, home.here.site, home.here.token)
    again = [home.browser().post("/log-in", data={"name": "ana", "password": "x" * 300}) for _ in range(6)]
    assert [one.status_code for one in again] == [401] * 5 + [429]


def test_a_session_that_was_ended_elsewhere_lets_nobody_in_from_then_on(home: Home) -> None:
    home.add("ana", Role.ADMIN)
    ben = home.add("ben", Role.MEMBER)
    first, second, admin = home.logged_in("ben"), home.logged_in("ben"), home.logged_in("ana")
    assert cookie_of(first) != cookie_of(second)
    assert first.get("/maps/leaflet.js").status_code == 200
    with reading(home.here.engine) as session:
        found = session.scalars(select(LoginSession.session_id).where(LoginSession.account_id == ben)).all()
    home.here.access.change(lambda session: session.delete(session.get_one(LoginSession, found[0])))
    assert first.get("/maps/leaflet.js").status_code == 303 and second.get("/maps/leaflet.js").status_code == 200
    home.here.access.change(lambda session: users.set_disabled(session, ben, True, datetime.now(UTC)))
    assert second.get("/maps/leaflet.js").status_code == 303 and admin.get("/maps/leaflet.js").status_code == 200
    assert second.post("/log-in", data={"name": "ben", "password": PASSWORD}).status_code == 401


def test_a_program_ends_all_that_a_person_has_open(home: Home) -> None:
    home.add("ana", Role.ADMIN)
    ben = home.add("ben", Role.MEMBER)
    browsers = [home.logged_in("ben"), home.logged_in("ben")]
    asked = home.program("none").post("/auth/token", json={"user": "ben", "password": PASSWORD}).json()
    program, site = home.program(asked["access_token"]), home.program(home.here.token)
    assert program.get("/videos").status_code == 200
    assert program.delete("/users/ben/sessions").status_code == 403, "for admins"
    assert site.delete("/users/nobody/sessions").status_code == 404
    assert site.delete("/users/ben/sessions").json() == {"sessions": 2}
    assert [one.get("/maps/leaflet.js").status_code for one in browsers] == [303, 303]
    assert program.get("/videos").status_code == 401
    with reading(home.here.engine) as session:
        assert sessions.of(session, ben, datetime.now(UTC)) == []
    assert home.logged_in("ben").get("/maps/leaflet.js").status_code == 200, "they may come in again"


def test_who_is_removed_stays_in_the_audit_log(home: Home) -> None:
    home.add("ben", Role.MEMBER)
    ben, site = home.logged_in("ben"), home.program(home.here.token)
    assert ben.get("/export/sightings.csv").status_code == 200
    assert site.delete("/users/ben").status_code == 200 and ben.get("/maps/leaflet.js").status_code == 303
    told = site.get("/audit", params={"who": "ben"}).json()
    assert {one["kind"] for one in told} == {"log-in", "export"}


def test_a_session_ends_by_itself_when_it_is_not_used(home: Home) -> None:
    home.add("ana", Role.ADMIN)
    browser = home.logged_in("ana")
    past = datetime.now(UTC) - timedelta(days=1)
    with writing(home.here.engine) as session:
        session.scalars(select(LoginSession)).one().expires_at = past
    home.here.access.forget()
    assert browser.get("/maps/leaflet.js").status_code == 303


@pytest.mark.parametrize("cookie", ["", "x", "a" * 5000, "0" * 43])
def test_a_made_up_cookie_is_none(home: Home, cookie: str) -> None:
    home.add("ana", Role.ADMIN)
    assert home.browser().get("/maps/leaflet.js", headers={"Cookie": f"{COOKIE}={cookie}"}).status_code == 303


def test_while_there_is_nobody_the_page_says_what_to_type(home: Home) -> None:
    assert "dashcam user add NAME --role admin" in home.browser().get("/log-in").text
    home.add("ana", Role.ADMIN)
    assert "dashcam user" not in home.browser().get("/log-in").text


def test_every_log_in_and_every_refusal_is_written_down_and_no_password(home: Home) -> None:
    home.add("ana", Role.ADMIN)
    browser = home.logged_in("ana", address="192.0.2.5")
    home.browser().post("/log-in", data={"name": "ana", "password": "wrong hunter2"})
    home.browser().post("/log-in", data={"name": "hunter2", "password": "ana"})
    browser.post("/log-out")
    with reading(home.here.engine) as session:
        told = [(one.who, one.what, one.address) for one in reversed(audit.entries(session, "log-in"))]
    assert told == [
        ("ana", "logged in", "192.0.2.5"),
        ("ana", "was not let in", "192.0.2.7"),
        ("somebody", "was not let in", "192.0.2.7"),
        ("ana", "logged out", "192.0.2.5"),
    ]


def test_a_proxy_hears_whether_an_admin_asks(home: Home) -> None:
    home.add("ana", Role.ADMIN)
    home.add("ben", Role.MEMBER)
    assert home.browser().get("/log-in/check").headers["location"].endswith("/log-in")
    assert home.logged_in("ben").get("/log-in/check").status_code == 403
    answer = home.logged_in("ana").get("/log-in/check")
    assert (answer.status_code, answer.headers["X-Dashcam-User"]) == (204, "ana")


def test_the_guard_asks_the_system_of_now(home: Home) -> None:
    assert system.current() is home.here
