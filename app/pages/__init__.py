"""The WebUI's pages. `register` defines them; `RUN_WITH` is how `nicegui.ui.run_with` should be told to serve them."""

from typing import Any

from nicegui import app, ui

from app import maps
from app.pages import dashboard, devices, plates, tasks, video, videos
from app.pages.frame import NAME, STATIC, serve_static

RUN_WITH: dict[str, Any] = {
    "title": NAME,
    "favicon": STATIC / "favicon.svg",
    "dark": None,
    "language": "en-US",
    "tailwind": False,
    "show_welcome_message": False,
}


def register() -> None:
    """Define all pages and what they need to be served; once per process, before ``ui.run_with``."""
    serve_static()
    app.include_router(maps.router)
    ui.page("/")(dashboard.dashboard)
    ui.page("/videos")(videos.videos)
    ui.page("/videos/{video_id}")(video.video)
    ui.page("/plates")(plates.plates)
    ui.page("/plates/{text:path}")(plates.plate)
    ui.page("/tasks")(tasks.tasks)
    ui.page("/devices")(devices.devices)
