"""The cameras' clocks: how far each is off, and a form to correct it."""

import asyncio
import math
from collections.abc import Mapping
from datetime import datetime
from functools import partial

from nicegui import ui

from app import system, wording
from app.access import callers
from app.pages import parts
from app.pages.frame import ask, frame, keep_looking
from app.pages.parts import AS_FORM, icon, submitted, tag
from dashcam.access.roles import Role
from dashcam.catalog import clocks

UNITS = (("hours", "h", 3600), ("minutes", "min", 60), ("seconds", "s", 1))
LOOK_S = 0.5
WORTH_SAYING_S = 2.0
"""A name has whole seconds: a clock that is less off is right."""


async def cameras() -> None:
    here = system.current()
    found = here.corrections.told(await ask(clocks.cameras))
    with frame("Cameras", "/videos"):
        parts.page_title("Cameras", "How their clocks stand")
        if not found:
            parts.empty("schedule", "No cameras yet", "They appear as soon as clips have been looked at.")
        for camera in found:
            with parts.section(name_of(camera.camera)), tag("div", "panel clock"):
                if camera.correcting:
                    how_far(camera.camera, camera.correcting)
                standing(camera)
                form(camera)
                showed_when(camera)


def name_of(camera: str) -> str:
    return f"{wording.CAMERA_NAMES.get(camera, camera)} camera" if camera else "Clips whose name says no camera"


def how_far(camera: str, at: clocks.Correcting) -> None:
    """How far the latest correction is; looked at twice a second until it has ended."""
    corrections = system.current().corrections
    with tag("div", "note undo", role="status"):
        icon("schedule")
        words = ui.label(carried_out(at)).classes("grow")

    async def look_again() -> None:
        now = corrections.at.get(camera, at)
        words.text = carried_out(now)
        if now.ended:
            timer.cancel()

    if not at.ended:
        timer = keep_looking(LOOK_S, look_again)


def carried_out(at: clocks.Correcting) -> str:
    moved = wording.count(at.changed, "clip")
    if at.ended:
        return f"Corrected: {moved} got another time, with their sightings, places and trips."
    if at.done < at.clips or not at.clips:
        return f"The clock is being corrected: {at.done:,} of {wording.count(at.clips, 'clip')}."
    return f"{moved} got another time; trips follow."


def standing(camera: clocks.CameraTime) -> None:
    by_clock = ", ".join(f"{count:,} by {wording.CLOCK_KINDS[kind]}" for kind, count in camera.clips.items())
    lines = [("Clips", by_clock or "none")]
    if camera.ahead_of_utc_s is not None:
        zone = f" ({camera.time_zone})" if camera.time_zone else ""
        lines.append(("File names", wording.ahead(camera.ahead_of_utc_s) + zone))
    lines.append(("Clock", wrong(camera)))
    correction = "none"
    if camera.correction_s:
        correction = f"the clock is taken to be {wording.ahead(camera.correction_s, 'the right time')}"
    lines.append(("Correction", correction))
    with tag("dl", "facts"):
        for name, value in lines:
            with tag("div"):
                tag("dt", text=name)
                tag("dd", "num", value)


def wrong(camera: clocks.CameraTime) -> str:
    if camera.ahead_s is None:
        return "not known: no clip has both a time in its name and GPS"
    if abs(camera.ahead_s) < WORTH_SAYING_S:
        return "right, as the GPS tells"
    return f"{wording.ahead(camera.ahead_s, 'the right time')}, as the GPS tells"


def form(camera: clocks.CameraTime) -> None:
    """What the clock is ahead or behind, in hours, minutes and seconds; times by the satellites stay as they are."""
    whose, save = name_of(camera.camera), submitted(seconds_of, partial(correct, camera.camera))
    with tag("form", "filters").on("submit", save, js_handler=AS_FORM):
        tag("span", "muted small", "This clock is")
        for (unit, short, _), amount in zip(UNITS, amounts(camera.correction_s), strict=True):
            with tag("label", "unit"):
                limits = {"type": "number", "min": "0", "step": "any" if unit == "seconds" else "1"}
                tag("input", "field", name=unit, value=f"{amount:g}", aria_label=f"{unit} of {whose}", **limits)
                tag("span", "muted small", short)
        with tag("select", "field", name="direction", aria_label=f"Direction of {whose}"):
            for text in ("ahead", "behind"):
                tag("option", text=text, value=text, selected=(text == "behind") == (camera.correction_s < 0))
        tag("button", "button", "Correct", type="submit")
        told = camera.ahead_s
        if told is not None and abs(told) >= WORTH_SAYING_S and abs(told - camera.correction_s) >= WORTH_SAYING_S:
            button = tag("button", "button quiet", "Take what the GPS tells", type="button")
            button.on("click", lambda: correct(camera.camera, told))
        if camera.correction_s:
            tag("button", "button quiet", "Take it back", type="button").on("click", lambda: correct(camera.camera, 0))


def showed_when(camera: clocks.CameraTime) -> None:
    """For who has stood before the camera with a watch."""
    whose, save = name_of(camera.camera), submitted(ahead_of, partial(correct, camera.camera))
    with tag("form", "filters").on("submit", save, js_handler=AS_FORM):
        for name, words in (("showed", "It showed"), ("was", "when it was")):
            with tag("label", "dated"):
                tag("span", "muted small", words)
                label = f"{words}, {whose}"
                tag("input", "field", name=name, type="datetime-local", step="1", required=True, aria_label=label)
        tag("button", "button", "Correct", type="submit", aria_label=f"Correct by both times, {whose}")


def ahead_of(form: Mapping[str, str]) -> float:
    """What the camera showed less what it was, in seconds; ``ValueError`` with a sentence where one is no time."""
    try:
        showed, was = (datetime.fromisoformat(form[name]).replace(tzinfo=None) for name in ("showed", "was"))
    except (KeyError, TypeError, ValueError):
        raise ValueError("Write both times whole: what the camera showed, and what it was.") from None
    ahead_s = (showed - was).total_seconds()
    if abs(ahead_s) > clocks.TEN_YEARS_S:
        raise ValueError("A clock is at most ten years off: look at both years.")
    return ahead_s


def amounts(seconds: float) -> tuple[float, float, float]:
    """Hours, minutes and seconds, without the sign."""
    minutes, rest = divmod(abs(seconds), 60)
    return minutes // 60, minutes % 60, round(rest, 3)


def seconds_of(form: Mapping[str, str]) -> float:
    """What the form says, in seconds ahead; ``ValueError`` with a sentence when that is no time."""
    try:
        values = [float(form.get(unit) or 0) for unit, _, _ in UNITS]
    except (TypeError, ValueError):
        raise ValueError("Write numbers: hours, minutes and seconds.") from None
    ahead_s = sum(value * size for value, (_, _, size) in zip(values, UNITS, strict=True))
    if any(value < 0 for value in values) or not math.isfinite(ahead_s) or ahead_s > clocks.TEN_YEARS_S:
        raise ValueError("A clock is at most ten years off; choose ahead or behind instead of a minus sign.")
    return -ahead_s if form.get("direction") == "behind" else ahead_s


async def correct(camera: str, ahead_s: float) -> None:
    """Begun at once, carried out beside everything else."""
    callers.ensure(Role.MEMBER)
    here = system.current()
    await asyncio.to_thread(here.corrections.ask_for, camera, ahead_s)
    await asyncio.to_thread(here.access.note, callers.name(), "correction", f"corrected a camera's clock: {camera}")
    ui.navigate.to("/cameras")
