"""What a person knows of a plate, on its page: name, note and tags, own car, ignored, watched; what was merged into it.

The marks are turned back by the same button; what is written has an Undo.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from nicegui import ui
from nicegui.element import Element
from pydantic import ValidationError
from sqlalchemy.orm import Session

from app import addresses, saying, system, wording
from app.access import callers
from app.pages import parts
from app.pages.parts import AS_FORM, icon, link, tag
from app.pages.plate_acts import act
from dashcam.access.roles import Role
from dashcam.catalog import notes, plates
from dashcam.catalog.notes import MOST_TAGS, Note

MARKS = (
    ("watched", "Watched", "visibility", "You are told of it, Tonight shows it first, and its text is never hashed."),
    ("own", "Own car", "directions_car", "Not among what was seen last, and its text is never hashed."),
    ("ignored", "Ignored", "notifications_off", "Not among what was seen last; a search finds it."),
)
FIRST_MISREADS = 24


@dataclass(frozen=True)
class Known:
    note: Note
    merged: list[str]
    """What is shown as this plate because it was merged into it."""
    by_settings: bool
    """The settings watch it."""
    misreads: list[str]


def known(session: Session, text: str) -> Known:
    """Of a plate by the text that it is shown as."""
    site = system.current().site
    note = notes.of(session, text)
    hashed = wording.is_hashed(text)
    return Known(
        note,
        plates.merged_into(session, text),
        not note.watched and notes.is_watched(session, text, site),
        [] if hashed else list(notes.misreads(session, text)),
    )


def section(text: str, what: Known) -> None:
    with tag("section", "panel pad known", aria_label="What you know of it"):
        with tag("div", "known-facts") as facts:
            told(what.note)
        if not callers.may(Role.MEMBER):
            return
        marks(text, what)
        status = tag("div", role="status")
        writing(text, what.note, facts, status)
        if not wording.is_hashed(text):
            misreads(text, what.misreads)
        if what.merged:
            merged(what.merged)


def told(note: Note) -> None:
    if note.name:
        tag("h2", text=note.name)
    if note.tags:
        with tag("div", "chips"):
            for one in note.tags:
                with link(addresses.url("/plates", {"tag": one}), "chip", title=f"All plates tagged {one}"):
                    icon("sell")
                    tag("span", text=one)
    if note.note:
        tag("p", "known-note", note.note)


def marks(text: str, what: Known) -> None:
    with tag("div", "marks", role="group", aria_label="Marks"):
        for name, label, symbol, means in MARKS:
            if name == "watched" and wording.is_hashed(text):
                continue
            on = "true" if getattr(what.note, name) else "false"
            with tag("button", "button small mark", type="button", aria_pressed=on, title=means) as button:
                icon(symbol)
                tag("span", text=label)
                icon("check")
            button.on("click", partial(turn, text, name, button))
    if what.by_settings:
        tag("p", "small muted", "The settings watch it (privacy.watched_plates).")


async def turn(text: str, name: str, button: Element) -> None:
    """The mark is the other way round than the page shows it, whatever somebody else has done since."""
    wanted = button.props["aria-pressed"] != "true"
    if await act(lambda session: saying.write_some(session, text, {name: wanted})) is not None:
        button.props["aria-pressed"] = "true" if wanted else "false"


def writing(text: str, note: Note, facts: Element, status: Element) -> None:
    with tag("details", "known-form"):
        tag("summary", text="Name, note and tags")
        with tag("form") as form:
            with tag("label"):
                tag("span", "small muted", "Name")
                tag("input", "field", name="name", maxlength="80", value=note.name, autocomplete="off")
            with tag("label"):
                tag("span", "small muted", "Tags, with commas between them")
                tag("input", "field", name="tags", maxlength="600", value=", ".join(note.tags), autocomplete="off")
            with tag("label"):
                tag("span", "small muted", "Note")
                tag("textarea", "field", note.note, name="note", maxlength="2000", rows="3")
            tag("button", "button small", "Save", type="submit")
    form.on("submit", lambda event: save(text, event.args, facts, status), js_handler=AS_FORM)


async def save(text: str, form: Mapping[str, str], facts: Element, status: Element) -> None:
    fields: dict[str, Any] = {"name": form.get("name", ""), "note": form.get("note", "")}
    fields["tags"] = notes.tags_of(form.get("tags", "").split(","))
    try:
        before = await act(lambda session: saying.write_some(session, text, fields))
    except ValidationError:
        ui.notify(f"Too much: a name of 80, a note of 2,000 characters, {MOST_TAGS} tags.", type="warning")
        return
    if before is None:
        return
    facts.clear()
    with facts:
        told(Note.model_validate(fields))
    status.clear()
    was = {name: getattr(before, name) for name in fields}
    with status, tag("div", "panel note undo"):
        icon("check_circle")
        tag("div", "grow", "Saved.")
        tag("button", "button small", "Undo", type="button").on("click", partial(put_back, text, was))


async def put_back(text: str, was: Mapping[str, Any]) -> None:
    if await act(lambda session: saying.write_some(session, text, was)) is not None:
        ui.navigate.to(addresses.plate_url(text))


def misreads(text: str, found: list[str]) -> None:
    """What a watch would take for it too."""
    with tag("details", "known-form"):
        tag("summary", text=f"May be misreads of it ({len(found):,})")
        if not found:
            tag("p", "small muted", "No plate that was seen is likely to be a misread of it.")
            return
        tag("p", "small muted", "Likely by what their reads say. Watching this plate takes these for it, too:")
        with tag("ul", "texts"):
            for other in found[:FIRST_MISREADS]:
                with tag("li"), link(addresses.plate_url(other)):
                    parts.plate_text(other)
        if len(found) > FIRST_MISREADS:
            tag("p", "small muted", f"And {len(found) - FIRST_MISREADS:,} more.")


def merged(texts: list[str]) -> None:
    with tag("details", "known-form"):
        tag("summary", text=f"Merged into it ({len(texts):,})")
        with tag("ul", "texts"):
            for text in texts:
                with tag("li"):
                    parts.plate_text(text)
                    label = f"Split {text} off"
                    button = tag("button", "button small", "Split", type="button", aria_label=label, title=label)
                    button.on("click", partial(split, text))


async def split(text: str) -> None:
    if await act(lambda session: saying.split(session, text)) is not None:
        ui.navigate.to(addresses.plate_url(text))
