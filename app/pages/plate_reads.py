"""What was read of a sighting, on a plate's page: each character's probabilities as bars, with what else it may be.

Fetched when somebody opens it: a row's reads weigh a hundred times as much as all the rest of it.
"""

from nicegui import ui
from nicegui.element import Element

from app import addresses, wording
from app.found import TEMPLATES
from app.pages.frame import ask
from app.pages.parts import tag
from dashcam.catalog import readings
from dashcam.catalog.readings import Readings
from dashcam.records import CharacterProbabilities, Read

MOST_DRAWN = 20
"""Reads whose characters are drawn; the others are a line each."""
MOST_SIGNS = 4
LEAST = 0.01
"""What is less likely is not shown."""
OPENED = "event => { if (event.target.open) emit(); }"


def details(sighting_id: int) -> None:
    with tag("details", "readings") as element:
        tag("summary", "small", "What was read")
        place = tag("div", "readings-of")

    async def fill() -> None:
        if not place.default_slot.children:
            await show(sighting_id, place)

    element.on("toggle", fill, js_handler=OPENED)


async def show(sighting_id: int, place: Element) -> None:
    found = await ask(lambda session: readings.of_sighting(session, sighting_id))
    place.clear()
    with place:
        if found is None:
            tag("p", "muted small", "It is not there any more: the clip was done again. Load the page anew.")
        else:
            ui.html(piece(found), sanitize=False)  # our own template, in which whatever comes in is text


def piece(found: Readings) -> str:
    gone = wording.is_hashed(found.text)
    drawn = readings.clearest(found.reads, MOST_DRAWN)
    heading = wording.count(len(found.reads), "read")
    if len(found.reads) > MOST_DRAWN:
        heading += f", with the characters of the {MOST_DRAWN} most legible"
    return TEMPLATES.get_template("readings.html").render(
        together=signs(found.slots),
        nothing=wording.HASHED if gone else "Nothing is kept of how sure each character was.",
        heading=heading,
        reads=[] if gone else [line(found, one, at in drawn) for at, one in enumerate(found.reads)],
    )


def line(found: Readings, read: Read, drawn: bool) -> dict[str, object]:
    said = f"{wording.percent(read.confidence)} sure, {wording.percent(read.legibility)} legible"
    together = f" of {read.looks} crops as one picture" if read.looks > 1 else ""
    return {
        "href": addresses.video_url(found.video_id, read.t_s),
        "when": wording.second(read.t_s),
        "frame": addresses.media_url(found.video_id, found.frame) if read.t_s == found.best_s else "",
        "text": read.text or "nothing",
        "said": f"{said}, by {read.reader}{together}" if read.reader else said,
        "slots": signs(read.slots) if drawn else [],
    }


def signs(slots: CharacterProbabilities) -> list[list[tuple[str, str, str]]]:
    """Of each character what it may be, the likeliest first: the sign, its bar's width and its percentage."""
    return [
        [
            (sign, f"{share * 100:.1f}", wording.percent(share))
            for sign, share in sorted(slot.items(), key=lambda one: (-one[1], one[0]))[:MOST_SIGNS]
            if share >= LEAST
        ]
        for slot in slots
    ]
