"""Prefect's API for devices: a real Prefect behind the door, real clients before it."""

import asyncio
import base64
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.events.clients import get_events_subscriber
from prefect.exceptions import ObjectAlreadyExists, PrefectHTTPStatusError
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from prefect.states import Pending
from sqlalchemy import Engine
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from app import api, prefect_door, system
from app.access.guard import stand_before
from dashcam.access import tokens
from dashcam.config import Site
from dashcam.database import writing
from dashcam.storage.roots import Stores

NOBODYS = UUID(int=7)


@pytest.fixture
def door(engine: Engine, prefect_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Its address; behind it the Prefect of the session."""
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "dashcam:behind")
    prefect_door.prefect.cache_clear()
    site = Site.model_validate({"server": {"prefect_url": prefect_url}})
    system.start(system.System(engine, site, Stores({}), "the site's own token"))
    web = FastAPI()
    web.include_router(api.router)
    web.include_router(prefect_door.router)
    stand_before(web)
    listening = socket.create_server(("127.0.0.1", 0))
    running = uvicorn.Server(uvicorn.Config(web, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not running.started:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/prefect/api"
    running.should_exit = True
    thread.join(60)
    prefect_door.prefect.cache_clear()


def token() -> str:
    with writing(system.current().engine) as session:
        secret, _ = tokens.for_device(session, "gpu-1", "rtx_4090", ["HEAVY_PROCESS_VIDEO"], [], datetime.now(UTC))
    return secret


def login(secret: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'gpu-1:{secret}'.encode()).decode()}"}


def runs_of(prefect_url: str, pools: Sequence[str]) -> dict[str, UUID]:
    """A scheduled run in each of these pools."""
    runs = {}
    with temporary_settings({PREFECT_API_URL: prefect_url}), get_client(sync_client=True) as ours:
        for pool in pools:
            with contextlib.suppress(ObjectAlreadyExists):
                ours.create_work_pool(WorkPoolCreate(name=pool, type="process"))
            flow_id = ours.create_flow_from_name("nothing")
            deployment = ours.create_deployment(
                flow_id, f"door-{pool}", work_pool_name=pool, enforce_parameter_schema=False
            )
            runs[pool] = ours.create_flow_run_from_deployment(deployment).id
    return runs


def test_a_device_does_a_workers_part_and_no_more(door: str, prefect_url: str) -> None:
    runs = runs_of(prefect_url, ["gpu", "nas"])
    mine = {PREFECT_API_URL: door, PREFECT_API_AUTH_STRING: f"gpu-1:{token()}"}
    with temporary_settings(mine), get_client(sync_client=True) as client:
        assert client.read_work_pool("gpu").name == "gpu"
        assert client.read_flow_runs() is not None
        client.set_flow_run_state(runs["gpu"], Pending())
        with pytest.raises(PrefectHTTPStatusError, match="403"):
            client.create_flow_from_name("anything")
        with pytest.raises(PrefectHTTPStatusError, match="403"):
            client.delete_work_pool("gpu")


def test_a_device_has_no_part_in_another_pool(door: str, prefect_url: str) -> None:
    """Else a graphics card could take the archive's work, or end it."""
    runs = runs_of(prefect_url, ["gpu", "nas"])
    with httpx.Client(base_url=f"{door}/", headers=login(token())) as http:
        for method, path in (
            ("GET", "work_pools/nas"),
            ("POST", "work_pools/nas/get_scheduled_flow_runs"),
            ("POST", "work_pools/nas/workers/heartbeat"),
            ("POST", "work_pools/nas/queues/filter"),
            ("POST", f"flow_runs/{runs['nas']}/set_state"),
            ("PATCH", f"flow_runs/{runs['nas']}"),
            ("PATCH", f"flow_runs/{uuid4()}"),
        ):
            assert http.request(method, path, json={}).status_code == 403, path
        assert http.post("work_pools/gpu/get_scheduled_flow_runs", json={}).status_code == 200
        assert http.post("work_pools/filter", json={}).status_code == 200


def test_prefects_own_clients_hear_events_through_the_door(door: str) -> None:
    """They send who they are in their first message, not in a header."""
    mine = {PREFECT_API_URL: door, PREFECT_API_AUTH_STRING: f"gpu-1:{token()}"}

    async def hear() -> None:
        async with get_events_subscriber(reconnection_attempts=0):
            pass

    with temporary_settings(mine):
        asyncio.run(hear())
    wrong = {PREFECT_API_URL: door, PREFECT_API_AUTH_STRING: "gpu-1:dcd_wrong"}
    with temporary_settings(wrong), pytest.raises(Exception, match="Unable to authenticate"):
        asyncio.run(hear())


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/deployments/"),
        ("PATCH", f"/deployments/{NOBODYS}"),
        ("POST", f"/deployments/{NOBODYS}/create_flow_run"),
        ("POST", "/flow_runs/"),
        ("POST", "/automations/"),
        ("POST", "/block_documents/"),
        ("PATCH", f"/block_documents/{NOBODYS}"),
        ("PATCH", "/work_pools/gpu"),
        ("DELETE", f"/flow_runs/{NOBODYS}"),
        ("POST", "/admin/database/clear"),
        ("GET", "/../../docs"),
        ("POST", "/flow_runs/../deployments/"),
        ("POST", "/logs/filter/../../deployments/"),
    ],
)
def test_what_makes_or_starts_or_removes_is_the_main_servers(door: str, method: str, path: str) -> None:
    with httpx.Client(headers=login(token())) as http:
        url = httpx.URL(door).copy_with(raw_path=f"/prefect/api{path}".encode())
        assert http.request(method, url, json={}).status_code in (401, 403, 404), path


def test_without_a_devices_token_nothing_is_answered(door: str) -> None:
    secret = token()
    assert httpx.get(f"{door}/health", headers=login(secret)).status_code == 200
    for headers in ({}, login("dcd_wrong"), login("the site's own token"), login(""), {"Authorization": "Basic ???"}):
        assert httpx.get(f"{door}/health", headers=headers).status_code == 401, headers
    with writing(system.current().engine) as session:
        tokens.revoke_device(session, "gpu-1", datetime.now(UTC))
    system.current().access.forget()
    assert httpx.get(f"{door}/health", headers=login(secret)).status_code == 401


def test_an_open_websocket_ends_when_its_device_is_revoked(door: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefect_door, "LOOK_S", 0.05)
    secret = token()

    async def hear() -> None:
        url = door.replace("http", "ws", 1) + "/events/out"
        async with connect(url, subprotocols=["prefect"], additional_headers=login(secret)) as there:  # type: ignore[list-item]
            await there.send(json.dumps({"type": "auth", "token": f"gpu-1:{secret}"}))
            assert json.loads(await asyncio.wait_for(there.recv(), 60))["type"] == "auth_success"

            def revoke() -> None:
                with writing(system.current().engine) as session:
                    tokens.revoke_device(session, "gpu-1", datetime.now(UTC))
                system.current().access.forget()

            await asyncio.to_thread(revoke)
            await asyncio.wait_for(there.wait_closed(), 60)
        with pytest.raises(WebSocketException):
            await connect(url, subprotocols=["prefect"], additional_headers=login(secret))  # type: ignore[list-item]

    asyncio.run(hear())


def test_the_sites_password_goes_into_the_first_message_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "dashcam:behind")
    said = prefect_door.with_password(json.dumps({"type": "auth", "token": "gpu-1:mine"}))
    assert json.loads(said) == {"type": "auth", "token": "dashcam:behind"}
    other = json.dumps({"type": "filter", "filter": {"any": "auth"}})
    assert prefect_door.with_password(other) == other
