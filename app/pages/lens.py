"""On a clip's page: how wide its camera's lens is, and two marks in a picture by which it is measured."""

import asyncio
from collections.abc import Mapping
from functools import partial

from nicegui import ui

from app import system, wording
from app.access import callers
from app.pages import parts
from app.pages.parts import AS_FORM, submitted, tag
from dashcam.access.roles import Role
from dashcam.catalog.lenses import KnownLens
from dashcam.config.model import Lens
from dashcam.gps.lens import measured

PROJECTIONS = {"rectilinear": "Straight lines are straight", "fisheye": "Straight lines are bent: a fisheye"}
HOW = (
    "Film something straight ahead whose width you know, across the way: a garage door, say, from five metres away. "
    "Stop the player there, and set a mark on each end."
)


def section(camera: str, known: KnownLens) -> None:
    if camera not in wording.CAMERA_NAMES or camera == "interior":
        return
    with parts.section("Lens"), tag("div", "panel pad lens"):
        tag("p", "small", sentence(camera, known))
        if not callers.may(Role.MEMBER):
            return
        with tag("details"):
            tag("summary", text="Measure it in this picture")
            form(camera)
        if known.said:
            tag("button", "button small quiet", "Take it back", type="button").on("click", lambda: take(camera, None))


def sentence(camera: str, known: KnownLens) -> str:
    lens = known.settings.lens(camera)
    whence = "as it was measured" if known.said else "by the settings" if camera in known.settings.lenses else "guessed"
    return (
        f"{wording.CAMERA_NAMES[camera]} camera: {lens.horizontal_fov_deg:g}° wide, {whence}. Where other cars were "
        "goes by it."
    )


def form(camera: str) -> None:
    with tag("form").on("submit", submitted(lens_of, partial(take, camera)), js_handler=AS_FORM):
        tag("p", "muted small", HOW)
        tag("button", "button small", "Take the player's picture", type="button", data_picture=True)
        tag("canvas", width="640", height="360", role="img", aria_label="The picture that is measured", hidden=True)
        for name, words, value in (("left", "Left mark", "0.25"), ("right", "Right mark", "0.75")):
            with tag("label", "dated"):
                tag("span", "muted small", words)
                tag("input", name=name, type="range", min="0", max="1", step="0.001", value=value)
        for name, words in (("across_m", "Metres from mark to mark"), ("away_m", "Metres away")):
            with tag("label", "dated"):
                tag("span", "muted small", words)
                tag("input", "field", name=name, type="number", min="0.01", step="0.01", required=True)
        with tag("label", "dated"):
            tag("span", "muted small", "In the picture")
            with tag("select", "field", name="projection"):
                for value, text in PROJECTIONS.items():
                    tag("option", value=value, text=text)
        tag("button", "button", "Measure", type="submit")


def lens_of(form: Mapping[str, str]) -> Lens:
    """What the form says; ``ValueError`` with a sentence where that is none."""
    try:
        left, right, across_m, away_m = (float(form[name]) for name in ("left", "right", "across_m", "away_m"))
    except (KeyError, TypeError, ValueError):
        raise ValueError("Write both distances as numbers, in metres.") from None
    return measured(left, right, across_m, away_m, "fisheye" if form.get("projection") == "fisheye" else "rectilinear")


async def take(camera: str, lens: Lens | None) -> None:
    """Written down at once, carried out beside everything else."""
    callers.ensure(Role.MEMBER)
    here = system.current()
    await asyncio.to_thread(here.corrections.ask_for_lens, camera, lens)
    did = f"said how wide a camera's lens is: {camera}" if lens else f"took a lens back: {camera}"
    await asyncio.to_thread(here.access.note, callers.name(), "correction", did)
    ui.navigate.reload()
