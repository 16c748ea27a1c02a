"""The MQTT broker that Home Assistant listens to: a part of the page Settings, for admins."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial

from nicegui import ui
from pydantic import ValidationError

from app import named_broker, system, wording
from app.broker import Broker
from app.named_broker import LONGEST, NamedBroker
from app.pages import parts
from app.pages.frame import person, settle_in_private, zone
from app.pages.parts import AS_FORM, submitted, tag

ANSWERS_WITHIN_S = 5.0
LOOK_S = 0.1
FIELDS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("host", "Its name or address", {"required": "", "placeholder": "homeassistant.lan", "maxlength": "253"}),
    ("port", "Port", {"required": "", "type": "number", "value": "1883", "min": "1", "max": "65535"}),
    ("user", "User", {"maxlength": str(LONGEST)}),
    ("password", "Password", {"type": "password", "maxlength": str(LONGEST)}),
)
WRONG = {
    "host": "A broker is named as in homeassistant.lan or 192.168.1.5.",
    "port": "A port is a number from 1 to 65535.",
    "user": f"A user has no colon and {LONGEST} characters at most.",
    "password": f"A password has {LONGEST} characters at most.",
}


def said(here: system.System) -> list[str]:
    mqtt, broker = here.site.mqtt, here.broker
    if mqtt.host is None:
        return ["No MQTT broker is told how the site is."]
    if broker.trouble or not broker.reached:
        return [broker.trouble or f"The MQTT broker {mqtt.host} has not answered yet."]
    return [f"The MQTT broker {mqtt.host} is told how the site is, under {mqtt.topic}."]


def acts(here: system.System) -> None:
    if (one := here.broker_named) is not None:
        with tag("div", "row wraps"):
            login = f" as {one.user}" if one.user else ""
            tag("span", "grow", f"{one.host}:{one.port}{login}, named by {one.who} on {wording.day(one.at, zone())}")
            parts.sure("Remove", f"Remove the broker {one.host}", "Nothing is told to it any more", remove)
    with tag("form", "filters").on("submit", submitted(partial(named, person()), name), js_handler=AS_FORM):
        for field, label, limits in FIELDS:
            given = {"placeholder": label, "autocomplete": "off", "spellcheck": "false"} | limits
            tag("input", "field" if field == "port" else "field grow", name=field, aria_label=label, **given)
        with tag("label", "choice small"):
            tag("input", type="checkbox", name="tls", value="true")
            tag("span", text="Over TLS")
        tag("button", "button", "Tell this broker", type="submit")
    tag("p", "muted small", "Home Assistant shows by itself what it is told: the guide is docs/running.md.")


def named(who: str, form: Mapping[str, str]) -> NamedBroker:
    """Raises ``ValueError`` with a sentence."""
    given = {field: str(form.get(field) or "").strip() or None for field, *_ in FIELDS}
    if given["password"] and not given["user"]:
        raise ValueError("A password is of a user: name one.")
    try:
        return NamedBroker.model_validate(given | {"tls": "tls" in form, "who": who, "at": datetime.now(UTC)})
    except ValidationError as error:
        raise ValueError(WRONG[str(error.errors()[0]["loc"][0])]) from None


async def name(one: NamedBroker) -> None:
    say = partial(named_broker.WORD.say, system.current().configured, one)
    if await settle_in_private(say, f"has the MQTT broker {one.host} told how the site is"):
        await answered(system.current().broker)
        ui.navigate.reload()


async def remove() -> None:
    say = partial(named_broker.WORD.unsay, system.current().configured)
    if await settle_in_private(say, "removed the MQTT broker"):
        ui.navigate.reload()


async def answered(broker: Broker) -> None:
    """So that the page can say whether it has; for some seconds at most."""
    for _ in range(round(ANSWERS_WITHIN_S / LOOK_S)):
        await asyncio.sleep(LOOK_S)
        if broker.reached or broker.trouble:
            break
