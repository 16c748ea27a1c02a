"""Whom messages go to: a part of the page Settings, for admins."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial

from nicegui import ui

from app import addressees, messages, system, wording
from app.access import callers
from app.addressees import MessageAddress
from app.pages import parts
from app.pages.frame import person, settle_in_private, zone
from app.pages.parts import AS_FORM, submitted, tag
from dashcam.access.roles import Role

NOT_TAKEN = "Not every address has taken it: look at how they are written, and whether the service answers."
TEST = "This is a test, asked for on the page Settings: messages of the main server arrive."
HOW = "As apprise writes it: ntfy://ntfy.lan/dashcam, json://host/path for a webhook, mailto://user:password@mail.lan."


def said(here: system.System) -> list[str]:
    """Of each address no more than the service that it is of."""
    notify = here.site.notify
    services = Counter(map(addressees.service, notify.urls))
    each = ", ".join(name if number == 1 else f"{name} (×{number})" for name, number in services.items())
    told = [f"Messages go to {each}." if each else "Messages go to nobody: ntfy, a webhook and mail are possible."]
    if each:
        told.append(f"A device is told of that was silent for {notify.silent_minutes:g} minutes.")
    return [*told, *here.unheeded]


def acts(added: list[MessageAddress]) -> None:
    for one in added:
        name = addressees.service(one.url)
        with tag("div", "row wraps"):
            tag("span", "grow", f"{name}, added by {one.who} on {wording.day(one.at, zone())}")
            label = f"Remove the address of {name}"
            parts.sure("Remove", label, "No messages go there any more", partial(remove, one.key))
    with tag("form", "filters").on("submit", submitted(url_of, add), js_handler=AS_FORM):
        label = "An address for messages"
        given = {"maxlength": str(addressees.LONGEST), "autocomplete": "off", "spellcheck": "false"}
        tag("input", "field grow", name="url", required=True, placeholder="ntfy://", aria_label=label, **given)
        tag("button", "button", "Send messages there", type="submit")
    tag("p", "muted small", HOW)
    if system.current().site.notify.urls:
        test_button()


def url_of(form: Mapping[str, str]) -> str:
    return str(form.get("url") or "").strip()


async def add(url: str) -> None:
    say = partial(addressees.add, system.current().configured, url, person(), datetime.now(UTC))
    if await settle_in_private(say, f"has messages sent to {addressees.service(url)}"):
        ui.navigate.reload()


async def remove(key: str) -> None:
    say = partial(addressees.remove, system.current().configured, key)
    if await settle_in_private(say, "removed an address for messages"):
        ui.navigate.reload()


def test_button() -> None:
    async def send() -> None:
        callers.ensure(Role.ADMIN)
        here = system.current()
        button.props["disabled"] = True
        said.set_text("It is on its way.")
        arrived = await asyncio.to_thread(messages.send, here.site.notify.urls, "test", TEST)
        await asyncio.to_thread(here.access.note, callers.name(), "settings", "sent a test message")
        del button.props["disabled"]
        said.set_text("Every address has taken it." if arrived else NOT_TAKEN)

    with tag("div", "filters"):
        button = tag("button", "button", "Send a test message", type="button")
        button.on("click", send)
        said = ui.label("").classes("muted small").props("role=status")
