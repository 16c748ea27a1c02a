"""How long what is kept: what would go under other rules, and an admin's word that they hold from now on."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from app import system, wording
from app.access import callers
from app.pages import parts
from app.pages.frame import ask, now, person, settle, zone
from app.pages.parts import AS_FORM, tag
from dashcam.access.roles import Role
from dashcam.catalog import site_words
from dashcam.catalog.site_rows import RetentionWord
from dashcam.upkeep import planning
from dashcam.upkeep.retention import Rules

FIELDS = (
    ("raw_videos", "Clips, days"),
    ("preproc_data", "Preprocessing, days"),
    ("heavy_output", "Bundles, days"),
    ("lowres_months", "Small copies, months"),
)
OF_DEVICES = "Days of preprocessing and of bundles stand in config.json, which devices go by too: change them there."


def whose(word: RetentionWord | None) -> str:
    if word is None or word.by_settings:
        return ""
    return f"As {word.who} said here on {wording.day(word.said_at, zone())}, before what config.json says."


def acts(word: RetentionWord | None) -> None:
    """What an admin may have begin, and end."""
    if not callers.may(Role.ADMIN):
        return
    with tag("div", "actions"):
        if system.current().site.retention.enabled:
            stop = tag("button", "button small", "Stop: only report", type="button")
            stop.on("click", partial(say, "had nothing go any more: it is only reported", enabled=False))
        else:
            begin = partial(say, "had what is due go every night", enabled=True)
            parts.sure("Begin", "Have what is due go every night", "Yes: what is due goes every night", begin)
        if whose(word):
            tag("button", "button small quiet", "Go by config.json", type="button").on("click", take_back)


async def say(did: str, **changed: Any) -> None:
    rules = site_words.rules_of(system.current().site) | changed
    await settle(partial(site_words.say_retention, who=person(), now=now(), **rules), did, "deletion")
    ui.navigate.reload()


async def take_back() -> None:
    did = "had config.json say again how long what is kept"
    await settle(partial(site_words.take_retention_back, who=person(), now=now()), did, "deletion")
    ui.navigate.reload()


def other_rules() -> None:
    """A form that says what would be due under other rules; an admin may take them."""
    rules = Rules.of(system.current().site)

    async def sent(event: GenericEventArguments) -> None:
        try:
            new = rules_of(event.args)
        except ValueError as error:
            said.set_text(str(error))
            return
        if event.args.get("take"):
            said.set_text(await taken(new))
            return
        here = system.current()
        found = await ask(lambda session: planning.simulate(session, here.site, new, now()))
        said.set_text(f"{due_text(found.then)} would be due at once; now it is {due_text(found.now)}.")

    with parts.section("Other rules"), tag("div", "panel pad"):
        with tag("form", "filters").on("submit", sent, js_handler=AS_FORM):
            for name, label in FIELDS:
                value = getattr(rules, name)
                with tag("label", "unit"):
                    tag("span", "muted small", label)
                    shown = {} if value is None else {"value": str(value)}
                    tag("input", "field", name=name, type="number", min="0", step="1", aria_label=label, **shown)
            tag("button", "button", "Show what would go", type="submit")
            if callers.may(Role.ADMIN):
                with tag("details", "sure"):
                    tag("summary", "button small", "Take these rules")
                    certain = "Yes: keep by these from now on"
                    tag("button", "button small danger", certain, type="submit", name="take", value="yes")
        said = ui.label("An empty field means for ever. To show what would go changes nothing.").classes("muted small")
        said.props("role=status")


async def taken(new: Rules) -> str:
    """Why not, in a sentence, or what holds now."""
    rules = Rules.of(system.current().site)
    if (new.preproc_data, new.heavy_output) != (rules.preproc_data, rules.heavy_output):
        return OF_DEVICES
    await say("said how long what is kept", raw_videos=new.raw_videos, lowres_months=new.lowres_months)
    return "They hold from now on."


def rules_of(form: Mapping[str, str]) -> Rules:
    """What the form says; ``ValueError`` with a sentence where that is no rule."""
    values: dict[str, int | None] = {}
    for name, label in FIELDS:
        text = str(form.get(name) or "").strip()
        if text and not (text.isdecimal() and len(text) < 6):
            raise ValueError(f"{label}: write a whole number.")
        values[name] = int(text) if text else None
    for name, label in FIELDS[1:3]:
        if values[name] is None:
            raise ValueError(f"{label}: write a number, intermediates are not kept for ever.")
    if values["lowres_months"] == 0:
        raise ValueError("Small copies, months: at least one, or leave it empty.")
    return Rules.model_validate(values)


def due_text(due: planning.Due) -> str:
    return f"{wording.count(due.items, 'thing')}, about {wording.size(due.bytes)},"
