"""The machines that do the work: which are there, and what they are at."""

from datetime import datetime, timedelta

from nicegui import ui
from sqlalchemy.orm import Session

from app import system
from app.pages import parts, wording
from app.pages.frame import ask, frame, now, zone
from app.pages.parts import link, tag
from app.progress import Progress
from dashcam.catalog import worklist

ONLINE = timedelta(seconds=90)
"""A device says that it is there every 30 s; one that missed three is taken as gone."""
Found = tuple[list[worklist.DeviceLine], list[worklist.TaskLine]]


def online(device: worklist.DeviceLine, at: datetime) -> bool:
    return at - device.last_seen < ONLINE


def seen(device: worklist.DeviceLine, at: datetime) -> str:
    return "online" if online(device, at) else wording.ago(device.last_seen, at)


def dot(device: worklist.DeviceLine, at: datetime) -> None:
    state = "online" if online(device, at) else "offline"
    tag("span", f"dot {state}", role="img", aria_label=state, title=state)


async def devices() -> None:
    def question(session: Session) -> Found:
        return worklist.devices(session), worklist.tasks_by_id(session, system.current().progress.snapshot())

    with frame("Devices", "/devices"):
        parts.page_title("Devices")
        with tag("div") as place:
            draw(*await ask(question))

    async def look_again() -> None:
        found = await ask(question)
        place.clear()
        with place:
            draw(*found)

    ui.timer(5.0, look_again)


def draw(known: list[worklist.DeviceLine], running: list[worklist.TaskLine]) -> None:
    progress = system.current().progress.snapshot()
    if not known:
        what = "A device appears here when its worker has started. This starts all of them on this machine:"
        parts.empty("memory", "No device has reported yet", what, "dashcam up")
    with tag("div", "grid devices"):
        for device in known:
            at_work = [(task, progress[task.task_id]) for task in running if task.task_id in progress]
            device_card(device, [(task, at) for task, at in at_work if at.device == device.hostname])


def device_card(device: worklist.DeviceLine, at_work: list[tuple[worklist.TaskLine, Progress]]) -> None:
    at = now()
    with tag("section", "card device"), tag("div", "card-body"):
        with tag("div", "line"):
            dot(device, at)
            tag("h2", "grow", device.hostname)
            parts.chip(device.device_type)
        last = "Online" if online(device, at) else f"Last seen {wording.ago(device.last_seen, at)}"
        tag("p", "muted small", last, title=wording.moment(device.last_seen, zone()))
        for task, progress in at_work:
            with tag("div", "standing running small"):
                tag("span", text=wording.stage_name(task.task_type))
                link(parts.video_url(task.video_id), "clip", task.video_name)
                parts.progress_bar(progress, f"{task.video_name}: {wording.percent(progress.fraction)}")
        if not at_work:
            tag("p", "small", "Idle" if online(device, at) else "Its tasks wait until it is back.")
        if device.info:
            with tag("dl", "facts"):
                for name, value in device.info.items():
                    with tag("div"):
                        tag("dt", text=str(name).replace("_", " "))
                        tag("dd", "num", plain(value))


def plain(value: object) -> str:
    """A value of a device's own report, which may be anything, as one line."""
    if isinstance(value, dict):
        return ", ".join(f"{key}: {plain(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(plain(inner) for inner in value)
    return "yes" if value is True else "no" if value is False else str(value)
