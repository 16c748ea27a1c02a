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
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

import app.pages
import migrations
from app import api, media, system
from app.trouble import answer_trouble
from dashcam import NO_USE_TRYING, Explained, __version__, config
from dashcam.catalog import deriving
from dashcam.database import DatabaseUnusable, open_engine
from dashcam.embedded import listening
from dashcam.storage.roots import Stores
from dashcam.tasks import table
from dashcam.upkeep import backup

IDLE_S = 15.0
log = logging.getLogger("dashcam")


def build(here: system.System) -> FastAPI:
    system.start(here)
    web = FastAPIOffline(title="dashcam-processor", version=__version__, lifespan=dispatching)
    answer_trouble(web)
    web.include_router(api.router)
    web.include_router(media.router)
    app.pages.register()
    secret = hashlib.sha256(f"browser sessions {here.token}".encode()).hexdigest()
    ui.run_with(web, **app.pages.RUN_WITH, storage_secret=secret, show_welcome_message=False)
    return web


@asynccontextmanager
async def dispatching(web: FastAPI) -> AsyncIterator[None]:
    here = system.current()
    await asyncio.to_thread(here.look_at_zone)
    stopped = threading.Event()
    going_on = (dispatch(here), here.keep_zone(), here.upkeep.go_on())
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
    except SQLAlchemyError as error:
        log.warning("not all trips are derived (%s); the next start goes on there", error)


async def dispatch(here: system.System) -> None:
    """Prefect's client takes seconds to import: not before there is something to dispatch."""
    while True:
        change = here.changes.next()
        if await something_pending(here):
            break
        await here.changes.wait(change, IDLE_S)
    module = await asyncio.to_thread(importlib.import_module, "app.dispatcher")
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
        raise config.ConfigError(["There is no device token: set DASHCAM_TOKEN_FILE, or run `dashcam setup`."])
    engine = open_engine(site.server.database_url)
    if migrations.is_older(engine):
        copy_before(engine, site)
    migrations.upgrade(engine)
    stores = Stores(site.store_roots(config.load_device()), site.store_markers())
    return system.System(engine, site, stores, token)


def copy_before(engine: Engine, site: config.Site) -> None:
    """A backup of the database as it is before it is migrated. Migrating is one transaction: without it nothing is lost
    that is there, so a disk that has no room for it keeps nobody from starting."""
    try:
        kept = backup.take(engine, backup.folder_of(site.server.database_url, site.backup.folder), site.backup.keep)
        log.info("backup %s taken before the database is migrated", kept.file)
    except (Explained, OSError, SQLAlchemyError) as error:
        log.warning("the database is migrated without a backup from before: %s", error)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        here = configured()
    except (config.ConfigError, DatabaseUnusable, OSError) as error:
        print(error, file=sys.stderr)
        sys.exit(NO_USE_TRYING)
    web = build(here)
    host, port = here.site.server.host, here.site.server.port
    server = uvicorn.Server(uvicorn.Config(web, host, port, log_level="warning", timeout_graceful_shutdown=3))
    given = listening.inherited()
    server.run([given] if given is not None else None)
    if not server.started:
        sys.exit(1)


if __name__ == "__main__":
    main()
