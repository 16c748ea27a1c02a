"""Prefect's API for devices, at ``/prefect/api``: each comes with its own token, and may do what a worker does.

Prefect itself listens on the main server alone and has one password for all. Who has that may make deployments and
start runs anywhere; a device that was revoked would still have it. So no device gets it: what it asks is passed on here
while its token lets it in, and what makes, changes or starts anything of Prefect's is not.
"""

import asyncio
import base64
import binascii
import contextlib
import json
import logging
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import lru_cache

import httpx
from fastapi import APIRouter, HTTPException, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from starlette.requests import HTTPConnection
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from app import system
from app.access.callers import Caller
from dashcam import config
from dashcam.access.tokens import Refused
from dashcam.site.answer import DOOR

router = APIRouter(prefix=DOOR, include_in_schema=False)
log = logging.getLogger("dashcam")
ID = r"[0-9a-f-]{36}"
NAME = r"[\w .%-]+"
WORKERS = [
    ("GET", r"health|ready|version|admin/version|admin/storage|csrf-token"),
    ("GET", rf"work_pools/{NAME}"),
    (
        "GET|POST",
        rf"work_pools/{NAME}/(workers/heartbeat|workers/filter|get_scheduled_flow_runs|queues/{NAME}|queues/filter)",
    ),
    ("GET", rf"(flow_runs|deployments|flows|task_runs|work_queues|block_documents)/{ID}"),
    ("GET", rf"(deployments|flows)/name/{NAME}(/{NAME})?"),
    ("POST", r"(flow_runs|task_runs|deployments|flows|logs|artifacts|work_queues|work_pools)/filter"),
    ("POST", r"(flow_runs|task_runs)/(count|history)"),
    ("POST", rf"(flow_runs|task_runs)/{ID}/set_state"),
    ("PATCH", rf"flow_runs/{ID}(/labels)?|artifacts/{ID}"),
    ("GET|POST", r"flow_run_states/?|task_run_states/?"),
    ("POST", r"logs/?|artifacts/?|task_runs/?|events/?|events/filter"),
    ("GET", rf"block_types/slug/{NAME}(/block_documents(/name/{NAME})?)?"),
    ("POST", r"(block_types|block_documents|block_schemas)/filter"),
    ("POST", r"v2/concurrency_limits/(increment|increment-with-lease|decrement|decrement-with-lease|leases/renew/.*)"),
]
"""What workers and runs ask. Nothing of it makes a deployment, a run, a block or an automation, or removes anything."""
ALLOWED = [(methods.split("|"), re.compile(path)) for methods, path in WORKERS]
POOL = re.compile(r"work_pools/(?!filter$)([^/]+)")
RUN = re.compile(rf"flow_runs/({ID})")
SOCKETS = re.compile(r"events/(in|out)|logs/out")
SAYS_WHO_S = 10.0
LOOK_S = 15.0
"""So often it is looked whether the device of an open websocket is still let in."""
PASSED = {"content-type", "accept", "accept-encoding", "content-encoding", "user-agent"}


def is_allowed(method: str, path: str) -> bool:
    return any(method in methods and pattern.fullmatch(path) for methods, pattern in ALLOWED)


async def is_its_own(device: Caller, method: str, path: str) -> bool:
    """Whether the pool in the path, or that of the run which is to be changed, is one whose tasks are the device's."""
    pools = device.scope.pools if device.scope is not None else frozenset()
    if match := POOL.match(path):
        return match[1] in pools
    if method != "GET" and (match := RUN.match(path)):
        return await pool_of_run(match[1]) in pools
    return True


async def pool_of_run(run_id: str) -> str | None:
    """None for a run of no pool, or one that is gone: no device changes it."""
    try:
        answer = await prefect().get(f"flow_runs/{run_id}")
    except httpx.HTTPError as error:
        raise HTTPException(503, silent(error)) from None
    pool: str | None = answer.json()["work_pool_name"] if answer.is_success else None
    return pool


def silent(error: httpx.HTTPError) -> str:
    return f"Prefect does not answer ({error}): try again in a few seconds."


@lru_cache(maxsize=1)
def prefect() -> httpx.AsyncClient:
    """Logged in with the site's own password; kept, as each new one costs."""
    url = f"{system.current().site.server.prefect_url}/"
    return httpx.AsyncClient(base_url=url, headers=logged_in(), timeout=60, verify=config.certificates(url))


