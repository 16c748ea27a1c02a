"""Deleting for good, from the page of a clip or a plate, and some days from Storage: first what would go, then, on a
second button, it goes, and the page says what has gone and what has it still."""

import asyncio
from datetime import datetime
from functools import partial

from nicegui import ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from app import deletions, system, wording
from app.access import callers
from app.pages import parts
from app.pages.frame import CONTENT, ask, midnight
from app.pages.parts import AS_FORM, link, tag
from dashcam.access.roles import Role
from dashcam.catalog.pseudonyms import KeyLost
from dashcam.upkeep import deleting
from dashcam.upkeep.deleting import Deleted, NothingToDelete, Preview, Wanted

SHOWN = 12
GOES = "From the database, the archive and the stores; nothing brings it back."
BACK = {"/videos": "To the videos", "/plates": "To the plates", "/storage": "To Storage"}


def section(what: str, wanted: Wanted, then: str) -> None:
    """For admins. ``what`` is "this clip", say; ``then`` the page to go to when it is gone, one of `BACK`."""
    if not callers.may(Role.ADMIN):
        return
    with tag("details", "section"):
        tag("summary", text=f"Delete {what} for good")
        with tag("div", "panel pad") as place:
            tag("p", "muted small", GOES)
            with tag("div", "filters"):
                button("Show what would go", partial(show, place, wanted, then))
                if wanted.plate is not None:
                    with_clips = wanted.model_copy(update={"with_clips": True})
                    button("And the clips it is in", partial(show, place, with_clips, then))


def days() -> None:
    """For admins: a form for all clips of some days."""
    if not callers.may(Role.ADMIN):
        return
    with tag("details", "section"):
        tag("summary", text="Delete some days for good")
        with tag("div", "panel pad") as place:
            tag("p", "muted small", f"All clips that began on these days. {GOES}")

            async def chosen(event: GenericEventArguments) -> None:
                first, last = str(event.args.get("first") or ""), str(event.args.get("last") or "")
                wanted = days_of(midnight(first), midnight(last, days=1))
                if wanted is None:
                    ui.notify("Choose the first and the last of these days, in this order.", type="warning")
                    return
                await show(place, wanted, "/storage")

            with tag("form", "filters").on("submit", chosen, js_handler=AS_FORM):
                for name, label in (("first", "From"), ("last", "To")):
                    with tag("label", "dated muted small"):
                        tag("span", text=label)
                        tag("input", "field", name=name, type="date", required=True, aria_label=f"{label} this day")
                tag("button", "button", "Show what would go", type="submit")


def days_of(since: datetime | None, until: datetime | None) -> Wanted | None:
    if since is None or until is None or until <= since:
        return None
    return Wanted(since=since, until=until)


def button(label: str, do: partial) -> None:
    tag("button", "button", label, type="button").on("click", do)


async def show(place: Element, wanted: Wanted, then: str) -> None:
    callers.ensure(Role.ADMIN)
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
            certain = tag("button", "button danger", "Delete for good", type="button")
            certain.on("click", partial(delete, place, wanted, then))
        else:
            parts.chip("Nothing of it may go")


def said(told: Preview) -> list[str]:
    lines = [f"{wording.count(told.clips, 'clip')}, with all that was seen in it." if told.clips else ""]
    if told.sightings:
        stay = f"{wording.count(told.sightings, 'sighting')} in {wording.count(told.in_clips, 'clip')}"
        lines.append(f"{stay}, with crops and frames. The clips stay, and so does the plate in their pictures.")
    return [*filter(None, lines), *told.kept[:SHOWN]]


async def delete(place: Element, wanted: Wanted, then: str) -> None:
    try:
        done = await asyncio.to_thread(deletions.carry_out, system.current(), wanted)
    except (NothingToDelete, KeyLost) as error:
        ui.notify(str(error), type="warning")
        return
    page = next((one for one in place.ancestors() if one.props.get("id") == CONTENT), place)
    page.clear()  # what it showed is no more
    with page:
        parts.page_title("Deleted for good")
        with tag("div", "panel pad", role="status"):
            for line in went(done):
                tag("p", text=line)
            link(then, "button", BACK[then])


def went(done: Deleted) -> list[str]:
    """What has gone, what machines see to still, and what has it still."""
    counted = [wording.count(done.clips, "clip")] if done.clips else []
    counted += [wording.count(done.sightings, "sighting")] if done.sightings else []
    lines = [f"{' and '.join(counted) or 'Nothing'} went from the database."]
    if done.leftovers:
        lines.append(
            "The files go within five minutes, or as soon as the store is there "
            f"({wording.count(done.leftovers, 'clip')} to see to)."
        )
    if done.backups:
        lines.append(
            f"{wording.count(len(done.backups), 'backup')} from before may have it still; restored, they forget it at "
            "once."
        )
    return [*lines, *done.kept[:SHOWN]]
