"""Tokens: of devices, each with its own tasks, name and stores; of programs; and those that end."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from app.access.entry import Access
from dashcam.access import tokens, users
from dashcam.access.roles import Role
from dashcam.config import Site
from dashcam.database import reading, writing
from dashcam.tasks.model import TaskType
from tests.app.access.conftest import PASSWORD, Home
from tests.app.conftest import TOKEN
from tests.tasks.test_table import publish

MINE, OTHERS = TaskType.PREPROCESS_VIDEO, TaskType.HEAVY_PROCESS_VIDEO


def test_a_device_does_its_own_tasks_and_nobody_elses(home: Home) -> None:
    mine, others = publish(home.here.engine, MINE, "a"), publish(home.here.engine, OTHERS, "b")
    jetson = home.program(home.device())
    assert jetson.get(f"/tasks/{mine}").status_code == 200
    for method, path, body in (
        ("GET", "", None),
        ("POST", "/failed", {"error": "x"}),
        ("POST", "/progress", {"fraction": 0.5}),
        ("POST", "/complete", {"outcome": "done"}),
    ):
        refused = jetson.request(method, f"/tasks/{others}{path}", json=body)
        assert refused.status_code == 403, path
        assert refused.json()["detail"] == "The token of jetson-1 is for PREPROCESS_VIDEO, not for HEAVY_PROCESS_VIDEO."
    assert jetson.post(f"/tasks/{mine}/failed", json={"error": "x"}).json() == {"changed": True}
    assert jetson.post(f"/tasks/{mine}/progress", json={"fraction": 0.5}).status_code == 200
    assert jetson.get("/tasks/77").status_code == 404
    assert jetson.get(f"/tasks/{mine}", headers={"X-Dashcam-Begins": "another"}).status_code == 200
    assert home.here.progress.snapshot()[mine].device == "jetson-1", "whatever it says, the token is jetson-1's"


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"device_type": "jetson_coral"}, 200),
        ({"device_type": "jetson"}, 200),
        ({"device_type": "rtx_4090"}, 403),
        ({"device_type": "gpu"}, 403),
        ({"device_type": ""}, 403),
        ({}, 403),
    ],
)
def test_a_device_sees_its_own_pools_tasks_only(home: Home, params: dict[str, str], status: int) -> None:
    jetson = home.program(home.device())
    assert jetson.get("/tasks/pending", params=params).status_code == status
    assert jetson.get("/tasks", params=params).status_code == status
    assert jetson.get("/tasks", params={"type": "HEAVY_PROCESS_VIDEO"}).status_code == 403
    assert jetson.get("/tasks", params={"type": "PREPROCESS_VIDEO"}).status_code == 200


def test_a_device_speaks_for_itself_alone(home: Home) -> None:
    jetson = home.program(home.device())
    beat = {"hostname": "jetson-1", "device_type": "jetson_coral"}
    assert jetson.post("/devices/heartbeat", json=beat).status_code == 200
    assert jetson.get("/devices/jetson-1/pause").status_code == 200
    for hostname in ("gpu-pc", "jetson-2"):
        refused = jetson.post("/devices/heartbeat", json=beat | {"hostname": hostname})
        assert refused.status_code == 403 and "does not speak for" in refused.json()["detail"]
        assert jetson.get(f"/devices/{hostname}/pause").status_code == 403


def test_a_device_hands_in_what_lies_on_its_own_stores(home: Home) -> None:
    (home.here.stores.root("indoor_nas") / "raw").mkdir()
    nas = home.program(home.device("nas-1", "indoor_nas"))
    assert nas.post("/scan", json={"store": "indoor_nas", "files": []}).status_code == 200
    for path, body in (
        ("/scan", {"store": "shed_nas", "files": []}),
        ("/ingest", {"files": [{"device": "shed_nas", "path": "a.mp4", "type": "video"}]}),
        ("/ingest", {"files": [{"device": "local", "path": "etc/passwd", "type": "video"}]}),
    ):
        refused = nas.post(path, json=body)
        assert refused.status_code == 403 and "is for indoor_nas, not for the store" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/plates"), ("GET", "/search"), ("GET", "/videos"), ("GET", "/export/sightings.csv"), ("GET", "/users"),
        ("POST", "/users"), ("GET", "/tokens"), ("DELETE", "/tokens/1"), ("POST", "/tasks"), ("GET", "/devices"),
        ("PUT", "/devices/jetson-1/pause"), ("POST", "/retention/plans/1/begin"), ("POST", "/backup"),
        ("GET", "/audit"), ("POST", "/tasks/pending"), ("GET", "/tasks/changes"), ("GET", "/nothing"),
    ],
)  # fmt: skip
def test_all_else_is_not_a_devices(home: Home, method: str, path: str) -> None:
    refused = home.program(home.device()).request(method, path)
    assert refused.status_code == 403 and "jetson-1" in refused.json()["detail"]


def test_nor_are_pages_and_files(home: Home) -> None:
    jetson = home.browser()
    jetson.headers["Authorization"] = f"Bearer {home.device()}"
    for path in ("/", "/plates/B577PRO", "/media/0000000000000000/video_lowres.mp4", "/export/sightings.csv", "/docs"):
        assert jetson.get(path).status_code == 403, path


def test_housekeeping_is_the_main_servers(home: Home) -> None:
    server = home.program(home.device("main", "main_server"))
    assert server.get("/backup").status_code == 200
    assert server.get("/archives/unchecked").status_code == 200
    assert home.program(home.device("nas-1", "shed_nas")).get("/backup").status_code == 403


def test_a_revoked_token_does_nothing_more_from_the_next_call_on(home: Home) -> None:
    admin, jetson = home.program(TOKEN), home.program(home.device())
    assert jetson.get("/devices/jetson-1/pause").status_code == 200
    (known,) = admin.get("/tokens").json()
    assert known["hostname"] == "jetson-1" and known["last_used"] is not None and "secret" not in str(known)
    assert admin.delete(f"/tokens/{known['token_id']}").json()["revoked_at"] is not None
    refused = jetson.get("/devices/jetson-1/pause")
    assert refused.status_code == 401 and "jetson-1 has been revoked" in refused.json()["detail"]
    assert admin.delete("/tokens/999").status_code == 404


def test_an_expired_token_says_so(home: Home) -> None:
    ended = datetime.now(UTC) - timedelta(seconds=1)
    refused = home.program(home.device(expires_at=ended)).get("/devices/jetson-1/pause")
    assert refused.status_code == 401 and "ended on" in refused.json()["detail"]


def test_the_sites_own_token_may_all(home: Home) -> None:
    site = home.program(TOKEN)
    for path in ("/users", "/tokens", "/audit", "/plates", "/tasks/pending", "/videos", "/backup"):
        assert site.get(path).status_code == 200, path


def test_a_program_has_the_rights_of_its_token(home: Home) -> None:
    admin = home.program(TOKEN)
    made = admin.post("/tokens", json={"name": "grafana", "role": "viewer", "days": 30}).json()
    program = home.program(made["token"])
    assert program.get("/videos").status_code == 200 and program.get("/plates").status_code == 403
    assert made["token"] not in admin.get("/tokens").text
    for wrong in ({"name": ""}, {"name": "<b>"}, {"name": "x", "role": "owner"}, {"name": "x", "days": 0}):
        assert admin.post("/tokens", json=wrong).status_code == 422


def ask(home: Home, **form: Any) -> Any:
    return home.program("none").post("/auth/token", json={"user": "ben", "password": PASSWORD} | form)


def test_a_person_gets_a_token_that_carries_their_role_and_ends(home: Home) -> None:
    home.add("ben", Role.MEMBER)
    given = ask(home).json()
    assert given["role"] == "member" and given["token_type"] == "bearer"
    claims = jwt.decode(given["access_token"], options={"verify_signature": False})
    assert claims["role"] == "member" and claims["exp"] - claims["iat"] == pytest.approx(12 * 3600, abs=2)
    program = home.program(given["access_token"])
    assert program.get("/plates").status_code == 200 and program.get("/users").status_code == 403
    assert ask(home, password="wrong password").status_code == 401 and ask(home, user="nobody").status_code == 401


def test_it_is_checked_that_the_person_is_there_still(home: Home) -> None:
    home.add("ana", Role.ADMIN)
    ben, cid = home.add("ben", Role.MEMBER), home.add("cid", Role.ADMIN)
    now = datetime.now(UTC) + timedelta(minutes=1)  # after each token below, however slow the machine
    access = home.here.access
    for change in (
        lambda session: users.set_disabled(session, ben, True, now),
        lambda session: users.set_password(session, ben, "another", now),
        lambda session: users.end_sessions(session, users.get(session, ben), now),
        lambda session: users.remove(session, ben),
    ):
        access.limits.forgive("ben", "192.0.2.8")
        with writing(home.here.engine) as session:
            account = users.get(session, ben)
            account.disabled, account.valid_from = False, datetime.now(UTC) - timedelta(days=1)
            token, _ = access.signed(account, datetime.now(UTC))
        access.forget()
        assert home.program(token).get("/plates").status_code == 200
        access.change(change)
        refused = home.program(token).get("/plates")
        assert refused.status_code == 401 and "lets nobody in any more" in refused.json()["detail"]
    with reading(home.here.engine) as session:
        token, _ = access.signed(users.get(session, cid), datetime.now(UTC))
    access.change(lambda session: users.set_role(session, cid, Role.VIEWER))
    assert home.program(token).get("/plates").status_code == 403, (
        "the role of now counts, not the one it was given with"
    )


def test_a_token_of_somebodys_own_making_is_none(home: Home) -> None:
    ben = home.add("ben", Role.MEMBER)
    now = datetime.now(UTC)
    right = {"sub": str(ben), "iat": now.timestamp(), "exp": now + timedelta(hours=1)}
    key = home.here.access._signing_key
    other = Access(home.here.engine, Site(), "another token")._signing_key
    bad = [
        jwt.encode(right, other, algorithm="HS256"),
        jwt.encode(right, "", algorithm="none"),
        jwt.encode({key: value for key, value in right.items() if key != "exp"}, key, algorithm="HS256"),
        jwt.encode({key: value for key, value in right.items() if key != "iat"}, key, algorithm="HS256"),
        jwt.encode(right | {"sub": "ben"}, key, algorithm="HS256"),
        "a.b.c",
        "..",
    ]
    for token in bad:
        assert home.program(token).get("/plates").status_code == 401, token
    ended = jwt.encode(right | {"exp": now - timedelta(seconds=1)}, key, algorithm="HS256")
    assert "has ended" in home.program(ended).get("/plates").json()["detail"]
    assert home.program(jwt.encode(right, key, algorithm="HS256")).get("/plates").status_code == 200


def test_a_token_in_the_address_or_in_a_cookie_is_none(home: Home) -> None:
    browser = home.browser()
    assert browser.get(f"/api/v1/plates?token={TOKEN}").status_code == 401
    assert browser.get("/api/v1/plates", headers={"Cookie": f"dashcam_session={TOKEN}"}).status_code == 401
    home.add("ana", Role.ADMIN)
    assert home.logged_in("ana").get("/api/v1/plates").status_code == 401, "the API takes no cookie"


def test_guessing_passwords_for_a_token_is_held_up_like_at_the_log_in(home: Home) -> None:
    home.add("ben", Role.MEMBER)
    assert [ask(home, password="x" * 300).status_code for _ in range(6)] == [401] * 5 + [429]
    assert home.browser(address="192.0.2.8").post("/log-in", data={"name": "ben", "password": "x"}).status_code == 429


def test_the_kinds_of_token_can_be_told_apart(home: Home) -> None:
    assert home.device().startswith(tokens.PREFIX["device"])
