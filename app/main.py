"""The web process: ``python -m app.main``. Migrates the database, then serves API, WebUI and media and dispatches."""

import asyncio
import contextlib
import hashlib
import importlib
import logging
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from nicegui import ui
from sqlalchemy.exc import SQLAlchemyError

import app.pages
from app import api, authority, media, prefect_door, system, tidying
from app.access.guard import stand_before
from app.packed import PackedOnce
from app.prepare import up_to_date
from app.trouble import answer_trouble
from dashcam import NO_USE_TRYING, Explained, __version__, config, logs
from dashcam.catalog import deriving, plate_facts, routes
from dashcam.device import service
from dashcam.embedded import listening
from dashcam.storage.roots import Stores
from dashcam.tasks import table

IDLE_S = 15.0
DRAW_S = 20.0
"""So long after a trip has changed, at most, its route begins to be drawn anew."""
SWITCH_S = 0.0005
"""A thread waits so long for one that computes: a page that is drawn, say. A result is some twenty questions to the
database, and after each of them whoever asks waits for its turn; with Python's 5 ms that is a tenth of a second."""
log = logging.getLogger("dashcam")


def build(here: system.System) -> FastAPI:
    system.start(here)
    web = FastAPIOffline(title="dashcam-processor", version=__version__, lifespan=dispatching)
    answer_trouble(web)
    web.include_router(media.router)  # first: a page's pictures are looked for dozens at a time, each path in order
    web.include_router(api.router)
    web.include_router(prefect_door.router)
    web.include_router(authority.router)
    app.pages.register()
    web.add_middleware(PackedOnce)
    stand_before(web)
    secret = hashlib.sha256(f"browser sessions {here.token}".encode()).hexdigest()
    ui.run_with(web, **app.pages.RUN_WITH, storage_secret=secret, show_welcome_message=False)
    return web


@asynccontextmanager
async def dispatching(web: FastAPI) -> AsyncIterator[None]:
    here = system.current()
    await asyncio.to_thread(here.look_at_zone)
    await asyncio.to_thread(here.heed)
    stopped = threading.Event()
    telling = here.caretaker.go_on(), here.broker.go_on(), service.keep_telling()
    going_on = (
        dispatch(here),
        here.keep_zone(),
        here.upkeep.go_on(),
        here.access.keep_tidy(),
        here.ahead.go_on(),
        draw_routes(here, stopped),
        tidying.go_on(),
        *telling,
    )
    beside = [asyncio.create_task(one) for one in going_on]
    behind = asyncio.create_task(asyncio.to_thread(catch_up, here, lambda: not stopped.is_set()))
    here.corrections.go_on()
    yield
    stopped.set()
    await asyncio.to_thread(here.corrections.stop)
    await behind
    for task in beside:
        task.cancel()
    for task in beside:
        with contextlib.suppress(asyncio.CancelledError):
            await task


def catch_up(here: system.System, go_on: Callable[[], bool]) -> None:
    """What an upgrade leaves to be derived, beside everything else; the next start goes on where this one ends."""
    try:
        deriving.catch_up(here.engine, here.site.trips, go_on)
        plate_facts.catch_up(here.engine, go_on)
    except SQLAlchemyError as error:
        log.warning("not all trips and plates are seen to (%s); the next start goes on there", error)


async def draw_routes(here: system.System, stopped: threading.Event) -> None:
    """Until cancelled: the ways of trips that have come or changed, for the map of everything."""
    while True:
        await asyncio.sleep(DRAW_S)
        try:
            await asyncio.to_thread(routes.draw, here.engine, lambda: not stopped.is_set())
        except SQLAlchemyError as error:
            log.warning("not all routes are drawn (%s); they will be", error)


async def dispatch(here: system.System) -> None:
    """Prefect's client takes seconds to import: not before there is something to dispatch."""
    while True:
        change = here.changes.next()
        if await something_pending(here):
            break
        await here.changes.wait(change, IDLE_S)
    module = await asyncio.to_thread(importlib.import_module, "app.dispatcher")
    tidying.begin()
    await module.Dispatcher(here).run()


async def something_pending(here: system.System) -> bool:
    """False too while the database does not answer: it is asked again."""
    try:
        return await here.ask(table.anything_pending)
    except SQLAlchemyError as error:
        log.warning("the database does not answer (%s); tasks wait", error)
        return False


def configured() -> system.System:
    """The system that the settings describe, its database migrated. Raises with one plain sentence."""
    site = config.load_site()
    config.tell_prefect(site)
    token = config.token()
    if token is None:
        raise config.ConfigError(["There is no device token: set DASHCAM_TOKEN_FILE, or run `dashcam init`."])
    engine = up_to_date(site)
    stores = Stores(site.store_roots(config.load_device()), site.store_markers())
    here = system.System(engine, site, stores, token)
    here.upkeep.learn_deletions()
    return here


def main() -> None:
    logs.begin("%(asctime)s %(name)s %(message)s")
    try:
        here = configured()
    except (Explained, OSError) as error:
        print(error, file=sys.stderr)
        sys.exit(NO_USE_TRYING)
    sys.setswitchinterval(SWITCH_S)
    web = build(here)
    tidying.begin()
    host, port = here.site.server.host, here.site.server.port
    log.info(here.access.standing())
    # whose word counts for where a request comes from is a setting of ours (access.trusted_proxies)
    settings = uvicorn.Config(web, host, port, log_level="warning", timeout_graceful_shutdown=3, proxy_headers=False)
    server = uvicorn.Server(settings)
    given = listening.inherited()
    server.run([given] if given is not None else None)
    if not server.started:
        sys.exit(1)


if __name__ == "__main__":
    main()
