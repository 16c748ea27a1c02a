"""What a person does on a plate's page: correct reads, say that they are no plate, merge; each with its undo."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from nicegui import ui
from sqlalchemy.orm import Session

from app import addresses, saying, wording
from app.access import callers
from app.pages import deletion
from app.pages.deletion import CHOSEN
from app.pages.frame import ask, change
from app.pages.parts import AS_FORM, icon, tag
from dashcam.access.roles import Role
from dashcam.catalog import plate_text, plates
from dashcam.catalog.merges import CannotSay

T = TypeVar("T")


async def act(what: Callable[[Session], T]) -> T | None:
    """None where it cannot be, which is said."""
    try:
        return await change(what)
    except (CannotSay, callers.NotAllowed) as error:
        ui.notify(str(error), type="warning")
        return None


def toolbar(text: str) -> None:
    """For whom may correct: what the chosen sightings are. Their boxes are in the form ``words``."""
    if not callers.may(Role.MEMBER) or wording.is_hashed(text):
        return
    with tag("form", "panel pad plate-acts", id="words") as form:
        tag("label", "small muted", "The chosen sightings are really:", for_="truth")
        tag("input", "field", id="truth", name="truth", maxlength="16", autocomplete="off", spellcheck="false")
        tag("button", "button small", "Correct", type="submit")
        nothing = tag("button", "button small", "Not a plate", type="button")
        of_form = "() => emit(Object.fromEntries(new FormData(document.getElementById('words'))))"
        deletion.some_sightings(text, of_form)
        tag("span", "small muted", "Choose by the boxes. It holds when clips are done again.")

    async def correct(told: Mapping[str, str]) -> None:
        await say(text, told, told.get("truth", ""))

    async def no_plate(told: Mapping[str, str]) -> None:
        await say(text, told, None)

    form.on("submit", lambda event: correct(event.args), js_handler=AS_FORM)
    nothing.on("click", lambda event: no_plate(event.args), js_handler=of_form)


def choose(sighting_id: int, when: str) -> None:
    if callers.may(Role.MEMBER):
        label = f"Choose the sighting of {when}"
        tag("input", "choose", type="checkbox", name=f"{CHOSEN}{sighting_id}", form="words", aria_label=label)


async def say(shown: str, told: Mapping[str, str], truth: str | None) -> None:
    chosen = [int(name[1:]) for name in told if name.startswith(CHOSEN) and name[1:].isdecimal()]
    if not chosen:
        ui.notify("Choose sightings first, by the boxes beside them.", type="warning")
        return
    words = await act(lambda session: saying.correct(session, chosen, truth))
    if words is None:
        return
    there = await ask(lambda session: plates.plate(session, shown) is not None)
    goes_to = shown if there or truth is None else plate_text.normalised(truth)
    ui.navigate.to(addresses.url(addresses.plate_url(goes_to), {"did": ",".join(words), "of": shown}))


def merging(text: str) -> None:
    if not callers.may(Role.MEMBER) or wording.is_hashed(text):
        return

    async def merge(told: Mapping[str, str]) -> None:
        into = told.get("into", "")
        if await act(lambda session: saying.merge(session, text, into)) is not None:
            shown = await ask(lambda session: plates.shown_as(session, into))
            ui.navigate.to(addresses.url(addresses.plate_url(shown), {"did": "merge", "of": text}))

    with tag("details", "section"):
        tag("summary", text="The same car as another plate")
        with tag("form", "panel pad plate-acts") as form:
            tag("label", "small muted", "All of it, now and from now on, is shown as:", for_="into")
            tag("input", "field", id="into", name="into", maxlength="16", autocomplete="off", spellcheck="false")
            tag("button", "button small", "Merge", type="submit")
        form.on("submit", lambda event: merge(event.args), js_handler=AS_FORM)


def undo_bar(did: str, of: str) -> None:
    """What was just done, and a button that takes it back."""
    if not did or not of or not callers.may(Role.MEMBER):
        return

    async def undo() -> None:
        if did == "merge":
            done = await act(lambda session: saying.split(session, of))
        else:
            done = await act(lambda session: saying.take_back(session, did.split(",")))
        if done is not None:
            ui.navigate.to(addresses.plate_url(of))

    with tag("div", "panel note undo", role="status"):
        icon("check_circle")
        tag("div", "grow", "Merged: it is shown as this plate." if did == "merge" else "Done: it holds from now on.")
        tag("button", "button small", "Undo", type="button").on("click", undo)
