"""Prefect's server, ``python -m flows.prefect_server start ...``, made for a machine that has nothing to do at night.

Its garbage is collected beside the event loop. On SQLite Prefect 3.8 froze for a minute now and then: statements that
had met a locked database were garbage, and freeing one waits while its connection, in use again, waits for the lock,
up to 60 s. In the event loop's thread that keeps whoever holds the lock from ever committing. In a thread of its own
nobody minds.

Its queue of chores looks for work each 2 s; as delivered it wakes up twenty times a second, 2 % of a core all day. The
intervals of the chores themselves are settings (`dashcam.embedded.home`). They begin, and the types of blocks that
Prefect brings are registered, when the first clip of a new start is through: half of what a start would cost.

Its pages ask nobody outside of the house.

Its SQLite is one that loses nothing (`flows.prefect_database`).
"""

import asyncio
import gc
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dashcam.embedded import listening
from flows import prefect_database

if TYPE_CHECKING:
    import docket
    from fastapi import FastAPI, Request, Response
    from starlette.middleware.base import RequestResponseEndpoint

YOUNG_S, ALL_S = 1.0, 600.0
CHORES_LOOK = timedelta(seconds=2)
CHORES_BEGIN = timedelta(seconds=30)
BLOCK_TYPES_S = 60.0
PAGES = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:"


def collect_beside() -> None:
    """From now on no other thread of this process collects garbage."""
    gc.disable()
    threading.Thread(target=collect, daemon=True, name="garbage").start()


def collect() -> None:
    everything = time.monotonic() + ALL_S
    while True:
        time.sleep(YOUNG_S)
        gc.collect(1)
        if time.monotonic() > everything:
            gc.collect()
            everything = time.monotonic() + ALL_S


def make_new_database() -> None:
    if file := prefect_database.file_of(prefect_database.address()):
        from flows import prefect_schema

        prefect_schema.make(file)


def calm_chores() -> None:
    """Prefect's server has no setting for how often its queue (docket) looks for what is due or cancelled."""
    import docket
    import prefect.server.api.background_workers as chores

    class Calm(docket.Worker):
        def __init__(self, queue: docket.Docket) -> None:
            super().__init__(queue, minimum_check_interval=CHORES_LOOK, scheduling_resolution=CHORES_LOOK)

        async def _cancellation_listener(self) -> None:
            """Nothing in Prefect's server cancels a chore, and listening is a thread's wake-up ten times a second."""
            if self._processing_session is not None:
                self._processing_session.cancellation_ready.set()  # no chore is started before
                await self._processing_session.stopping.wait()

    chores.Worker = Calm  # type: ignore[attr-defined, assignment]
    schedule = chores.register_and_schedule_perpetual_services  # type: ignore[attr-defined]
    chores.register_and_schedule_perpetual_services = begin_later(schedule)  # type: ignore[attr-defined, assignment]


def begin_later(schedule: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Prefect's own, whose chores all begin at once."""

    async def scheduled(queue: "docket.Docket", **options: Any) -> None:
        now = queue.add
        queue.add = partial(now, when=datetime.now(UTC) + CHORES_BEGIN)  # type: ignore[method-assign]
        try:
            await schedule(queue, **options)
        finally:
            queue.add = now  # type: ignore[method-assign]

    return scheduled


def register_block_types_later() -> None:
    """Prefect's server answers nobody before it has registered the types of blocks that it and its packages bring,
    and imports those packages for that. Ours are registered with the deployments (`flows.setup`)."""
    import prefect.server.api.server as server
    from prefect.plugins import load_prefect_collections

    unless_known = server._memoize_block_auto_registration

    def later(register: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        async def in_a_while() -> None:
            await asyncio.sleep(BLOCK_TYPES_S)
            await asyncio.to_thread(load_prefect_collections)
            await unless_known(register)()

        async def begin() -> None:
            begun.append(asyncio.create_task(in_a_while()))

        return begin

    begun: list[asyncio.Task[None]] = []
    server._memoize_block_auto_registration = later  # type: ignore[assignment]


def keep_pages_in_the_house() -> None:
    """Prefect's newer pages ask amplitude.com, whatever its settings say. A browser that is told so asks nobody but
    Prefect."""
    import prefect.server.api.server as server

    make = server.create_ui_app

    def made(ephemeral: bool) -> "FastAPI":
        from prefect.settings import get_current_settings

        api = urlsplit(get_current_settings().server.ui.api_url or "").netloc
        asked = f"'self' http://{api} ws://{api} https://{api} wss://{api}" if api else "'self'"
        pages = make(ephemeral)

        @pages.middleware("http")
        async def answer(request: "Request", go_on: "RequestResponseEndpoint") -> "Response":
            said = await go_on(request)
            said.headers["Content-Security-Policy"] = f"{PAGES}; connect-src {asked}"
            return said

        return pages

    server.create_ui_app = made


def serve(given: socket.socket) -> None:
    """What Prefect's command does, which would look for the port itself, and find it taken: by this socket."""
    import uvicorn
    from prefect.server.api.server import create_app
    from prefect.settings import get_current_settings

    server = get_current_settings().server
    config = uvicorn.Config(
        create_app(final=True),
        timeout_keep_alive=server.api.keepalive_timeout,
        ws_ping_interval=server.api.websocket_ping_interval,
        ws_ping_timeout=server.api.websocket_ping_timeout,
        log_level=server.logging_level.lower(),
    )

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            ask_whether_connected()
            await super().shutdown(sockets)

    Server(config).run([given])


def ask_whether_connected() -> None:
    """Of those to whom events are streamed: Prefect asks itself each second whether a worker is still there, and its
    end would wait for that."""
    from prefect.server.events import stream

    for queue in stream.subscribers:
        queue.put_nowait(None)  # type: ignore[arg-type] # no news, upon which it asks


def main() -> None:
    print(prefect_database.prepare(), flush=True)
    collect_beside()
    make_new_database()
    calm_chores()
    register_block_types_later()
    keep_pages_in_the_house()
    if given := listening.inherited():
        serve(given)
        return
    from prefect.cli import app

    sys.argv.insert(1, "server")
    app()


if __name__ == "__main__":
    main()
