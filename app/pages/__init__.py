"""The WebUI's pages. `register` defines them; `RUN_WITH` is what `nicegui.ui.run_with` needs to be told about them."""

from collections.abc import Callable
from typing import Any

from fastapi import Depends
from nicegui import app, ui

from app import addresses, exports, maps
from app.pages import accuracy, cameras, dashboard, devices, plates, storage, tasks, trips, video, videos
from app.pages.frame import NAME, serve_static
from app.parameters import only_known

RUN_WITH: dict[str, Any] = {"title": NAME, "favicon": addresses.STATIC / "favicon.svg", "tailwind": False}
PAGES: dict[str, Callable[..., Any]] = {
    "/": dashboard.dashboard,
    "/videos": videos.videos,
    "/videos/{video_id}": video.video,
    "/cameras": cameras.cameras,
    "/trips": trips.trips,
    "/trips/{trip_id}": trips.trip,
    "/plates": plates.plates,
    "/plates/{text:path}": plates.plate,
    "/tasks": tasks.tasks,
    "/devices": devices.devices,
    "/accuracy": accuracy.accuracy,
    "/storage": storage.storage,
}


def register() -> None:
    """Define all pages and what they need to be served; once per process, before ``ui.run_with``."""
    serve_static()
    app.include_router(maps.router)
    app.include_router(exports.router, dependencies=[Depends(only_known)])
    favicon = (addresses.STATIC / "favicon.svg").read_text(encoding="utf-8")
    for path, build in PAGES.items():
        ui.page(path, favicon=favicon, dark=None, language="en-US")(build)
