"""``dashcam join`` and ``leave`` against a real main server: from a code to a device with a token of its own."""

import json
import socket
import stat
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import Engine
from typer.testing import CliRunner

from app import api, system
from app.access.guard import stand_before
from app.access.limits import Limits
from dashcam import config
from dashcam.access.invitations import invite
from dashcam.cli import app
from dashcam.config import Site
from dashcam.database import writing
from dashcam.site import machine
from dashcam.site.answer import for_devices
from dashcam.storage.roots import Stores

TOKEN = "the site's own token"


@pytest.fixture
def server(engine: Engine, tmp_path: Path) -> Iterator[str]:
    """The address of a main server whose stores are two folders."""
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    for store in ("nas", "shed"):
        (tmp_path / store).mkdir()
    site = Site.model_validate(
        {
            "storage_paths": {
                "indoor_nas": {"base": str(tmp_path / "nas"), "marker": ".dashcam-store"},
                "shed_nas": {"archive_base": str(tmp_path / "shed")},
            },
            "server": {"url": url, "host": "0.0.0.0", "database_url": "postgresql://dashcam:secret@db/dashcam"},
            "dispatch": {"batch_minutes": 30},
            "devices": {"other": {"device_type": "rtx_4090"}},
        }
    )
    system.start(system.System(engine, site, Stores({}), TOKEN))
    web = FastAPI()
    web.include_router(api.router)
    stand_before(web)
    running = uvicorn.Server(uvicorn.Config(web, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not running.started:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    yield url
    running.should_exit = True
    thread.join(60)


def code(hostname: str | None = None, device_type: str | None = None, now: datetime | None = None) -> str:
    with writing(system.current().engine) as session:
        return invite(session, now or datetime.now(UTC), hostname, device_type).text


def join(etc: Path, url: str, *arguments: str) -> tuple[int, str]:
    user = ("--user", "root") if machine.is_root() else ()
    places = ("--state", str(etc.parent / "var"), "--no-services")
    done = CliRunner().invoke(app, ["join", url, *places, *user, *arguments])
    return done.exit_code, " ".join(done.output.split())


def status_of(url: str, path: str, token: str) -> int:
    return httpx.get(f"{url}/api/v1{path}", headers={"Authorization": f"Bearer {token}"}).status_code


def test_a_device_joins_with_an_address_and_a_code_and_knows_everything(etc: Path, server: str) -> None:
    (etc.parent / "nas/.dashcam-store").touch()
    status, said = join(etc, server, "--code", code(), "--type", "jetson_coral")
    assert status == 0, said
    assert f"there store indoor_nas: {etc.parent / 'nas'}" in said and "shed_nas" not in said
    site, device = config.load_site(etc), config.load_device(etc)
    assert (device.hostname, device.device_type, device.pool) == ("jetson-1", "jetson_coral", "jetson")
    assert device.scratch == etc.parent / "var/scratch/dashcam-scratch"
    assert site.dispatch.batch_minutes == 30 and site.server.prefect_url == f"{server}/prefect/api"
    assert site.devices == {} and "secret" not in (etc / "config.json").read_text()
    for secret in ("token", "prefect-login"):
        assert stat.S_IMODE((etc / secret).stat().st_mode) == 0o600
    token = config.token(etc) or ""
    assert config.prefect_login(etc) == f"jetson-1:{token}" and token != TOKEN
    assert status_of(server, "/tasks/pending?device_type=jetson_coral", token) == 200
    assert status_of(server, "/tasks/pending?device_type=rtx_4090", token) == 403


def test_joining_again_without_a_code_brings_the_settings_up_to_date(etc: Path, server: str) -> None:
    assert join(etc, server, "--code", code(device_type="jetson_coral"))[0] == 0
    token, here = config.token(etc), system.current()
    here.site = here.site.model_copy(update={"dispatch": here.site.dispatch.model_copy(update={"batch_minutes": 12})})
    device = etc / "devices/jetson-1.json"
    device.write_text(json.dumps(json.loads(device.read_text()) | {"threads": 3}))
    status, said = join(etc, server)
    assert status == 0, said
    assert config.load_site(etc).dispatch.batch_minutes == 12 and config.token(etc) == token
    assert config.load_device(etc).threads == 3, "what an owner has written stays"


def test_a_device_does_the_work_of_a_class_that_the_site_does_not_have(etc: Path, server: str) -> None:
    here = system.current()
    here.site = here.site.model_copy(update={"covered_by": {"jetson": "gpu", "nas": "gpu"}})
    status, said = join(etc, server, "--code", code(device_type="rtx_4090"))
    assert status == 0 and "note it works for jetson and nas too" in said, said
    assert f"there store shed_nas: {etc.parent / 'shed'}" in said, "the archive's store is needed now"
    assert config.load_site(etc).pools_of("rtx_4090") == ["gpu", "jetson", "nas"]
    token = config.token(etc) or ""
    for pool, status in (("gpu", 200), ("jetson", 200), ("nas", 200), ("server", 403)):
        assert status_of(server, f"/tasks/pending?device_type={pool}", token) == status, pool

    here.site = here.site.model_copy(update={"covered_by": {}})
    assert join(etc, server)[0] == 0
    assert config.load_site(etc).pools_of("rtx_4090") == ["gpu"]
    assert status_of(server, "/tasks/pending?device_type=jetson", token) == 403, "it may no more than it has to"


def test_a_store_that_lies_elsewhere_here_is_looked_for_there(etc: Path, server: str) -> None:
    elsewhere = etc.parent / "mnt"
    elsewhere.mkdir()
    status, said = join(etc, server, "--code", code(device_type="rtx_4090"), "--store", f"indoor_nas={elsewhere}")
    assert status == 0 and f"waits Store indoor_nas is not there: {elsewhere} has no .dashcam-store" in said, said
    assert config.load_device(etc).stores == {"indoor_nas": str(elsewhere)}


@pytest.mark.parametrize(
    ("invitation", "arguments", "sentence"),
    [
        (
            {"hostname": "jetson-2"},
            ["--type", "rtx_4090"],
            "This code is for jetson-2, and this device is called jetson-1",
        ),
        ({"device_type": "rtx_4090"}, ["--type", "shed_nas"], "This code is for a device of the type rtx_4090"),
        ({}, [], "Nothing of this machine says of what type it is: add --type, one of main_server, jetson_coral, "),
        ({"now": datetime(2020, 1, 1, tzinfo=UTC)}, ["--type", "rtx_4090"], "This code lets nobody join"),
    ],
)
def test_a_code_that_is_not_for_this_device_changes_nothing(
    etc: Path,
    server: str,
    invitation: dict[str, str],
    arguments: list[str],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "evident_type", lambda: None)
    status, said = join(etc, server, "--code", code(**invitation), *arguments)  # type: ignore[arg-type]
    assert status == 1 and sentence in said, said
    assert not etc.exists()


def test_a_code_is_good_once_and_a_refused_one_stays_good(etc: Path, server: str) -> None:
    letters = code(device_type="rtx_4090")
    assert join(etc, server, "--code", letters, "--type", "shed_nas")[0] == 1
    assert join(etc, server, "--code", letters)[0] == 0
    status, said = join(etc, server, "--code", letters)
    assert status == 1 and "This code lets nobody join" in said


def test_whoever_tries_codes_is_made_to_wait(server: str) -> None:
    system.current().access.limits = Limits()
    asked = {"code": "AAAA-AAAA", "hostname": "jetson-1"}
    statuses = [httpx.post(f"{server}/api/v1/join", json=asked).status_code for _ in range(7)]
    assert statuses == [403] * 5 + [429] * 2


def test_a_dry_run_uses_no_code_and_writes_nothing(etc: Path, server: str) -> None:
    letters = code(device_type="rtx_4090")
    status, said = join(etc, server, "--code", letters, "--dry-run")
    assert status == 0 and "would join" in said and not etc.exists()
    assert join(etc, server, "--code", letters)[0] == 0


def test_a_revoked_device_gets_nothing_more_and_may_join_again(etc: Path, server: str) -> None:
    join(etc, server, "--code", code(device_type="rtx_4090"))
    first = config.token(etc) or ""
    done = httpx.delete(f"{server}/api/v1/devices/jetson-1/token", headers={"Authorization": f"Bearer {TOKEN}"})
    assert done.json() == {"tokens": 1}
    assert status_of(server, "/site", first) == 401
    status, said = join(etc, server)
    assert status == 1 and "has been revoked" in said
    assert join(etc, server, "--code", code(device_type="rtx_4090"))[0] == 0
    assert status_of(server, "/site", config.token(etc) or "") == 200 and status_of(server, "/site", first) == 401


def test_a_device_takes_back_its_own_token_and_no_others(etc: Path, server: str) -> None:
    join(etc, server, "--code", code(device_type="rtx_4090"))
    token = config.token(etc) or ""
    mine = {"Authorization": f"Bearer {token}"}
    assert httpx.delete(f"{server}/api/v1/devices/jetson-2/token", headers=mine).status_code == 403
    assert httpx.post(f"{server}/api/v1/devices/invitations", json={}, headers=mine).status_code == 403
    done = CliRunner().invoke(app, ["leave"])
    assert done.exit_code == 0, done.output
    assert not (etc / "token").exists() and not (etc / "prefect-login").exists() and (etc / "config.json").exists()
    assert status_of(server, "/site", token) == 401
    again = CliRunner().invoke(app, ["leave"])
    assert again.exit_code == 1 and "has not joined, or has left" in " ".join(again.output.split())


def test_a_clock_that_is_off_is_said_before_the_code_is_used(
    etc: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dashcam.site import join as joining

    letters, real = code(device_type="rtx_4090"), time.time
    monkeypatch.setattr(joining.time, "time", lambda: real() + 300)
    status, said = join(etc, server, "--code", letters)
    assert status == 1 and "s ahead of the main server's: set it first" in said, said
    monkeypatch.undo()


def test_where_no_main_server_answers_it_is_one_sentence(etc: Path) -> None:
    status, said = join(etc, "http://127.0.0.1:9", "--code", "AAAA-AAAA")
    assert status == 1 and "No main server answers at http://127.0.0.1:9" in said


def test_the_answer_holds_nothing_of_the_main_servers_alone() -> None:
    site = Site.model_validate(
        {
            "server": {"url": "http://main:8000", "database_url": "postgresql://a:b@c/d", "host": "0.0.0.0"},
            "devices": {"gpu": {}},
            "backup": {"keep": 3},
            "notify": {"urls": ["mailto://me:secret@mail.lan"]},
        }
    )
    said = for_devices(site)
    assert said == {"server": {"url": "http://main:8000", "prefect_url": "http://main:8000/prefect/api"}}
    assert Site.model_validate(said)
