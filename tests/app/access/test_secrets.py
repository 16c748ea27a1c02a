"""Planted secrets are in no log, no answer to others, no audit log and not in the database's own file."""

import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text

from app.access.entry import COOKIE
from dashcam.access import users
from dashcam.access.passwords import hashed
from dashcam.access.roles import Role
from dashcam.database import writing
from tests.app.access.conftest import Home, cookie_of
from tests.app.conftest import TOKEN

PASSWORD, WRONG, NEXT = "Tr0ub4dor-and-3", "wr0ng-Guess-77", "n3xt-P4ssword-88"


def test_no_secret_is_in_a_log_an_answer_or_the_database(
    home: Home, engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # of this test's own client, not the server's
    with writing(engine) as session:
        users.add(session, "ana", hashed(PASSWORD), Role.ADMIN, datetime.now(UTC))
    site = home.program(TOKEN)
    browser = home.browser()
    assert browser.post("/log-in", data={"name": "ana", "password": PASSWORD}).status_code == 303
    browser.post("/log-in", data={"name": "ana", "password": WRONG})
    browser.post("/log-in", data={"name": WRONG, "password": WRONG})
    browser.post("/log-in", data={"name": "ana", "password": WRONG * 100})
    given = home.program("none").post("/auth/token", json={"user": "ana", "password": PASSWORD}).json()["access_token"]
    made = site.post("/tokens", json={"name": "grafana", "role": "member"}).json()["token"]
    device = home.device()
    code = site.post("/devices/invitations", json={}).json()["code"]
    joined = home.program("none").post("/join", json={"code": code, "hostname": "gpu-pc", "device_type": "rtx_4090"})
    assert joined.status_code == 201, joined.text
    secrets = [PASSWORD, WRONG, NEXT, TOKEN, given, made, device, code, joined.json()["token"], cookie_of(browser)]

    # whatever can be done with them, done wrongly too
    for secret in (given, made, device, joined.json()["token"]):
        one = home.program(secret)
        for path in ("/plates", "/tasks", "/nothing", f"/videos/{'0' * 16}"):
            one.get(path)
    site.post("/users", json={"name": "ben", "password": NEXT, "role": "owner"})
    site.post("/users", json={"name": "ben", "password": NEXT, "role": "viewer"})
    site.patch("/users/ben", json={"password": NEXT[::-1]})
    site.patch("/users/nobody", json={"password": NEXT})
    home.program("none").post("/join", json={"code": code, "hostname": "again", "device_type": "rtx_4090"})
    for secret in secrets:
        browser.get("/plates", params={"token": secret}, headers={"Cookie": f"{COOKIE}={secret}x"})
        browser.get("/plates", params={"q": "B577", "token": secret})
        home.browser().get("/videos", params={"token": secret}, headers={"Authorization": f"Bearer {secret}x"})

    logged = "\n".join(f"{record.name} {record.getMessage()} {record.exc_text or ''}" for record in caplog.records)
    said = site.get("/audit", params={"limit": 1000}).text + site.get("/users").text + site.get("/tokens").text
    said += site.get("/metrics").text + site.get("/devices").text
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("dashcam.db*")) or rows_of_all(home.here.engine)
    for secret in secrets:
        assert secret not in logged, secret
        assert secret not in said, secret
        assert secret.encode() not in kept, secret
    assert "logged in" in said and b"grafana" in kept, "there was something to look through"


def rows_of_all(engine: Engine) -> bytes:
    """Of a database that is no file of ours."""
    with engine.connect() as connection:
        tables = inspect(engine).get_table_names()
        return repr([connection.execute(text(f'SELECT * FROM "{one}"')).all() for one in tables]).encode()
