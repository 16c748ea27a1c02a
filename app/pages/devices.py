"""The machines that do the work: which are there, what they are at, and a way to have one for oneself."""

from datetime import datetime, timedelta
from functools import partial

from nicegui import ui
from nicegui.events import GenericEventArguments
from sqlalchemy.orm import Session

from app import addresses, system, wording
from app.access import callers
from app.pages import parts
from app.pages.admitting import carry_out
from app.pages.frame import ask, change, frame, keep_looking, now, zone
from app.pages.inviting import add_a_device
from app.pages.parts import link, tag
from app.pages.still import PRESSED, anew, still
from app.progress import Progress
from dashcam.access import tokens
from dashcam.access.models import AccessToken
from dashcam.access.roles import Role
from dashcam.catalog import devices as device_table
from dashcam.catalog import work
from dashcam.tasks.chain import POOLS, STAGES

PAUSES = {"a while": ("Pause for 2 h", timedelta(hours=2)), "pause": ("Pause", None)}
DevicesShown = tuple[list[device_table.DeviceLine], list[work.TaskLine]]


def online(device: device_table.DeviceLine, at: datetime) -> bool:
    return at - device.last_seen < device_table.SILENT


def seen(device: device_table.DeviceLine, at: datetime) -> str:
    return "online" if online(device, at) else wording.ago(device.last_seen, at)


def dot(device: device_table.DeviceLine, at: datetime) -> None:
    state = "online" if online(device, at) else "offline"
    tag("span", f"dot {state}", role="img", aria_label=state, title=state)


async def devices() -> None:
    def question(session: Session) -> DevicesShown:
        return device_table.lines(session, now()), work.tasks_by_id(session, system.current().progress.snapshot())

    found = await ask(question)
    shown = looks(*found)
    given = await ask(partial(tokens.known, kind=tokens.DEVICE)) if callers.may(Role.ADMIN) else []
    with frame("Devices", "/devices", own=("people.css",)):
        with tag("div", "title-line"):
            parts.page_title("Devices")
            with tag("div"):
                link("/storage", "button small quiet", "Storage")
                link("/settings", "button small quiet", "Settings")
        with still() as drawn:
            draw(*found)
        drawn.on("click", pressed, js_handler=PRESSED)
        if callers.may(Role.ADMIN):
            add_a_device()
        if given:
            device_tokens(given)

    async def look_again() -> None:
        nonlocal shown
        found = await ask(question)
        if (seen_now := looks(*found)) != shown:
            shown = seen_now
            with anew(drawn):
                draw(*found)

    keep_looking(2.0, look_again)


def looks(known: list[device_table.DeviceLine], running: list[work.TaskLine]) -> object:
    """What of it can be seen, when a device was last heard of only in words."""
    devices_seen = [(one.hostname, seen(one, now()), one.info, one.pause, one.drained) for one in known]
    return devices_seen, running, system.current().progress.snapshot()


def draw(known: list[device_table.DeviceLine], running: list[work.TaskLine]) -> None:
    progress = system.current().progress.snapshot()
    if not known:
        what = "A device appears here when its worker has started. This starts all of them on this machine:"
        parts.empty("memory", "No device has reported yet", what, "dashcam up")
    with tag("div", "grid devices"):
        for device in known:
            at_work = [(task, progress[task.task_id]) for task in running if task.task_id in progress]
            device_card(device, [(task, at) for task, at in at_work if at.device == device.hostname])
    if known:
        who_does_what(known)


def who_does_what(known: list[device_table.DeviceLine]) -> None:
    """Each step of a clip with the devices that take it; a class that a site does not have is left to another."""
    left = {str(pool): covering for pool, covering in system.current().site.covered_by.items()}
    with parts.section("Who does what"), tag("div", "panel"):
        for pool in POOLS:
            steps = [wording.stage_name(kind) for kind, stage in STAGES.items() if stage.pool == pool]
            there = [one.hostname for one in known if one.info.get("pool") == pool]
            with tag("div", "row wraps"):
                tag("strong", text=" and ".join(steps))
                parts.chip(pool)
                if covering := left.get(pool):
                    parts.chip(f"left to {covering}", "quiet")
                tag("span", "muted small grow", ", ".join(there) or nobody(pool))


def nobody(pool: str) -> str:
    if pool == "server":
        return "The main server's worker has not reported yet: dashcam worker starts it."
    return f"No device has reported for it. Without one: dashcam init --cover {pool}=server, on the main server."


