"""The WebUI's pages. `register` defines them; `RUN_WITH` is what `nicegui.ui.run_with` needs to be told about them."""

from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from fastapi import Depends
from fastapi.middleware.gzip import GZipMiddleware
from nicegui import app, helpers, ui

from app import addresses, everything, exports, found, ground, maps, streets, timelines
from app.access.headers import Headers
from app.evidence import router as evidence_router
from app.pages import (
    account,
    accuracy,
    audit,
    cameras,
    dashboard,
    devices,
    home_zone,
    map,
    people,
    plate,
    plate_reads,
    plates,
    play,
    problems,
    rereads,
    settings,
    storage,
    tasks,
    trips,
    video,
    videos,
)
from app.pages.frame import AWAY_S, NAME, serve_static
from app.pages.painted import paint_each_page
from app.pages.trimmed import serve_trimmed
from app.parameters import only_known

PACKED = partial(GZipMiddleware, minimum_size=500, compresslevel=4)
"""The usual 9 costs six times as much time for a tenth less of the map's routes."""
RUN_WITH: dict[str, Any] = {
    "title": NAME,
    "favicon": addresses.STATIC / "favicon.svg",
    "dark": None,
    "language": "en-US",
    "tailwind": False,
    "gzip_middleware_factory": PACKED,
}
PATIENCE_S = 60.0
"""So long a busy machine may take for a page, which is an error 500 after that."""
PAGES: dict[str, Callable[..., Any]] = {
    "/": dashboard.dashboard,
    "/videos": videos.videos,
    "/videos/{video_id}": video.video,
    "/cameras": cameras.cameras,
    "/trips": trips.trips,
    "/trips/{trip_id}": trips.trip,
    "/map": map.map_page,
    "/trips/{trip_id}/play": play.play,
    "/plates": plates.plates,
    "/plates/{text:path}": plate.plate,
    "/tasks": tasks.tasks,
    "/devices": devices.devices,
    "/accuracy": accuracy.accuracy,
    "/rereads": rereads.rereads,
    "/storage": storage.storage,
    "/settings": settings.settings,
    "/home-zone": home_zone.home_zone,
    "/account": account.account,
    "/people": people.people,
    "/audit": audit.audit,
}


def register() -> None:
    """Define all pages and what they need to be served; once per process, before ``ui.run_with``."""
    look_at_each_method_once()
    paint_each_page()
    serve_trimmed()
    serve_static()
    problems.register()
    app.add_middleware(Headers)  # inside of what compresses
    app.include_router(maps.router)
    app.include_router(ground.router)
    app.include_router(streets.router)
    app.include_router(found.router)
    app.include_router(plate_reads.router)
    app.include_router(everything.pages)
    for out in (exports.router, evidence_router, everything.router):
        app.include_router(out, dependencies=[Depends(only_known)])
    app.include_router(timelines.router)
    favicon = (addresses.STATIC / "favicon.svg").read_text(encoding="utf-8")
    for path, build in PAGES.items():
        ui.page(path, favicon=favicon, response_timeout=PATIENCE_S, reconnect_timeout=AWAY_S)(build)


def look_at_each_method_once() -> None:
    """NiceGUI asks for the signature of the same few methods with each element it makes: a third of a page's CPU."""
    look: Callable[[Callable[..., Any]], bool] = helpers.expects_arguments
    known: WeakKeyDictionary[Callable[..., Any], bool] = WeakKeyDictionary()

    def expects_arguments(func: Callable[..., Any]) -> bool:
        method = getattr(func, "__func__", None)
        if method is None:
            return look(func)
        if method not in known:
            known[method] = look(func)
        return known[method]

    helpers.expects_arguments = expects_arguments
