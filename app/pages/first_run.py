"""What a home without any clip is offered: its own clips by a command, or a sample drive by one click."""

import asyncio

from app import samples, system
from app.access import callers
from app.pages import parts
from app.pages.parts import tag
from app.system import System
from dashcam.access.roles import Role
from dashcam.catalog import arrival
from dashcam.database import writing
from dashcam.stages.scan import clips_below
from dashcam.storage.roots import split
from dashcam.tasks.model import InputRef

DRAWN = "A sample drive is being drawn, which takes a minute or two. Its clips appear here by themselves."
THERE = "The sample drive is there, and its clips are being looked at."
GONE_AGAIN = "Storage, Delete some days for good, takes it away again: it is of 28 June 2026."


def draw(any_clips: bool) -> None:
    if not any_clips:
        no_clips()


def no_clips() -> None:
    what = "Give the folder with your dashcam's clips to this command; what is in them appears here."
    parts.empty("video_library", "No clips yet", what, "dashcam process FOLDER")
    if not callers.may(Role.MEMBER):
        return
    here = system.current()
    with tag("div", "panel pad first-run") as place:
        if here.sample.is_drawn:
            tag("p", text=DRAWN)
            return
        tag("p", text="Or see first what it does with a drive whose plates are known.")
        button = tag("button", "button primary", "Try it with a sample drive", type="button")
        tag("p", "muted small", GONE_AGAIN)

    async def draw() -> None:
        callers.ensure(Role.MEMBER)
        place.clear()
        with place:
            tag("p", text=DRAWN, role="status")
        here.access.note(callers.name(), "correction", "had a sample drive drawn")
        trouble = await here.sample.draw()
        if not trouble:
            await asyncio.to_thread(take_in, here)
        if place.is_deleted:
            return
        place.clear()
        with place:
            tag("p", text=trouble or THERE, role="status")

    button.on("click", draw)


def take_in(here: System) -> None:
    """At once, and not with the next look into the folder: nobody writes on these clips any more."""
    store, folder = split(samples.FOLDER)
    names = [entry.name for entry in clips_below(here.stores.path(samples.FOLDER), lambda *_: None)]
    refs = [InputRef(device=store, path=f"{folder / name}") for name in names]
    seen = arrival.look(here.engine, here.stores, refs)
    with writing(here.engine) as session:
        arrival.admit(session, seen)
    here.wake()
