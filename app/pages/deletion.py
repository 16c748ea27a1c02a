"""Deleting for good, from the page of a clip or a plate: first what would go, then, on a second button, it goes."""

import asyncio
from functools import partial

from nicegui import ui
from nicegui.element import Element

from app import deletions, system, wording
from app.access import callers
from app.pages import parts
from app.pages.frame import ask
from app.pages.parts import tag
from dashcam.access.roles import Role
from dashcam.catalog.pseudonyms import KeyLost
from dashcam.upkeep import deleting
from dashcam.upkeep.deleting import NothingToDelete, Preview, Wanted

SHOWN = 12


def section(what: str, wanted: Wanted, then: str) -> None:
    """For admins. ``what`` is "this clip", say; ``then`` the page that is shown when it is gone."""
    if not callers.may(Role.ADMIN):
        return
    with tag("details", "section"):
        tag("summary", text=f"Delete {what} for good")
        with tag("div", "panel pad") as place:
            tag("p", "muted small", "From the database, the archive and the stores; nothing brings it back.")
            button = tag("button", "button", "Show what would go", type="button")
            button.on("click", partial(show, place, wanted, then))


async def show(place: Element, wanted: Wanted, then: str) -> None:
    try:
        told = await ask(lambda session: deleting.preview(session, system.current().site, wanted))
    except (NothingToDelete, KeyLost) as error:
        ui.notify(str(error), type="warning")
        return
    place.clear()
    with place:
        for line in said(told):
            tag("p", "small", line)
        with tag("ul", "small num"):
            for uri in told.places[:SHOWN]:
                tag("li", text=uri)
            if (more := len(told.places) - SHOWN) > 0:
                tag("li", text=f"and {more:,} more places")
        if told.clips or told.sightings:
            button = tag("button", "button", "Delete for good", type="button")
            button.on("click", partial(delete, wanted, then))
        else:
            parts.chip("Nothing of it may go")


def said(told: Preview) -> list[str]:
    lines = [f"{wording.count(told.clips, 'clip')}, with all that was seen in it." if told.clips else ""]
    if told.sightings:
        stay = f"{wording.count(told.sightings, 'sighting')} in {wording.count(told.in_clips, 'clip')}"
        lines.append(f"{stay}, with crops and frames. The clips stay, and so does the plate in their pictures.")
    return [*filter(None, lines), *told.kept[:SHOWN]]


async def delete(wanted: Wanted, then: str) -> None:
    try:
        await asyncio.to_thread(deletions.carry_out, system.current(), wanted)
    except (NothingToDelete, KeyLost) as error:
        ui.notify(str(error), type="warning")
        return
    ui.navigate.to(then)