def logged_in() -> dict[str, str]:
    login = config.prefect_login() or ""
    return {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"} if login else {}


def secret_of(connection: HTTPConnection) -> str:
    """The password of ``Basic``; empty where there is none."""
    scheme, _, proof = connection.headers.get("authorization", "").partition(" ")
    try:
        return base64.b64decode(proof, validate=True).decode().partition(":")[2] if scheme.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        return ""


async def device_with(secret: str) -> Caller | None:
    """Whose token that is; None where it is none that lets a device in."""
    access, header = system.current().access, f"Bearer {secret}"
    try:
        caller = access.at_once(header) or await asyncio.to_thread(access.by_header, header, datetime.now(UTC))
    except Refused:
        return None
    return caller if caller is not None and caller.scope is not None else None


@router.api_route("/{path:path}", methods=["GET", "POST", "PATCH", "PUT", "DELETE"])
async def pass_on(path: str, request: Request) -> StreamingResponse:
    device = await device_with(secret_of(request))
    if device is None:
        raise HTTPException(401, "Prefect's API is for devices that have joined, each with its own token.")
    if not is_allowed(request.method, path) or not await is_its_own(device, request.method, path):
        log.warning("%s may not ask Prefect to %s %s", device.who, request.method, path)
        raise HTTPException(403, f"A device does not {request.method} {path} of Prefect: that is the main server's.")
    headers = {name: value for name, value in request.headers.items() if name in PASSED or name.startswith("x-prefect")}
    query = httpx.QueryParams(request.url.query)
    asked = prefect().build_request(request.method, path, params=query, headers=headers, content=request.stream())
    if request.method == "GET":
        asked = prefect().build_request("GET", path, params=query, headers=headers)
    try:
        answer = await prefect().send(asked, stream=True)
    except httpx.HTTPError as error:
        raise HTTPException(503, silent(error)) from None

    async def body() -> AsyncIterator[bytes]:
        try:
            async for piece in answer.aiter_raw():
                yield piece
        finally:
            await answer.aclose()

    kept = {name: value for name, value in answer.headers.items() if name in PASSED or name == "retry-after"}
    return StreamingResponse(body(), answer.status_code, headers=kept)


@router.websocket("/{path:path}")
async def pass_socket_on(path: str, websocket: WebSocket) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        if SOCKETS.fullmatch(path):
            await both_ways(path, websocket)
        await websocket.close(1008)


async def both_ways(path: str, websocket: WebSocket) -> None:
    """Until one of the two ends it, or the device is let in no more. Nothing of it reaches Prefect before the token was
    seen: in the header, or as Prefect's clients that listen send it, in the first message."""
    protocol = Subprotocol("prefect") if "prefect" in (websocket.scope.get("subprotocols") or []) else None
    secret, first = secret_of(websocket), ""
    if "authorization" not in websocket.headers and protocol is not None:
        await websocket.accept(protocol)
        with contextlib.suppress(TimeoutError, ValueError, KeyError, AttributeError):
            first = await asyncio.wait_for(websocket.receive_text(), SAYS_WHO_S)
            secret = str(json.loads(first)["token"]).partition(":")[2]
    if await device_with(secret) is None:
        return
    url = re.sub("^http", "ws", f"{prefect().base_url}{path}")
    try:
        async with connect(url, subprotocols=[protocol] if protocol else None, additional_headers=logged_in()) as there:
            if first:
                await there.send(with_password(first))
            else:
                await websocket.accept(protocol)
            ways = [to_prefect(websocket, there), from_prefect(there, websocket), until_revoked(secret)]
            tasks = [asyncio.create_task(way) for way in ways]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    except (OSError, WebSocketException) as error:
        log.debug("Prefect's websocket %s: %s", path, error)


async def to_prefect(websocket: WebSocket, there: ClientConnection) -> None:
    with contextlib.suppress(WebSocketDisconnect, WebSocketException):
        while True:
            await there.send(with_password(await websocket.receive_text()))


def with_password(message: str) -> str:
    """Prefect's websockets ask for the password once more, in their first message."""
    if '"auth"' not in message[:200]:
        return message
    said = json.loads(message)
    return json.dumps(said | {"token": config.prefect_login()}) if said.get("type") == "auth" else message


async def from_prefect(there: ClientConnection, websocket: WebSocket) -> None:
    with contextlib.suppress(WebSocketDisconnect, WebSocketException, RuntimeError):
        async for message in there:
            await websocket.send_text(message if isinstance(message, str) else message.decode())


async def until_revoked(secret: str) -> None:
    while await device_with(secret) is not None:
        await asyncio.sleep(LOOK_S)
