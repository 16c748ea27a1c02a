"""What was read of a sighting, on a plate's page: each character's probabilities as bars, with what else it may be.

Fetched when somebody opens it: a row's reads weigh a hundred times as much as all the rest of it.
"""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from app import addresses, system, wording
from app.found import TEMPLATES
from app.pages.parts import tag
from app.parameters import Number
from dashcam.catalog import readings
from dashcam.catalog.readings import Readings
from dashcam.database import reading
from dashcam.records import CharacterProbabilities, Read

MOST_DRAWN = 20
"""Reads whose characters are drawn; the others are a line each."""
MOST_SIGNS = 4
LEAST = 0.01
"""What is less likely is not shown."""

router = APIRouter(include_in_schema=False)


def details(sighting_id: int) -> None:
    """`plate.js` fills it."""
    with tag("details", "readings", data_reads=f"/found/reads/{sighting_id}"):
        tag("summary", "small", "What was read")
        tag("div", "readings-of")


@router.get("/found/reads/{sighting_id}")
def found_reads(sighting_id: Number) -> HTMLResponse:
    with reading(system.current().engine) as session:
        found = readings.of_sighting(session, sighting_id)
    if found is None:
        return HTMLResponse(
            '<p class="muted small">It is not there any more: the clip was done again. Load the page anew.</p>'
        )
    return HTMLResponse(piece(found))


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
