"""Open pages of `dashcam bench load`: the dashboard as a browser has it, over HTTP and NiceGUI's web socket."""

import asyncio
import re
import time
from threading import Event
from urllib.parse import urlencode
from uuid import uuid4

import aiohttp
import socketio

from dashcam.bench.load_device import Told

OPEN_S = 5.0
"""So long each page stays open before it is loaded anew."""
UNTOLD_S = 60.0
"""So long it stays while no page has been told anything: few tasks are complete before the first message is due."""
CLIENT = re.compile(r"['\"]client_id['\"]: ?['\"]([0-9a-f-]+)['\"]")
SOCKET = "_nicegui_ws/socket.io"


def look(url: str, browsers: int, opened: Event, ended: Event) -> Told:
    """So many browsers until ``ended``; ``opened`` is set when the first has a page that is told of changes."""
    told = Told()

    async def all_of_them() -> None:
        await asyncio.gather(*(browser(url, told, opened, ended) for _ in range(browsers)))

    asyncio.run(all_of_them())
    return told


async def browser(url: str, told: Told, opened: Event, ended: Event) -> None:
    async with aiohttp.ClientSession(url) as session:
        while not ended.is_set():
            try:
                await page(url, session, told, opened, ended)
            except (aiohttp.ClientError, socketio.exceptions.SocketIOError, TimeoutError) as error:
                told.errors[f"page: {type(error).__name__}"] += 1


async def page(url: str, session: aiohttp.ClientSession, told: Told, opened: Event, ended: Event) -> None:
    """Open the dashboard and let it be told what changes."""
    with told.timing("page"):
        async with session.get("/") as answer:
            text = await answer.text()
            if answer.status >= 500:
                told.errors[f"page: HTTP {answer.status}"] += 1
    found = CLIENT.search(text)
    if found is None:
        told.errors["page: no client in it"] += 1
        return

    def update(message: object) -> None:
        told.updates += 1

    socket = socketio.AsyncClient(reconnection=False)
    socket.on("update", update)
    query = {"client_id": found[1], "document_id": uuid4().hex, "tab_id": uuid4().hex, "next_message_id": 0}
    query |= {"implicit_handshake": "true"}
    with told.timing("page's socket"):
        await socket.connect(
            f"{url}?{urlencode(query)}", socketio_path=SOCKET, transports=["websocket"], wait_timeout=30
        )
    opened.set()
    connected = time.monotonic()
    while (open_s := time.monotonic() - connected) < UNTOLD_S:
        if told.updates and (open_s > OPEN_S or ended.is_set()):
            break
        await asyncio.sleep(0.1)
    await socket.disconnect()
