"""Another device for the site: a code for it, as the line that is typed there and as a QR code with that line."""

from functools import partial

import segno
from nicegui import ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from app import system, wording
from app.pages import parts
from app.pages.admitting import carry_out
from app.pages.frame import now, zone
from app.pages.parts import AS_FORM, tag
from dashcam.access import invitations
from dashcam.config.pools import POOLS
from dashcam.site import authority
from dashcam.site.answer import join_line

KINDS = {
    "": "What it is will be seen there",
    "rtx_4090": "Graphics card: reads the plates",
    "jetson_coral": "Jetson or Coral: the cheap look",
    "indoor_nas": "Indoor NAS: tells of new clips",
    "shed_nas": "Shed NAS: archives",
}


def add_a_device() -> None:
    """An admin's."""
    with parts.section("Add a device"), tag("div", "panel pad") as place:
        what = "Mount its stores and install dashcam on it (docs/setup), then type there what comes up here."
        tag("p", "muted small", what)
        code_form(place)


def code_form(place: Element) -> None:
    async def make(event: GenericEventArguments) -> None:
        device_type = str(event.args.get("type") or "")
        wanted = partial(invitations.invite, now=now(), device_type=device_type if device_type in POOLS else None)
        code = await carry_out(wanted, f"made a code for a device to join{f': {device_type}' if device_type else ''}")
        if code is not None:
            place.clear()
            with place:
                shown(code)

    with tag("form", "filters").on("submit", make, js_handler=AS_FORM):
        with tag("select", "field grow", name="type", aria_label="What the device is"):
            for device_type, text in KINDS.items():
                tag("option", text=text, value=device_type)
        tag("button", "button", "Make a code", type="submit")


def shown(code: invitations.Code) -> None:
    line = join_line(system.current().site.server.url, code.text, authority.known())
    with tag("div", "secret", role="status"):
        tag("p", text=f"Good once, until {wording.short_moment(code.expires_at, zone(), now())}:")
        tag("code", text=line)
        picture = segno.make_qr(line, error="m").svg_data_uri(scale=6, border=4, dark="#000", light="#fff")
        tag("img", src=picture, alt="The same line as a QR code, for whoever types on the device by a phone")
        tag("button", "button small", "Another code", type="button").on("click", ui.navigate.reload)
