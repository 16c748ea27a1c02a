"""Deleting, from the page of a clip or a plate, and some days from Storage: first what would go, then, on a second
button, it is hidden, and goes for good a day later. Until then it can be had back, there and on Storage."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import TypeVar

from nicegui import ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from app import addresses, deletions, system, wording
from app.access import callers
from app.pages import parts
from app.pages.frame import CONTENT, ask, midnight, now, zone
from app.pages.parts import AS_FORM, link, tag
from dashcam import Explained
from dashcam.access.roles import Role
from dashcam.catalog.pseudonyms import KeyLost
from dashcam.upkeep import deleting
from dashcam.upkeep.deleting import NothingToDelete, Preview, Wanted
from dashcam.upkeep.undoing import GoingLine

T = TypeVar("T")
SHOWN = 12
CHOSEN = "s"
"""So begin the names of the boxes that choose a sighting; its number follows."""
HIDDEN_FIRST = "Hidden at once, for everybody; it can be had back for a day, here and on Storage."
GOES = f"{HIDDEN_FIRST} Then it goes for good, from the database, the archive and the stores."
STAYS = "Shown to nobody, here or anywhere, until an admin shows it again on Storage. Nothing is deleted."
BACK = {"/videos": "To the videos", "/plates": "To the plates", "/storage": "To Storage"}


def section(what: str, wanted: Wanted, then: str) -> None:
    """For admins. ``what`` is "this clip", say; ``then`` the page to go to when it is gone, one of `BACK`."""
    if not callers.may(Role.ADMIN):
        return
    with fold(f"Delete {what}", GOES) as place, tag("div", "filters"):
        button("Show what would go", partial(show, place, wanted, then))
        if wanted.plate is not None:
            with_clips = wanted.model_copy(update={"with_clips": True})
            button("And the clips it is in", partial(show, place, with_clips, then))


def hiding(what: str, wanted: Wanted, then: str) -> None:
    """For admins: what is hidden alone comes back whenever somebody says so."""
    if not callers.may(Role.ADMIN):
        return
    with fold(f"Hide {what}", STAYS) as place, tag("div", "filters"):
        button(f"Hide {what} from everybody", partial(hide, place, wanted, then))


@contextmanager
def fold(title: str, said: str) -> Iterator[Element]:
    """What it does stands within, above what is built inside."""
    with tag("details", "section"):
        tag("summary", text=title)
        with tag("div", "panel pad") as place:
            tag("p", "muted small", said)
            yield place


async def hide(place: Element, wanted: Wanted, then: str) -> None:
    line = await act(lambda: deletions.hide(system.current(), wanted, stays=True))
    if line is not None:
        say_it_goes(page_of(place), line, address_of(wanted), then)


def days() -> None:
    """For admins: a form for all clips of some days."""
    if not callers.may(Role.ADMIN):
        return
    with fold("Delete some days", f"All clips that began on these days. {GOES}") as place:

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
            certain = tag("button", "button danger", "Delete", type="button")
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
    line = await act(lambda: deletions.hide(system.current(), wanted))
    if line is not None:
        say_it_goes(page_of(place), line, address_of(wanted), then)


def some_sightings(text: str, of_form: str) -> None:
    """For admins: buttons for the sightings that are chosen in the form which ``of_form`` reads."""
    if not callers.may(Role.ADMIN):
        return

    async def go(told: Mapping[str, str], stays: bool) -> None:
        chosen = [int(name[1:]) for name in told if name[:1] == CHOSEN and name[1:].isdecimal()]
        if not chosen:
            ui.notify("Choose the sightings, by the boxes beside them.", type="warning")
            return
        line = await act(lambda: deletions.hide_sightings(system.current(), chosen, stays))
        if line is not None:
            say_it_goes(page_of(chooser), line, addresses.plate_url(text), "/plates")

    hider = tag("button", "button small", "Hide chosen", type="button", title=STAYS)
    hider.on("click", lambda event: go(event.args, stays=True), js_handler=of_form)
    chooser = tag("button", "button small danger", "Delete chosen", type="button", title=HIDDEN_FIRST)
    chooser.on("click", lambda event: go(event.args, stays=False), js_handler=of_form)


def page_of(place: Element) -> Element:
    return next((one for one in place.ancestors() if one.props.get("id") == CONTENT), place)


def say_it_goes(page: Element, line: GoingLine, back: str, then: str) -> None:
    """Instead of what the page showed, which is there no more."""
    page.clear()
    with page:
        parts.page_title("Deleted" if line.due else "Hidden")
        with tag("div", "panel pad", role="status"):
            tag("p", text=f"{wording.plate(line.said)}: nobody is shown it any more.")
            tag("p", text=f"Gone for good on {wording.moment(line.due, zone())}. Until then it can be had back."
                if line.due else "It can be shown again at any time, here and on Storage.")  # fmt: skip
            with tag("div", "filters"):
                tag("button", "button", "Undo", type="button").on("click", partial(take_back, line.going_id, back))
                link(then, "button", BACK[then])


def address_of(wanted: Wanted) -> str:
    if wanted.plate is not None:
        return addresses.plate_url(wanted.plate)
    return addresses.video_url(wanted.clips[0]) if wanted.clips else "/videos"


async def take_back(going_id: int, then: str) -> None:
    if await act(lambda: deletions.take_back(system.current(), going_id)) is not None:
        ui.navigate.to(then)


async def finish(going_id: int) -> None:
    if await act(lambda: deletions.finish(system.current(), going_id)) is not None:
        ui.navigate.to("/storage")


async def act(what: Callable[[], T]) -> T | None:
    """None where it cannot be, which is said."""
    try:
        return await asyncio.to_thread(what)
    except (Explained, OSError) as error:
        ui.notify(str(error), type="warning")
        return None


def going(lines: Sequence[GoingLine]) -> None:
    """For admins: what was deleted and can be had back, with the hour at which it goes; and what is hidden."""
    if not callers.may(Role.ADMIN):
        return
    with parts.section("Deleted, and can be had back"):
        if goes := [one for one in lines if one.due]:
            panel(goes)
        else:
            parts.empty("restore_from_trash", "Nothing", "What somebody deletes stays here for a day, hidden.")
    if hidden := [one for one in lines if not one.due]:
        with parts.section("Hidden"):
            panel(hidden)


def panel(lines: Sequence[GoingLine]) -> None:
    with tag("div", "panel"):
        for one in lines:
            with tag("div", "row wraps"):
                row(one)


def row(one: GoingLine) -> None:
    name = wording.plate(one.said)
    with tag("span", "grow"):
        tag("strong", text=name)
        tag("span", "muted small", f" by {one.who}, {wording.ago(one.at, now())}")
    tag("span", "small num", f"goes {wording.moment(one.due, zone())}" if one.due else "stays")
    back = "Undo" if one.due else "Show again"
    undo = tag("button", "button small", back, type="button", aria_label=f"{back}: {name}")
    undo.on("click", partial(take_back, one.going_id, "/storage"))
    at_once = tag("button", "button small", "Delete now", type="button", aria_label=f"Delete now: {name}")

    def certain() -> None:
        with at_once.parent_slot.parent if at_once.parent_slot else at_once:
            sure = tag("button", "button small danger", "For good", type="button", aria_label=f"For good: {name}")
            sure.on("click", partial(finish, one.going_id))
        at_once.delete()

    at_once.on("click", certain)