def device_card(device: device_table.DeviceLine, at_work: list[tuple[work.TaskLine, Progress]]) -> None:
    at = now()
    with tag("section", "card device", data_key=device.hostname), tag("div", "card-body"):
        with tag("div", "line"):
            dot(device, at)
            tag("h2", "grow", device.hostname)
            parts.chip(device.device_type)
        last = "Online" if online(device, at) else f"Last seen {wording.ago(device.last_seen, at)}"
        tag("p", "muted small", last, title=wording.moment(device.last_seen, zone()))
        for task, progress in at_work:
            with tag("div", "standing running small"):
                tag("span", text=wording.stage_name(task.task_type))
                link(addresses.video_url(task.video_id), "clip", task.video_name)
                parts.progress_bar(progress, f"{task.video_name}: {wording.how_far(progress.fraction)}")
        if device.pause.paused or (device.drained is not None and online(device, at)):
            tag("p", "small", rests(device, at, bool(at_work)))
        elif not at_work:
            tag("p", "small", "Idle" if online(device, at) else "Its tasks wait until it is back.")
        if device.info:
            with tag("dl", "facts"):
                for name, value in device.info.items():
                    with tag("div"):
                        tag("dt", text=str(name).replace("_", " "))
                        tag("dd", "num", plain(value))
        with tag("div", "actions"):
            if device.pause.paused:
                act_button(device.hostname, "resume", "Resume", f"Let {device.hostname} work again")
            else:
                for act, (label, _) in PAUSES.items():
                    act_button(
                        device.hostname, act, label, f"{label} {device.hostname}: it gives back what it works on"
                    )


def device_tokens(given: list[AccessToken]) -> None:
    """An admin's: what lets each device in."""
    with parts.section("Their tokens", count=f"{sum(one.revoked_at is None for one in given)}"), tag("div", "panel"):
        for one in given:
            with tag("div", "row wraps"):
                tag("strong", text=one.hostname or one.name)
                parts.chip(one.device_type or "device")
                parts.chip(*token_state(one))
                used = f"used {wording.ago(one.last_used, now())}" if one.last_used else "never used"
                its = ", ".join([*one.task_types, *one.stores]) or "nothing"
                tag("span", "muted small grow num", f"{used}; for {its}")
                if one.revoked_at is None:
                    certain = f"Revoke the token of {one.name}: it is let in no more"
                    parts.sure("Revoke", f"Revoke the token of {one.name}", certain, partial(revoke, one))


def token_state(one: AccessToken) -> tuple[str, str]:
    if one.revoked_at is not None:
        return f"Revoked on {wording.day(one.revoked_at, zone())}", "trouble"
    if one.expires_at is not None and one.expires_at <= now():
        return f"Ended on {wording.day(one.expires_at, zone())}", "trouble"
    return "Lets it in", "ok"


async def revoke(one: AccessToken) -> None:
    change = partial(tokens.revoke, token_id=one.token_id, now=now())
    if await carry_out(change, f"took a device's token back: {one.name}"):
        ui.navigate.reload()


def rests(device: device_table.DeviceLine, at: datetime, at_work: bool) -> str:
    """Why it takes no work, and what becomes of its clips."""
    if device.pause.paused:
        until = f" until {wording.short_moment(device.pause.until, zone(), at)}" if device.pause.until else ""
        stopping = " Stopping …" if online(device, at) and (at_work or device.drained is None) else ""
        return f"Paused{until}: its clips wait, or go to other devices.{stopping}"
    return f"Resting: {device.drained}."


def act_button(hostname: str, act: str, label: str, spoken: str) -> None:
    known = {"aria_label": spoken, "title": spoken, "data_act": act, "data_of": hostname}
    tag("button", "button small", label, type="button", **known)


async def pressed(event: GenericEventArguments) -> None:
    hostname, act = str(event.args.get("of")), event.args.get("act")
    if act in PAUSES:
        length = PAUSES[act][1]
        until = now() + length if length else None
        there = await change(partial(device_table.pause, hostname=hostname, until=until))
        said = f"{hostname} is paused."
    else:
        there = await change(partial(device_table.resume, hostname=hostname))
        said = f"{hostname} works again."
    system.current().pauses.changed()
    ui.notify(said if there else "There is no such device here.", type="info")


def plain(value: object) -> str:
    """A value of a device's own report, which may be anything, as one line."""
    if isinstance(value, dict):
        return ", ".join(f"{key}: {plain(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(plain(inner) for inner in value)
    return "yes" if value is True else "no" if value is False else str(value)
