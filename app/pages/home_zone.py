"""Where home is: circles on a map, of which viewers and exports are told nothing."""

from collections.abc import Mapping, Sequence
from functools import partial

from nicegui import ui
from pydantic import ValidationError

from app import system, wording, zones
from app.pages import parts
from app.pages.frame import ask, frame, settle
from app.pages.parts import AS_FORM, submitted, tag
from dashcam.catalog import home_zones
from dashcam.catalog.home_zones import NEWEST, OftenHere
from dashcam.config.privacy import Zone
from dashcam.gps import home

WHAT = (
    "Inside such a circle nothing is given out: exports have no place there, and viewers are shown none. Members and "
    "admins, who live there, see everything. Pictures are not cut: a street can be known by them."
)
HOW = "Click on the map where the circle's middle is to be."
WRONG = "Write a latitude and a longitude in degrees, or click on the map; the radius is 50 m to 20 km."


async def home_zone() -> None:
    here = system.current()
    drawn, ends = await ask(lambda session: (home_zones.drawn(session), home_zones.trip_ends(session)))
    suggested = [
        one for one in home_zones.often(ends) if not home.is_inside(here.site.privacy.home_zones, one.lat, one.lon)
    ]
    with frame("Home zone", "/account", own=("home-zone.css", "home-zone.js")):
        parts.page_title("Home zone", "Where you live is nobody else's business")
        with tag("div", "home-zone"):
            tag("p", text=WHAT)
            with tag("div", "columns"):
                with tag("div", "wide"):
                    parts.map_frame("/maps/home", "Map of where trips begin and end, and of the home zones")
                with tag("div", "narrow lens"):
                    those_that_count(here.configured.privacy.home_zones, drawn)
                    with parts.section("Draw one"), tag("div", "panel pad"):
                        suggestions(suggested, len(ends))
                        form(suggested)


def those_that_count(settled: Sequence[Zone], drawn: Sequence[Zone]) -> None:
    with parts.section("Home zones"):
        if not settled and not drawn:
            tag("p", "panel pad", "None yet: exports have every place, and viewers see where you live.")
            return
        with tag("ul", "panel pad"):
            for zone in settled:
                with tag("li"):
                    tag("p", text=f"{sentence(zone)}, by privacy.home_zones in config.json.")
            for zone in drawn:
                with tag("li"):
                    tag("p", text=f"{sentence(zone)}.")
                    said = f"Remove the home zone {sentence(zone)}"
                    parts.sure("Remove", said, "Viewers and exports get all of it", partial(remove, zone))


def sentence(zone: Zone) -> str:
    where = zones.place(zone.lat, zone.lon) or f"at {zone.lat:.4f}, {zone.lon:.4f}"
    return f"{wording.distance(zone.radius_m)} around a place {where}"


def suggestions(often: Sequence[OftenHere], trips: int) -> None:
    of = f"your {NEWEST} newest" if trips >= NEWEST else f"your {trips:,}"
    with tag("ul", "often"):
        for one in often:
            with tag("li"):
                said = f"Here {zones.place(one.lat, one.lon)}".strip()
                tag("button", "button small", said, type="button", data_home=place(one))
                tag("span", "muted small", f"{one.trips:,} of {of} trips begin or end there.")


def place(one: OftenHere) -> str:
    return f"{one.lat:.5f},{one.lon:.5f}"


def form(suggested: Sequence[OftenHere]) -> None:
    lat, lon = place(suggested[0]).split(",") if suggested else ("", "")
    with tag("form").on("submit", submitted(zone_of, draw), js_handler=AS_FORM):
        tag("p", "muted small", HOW)
        tag("button", "button small", "Middle of the map", type="button", data_middle=True)
        for name, words, value, limit in (("lat", "Latitude", lat, "90"), ("lon", "Longitude", lon, "180")):
            with tag("label", "dated"):
                tag("span", "muted small", words)
                limits = {"min": f"-{limit}", "max": limit, "step": "any"}
                tag("input", "field", name=name, type="number", value=value, required=True, **limits)
        with tag("label", "dated"):
            tag("span", "muted small", "Radius")
            tag("input", name="radius_m", type="range", min="100", max="3000", step="50", value="300")
            tag("output", "num small", "300 m")
        tag("button", "button primary", "Draw it", type="submit")


def zone_of(form: Mapping[str, str]) -> Zone:
    """What the form says; ``ValueError`` with a sentence where that is none."""
    try:
        return Zone.model_validate({name: form.get(name) for name in Zone.model_fields})
    except ValidationError:
        raise ValueError(WRONG) from None


async def draw(zone: Zone) -> None:
    await settle(partial(home_zones.draw, zone=zone), "drew a home zone")
    ui.navigate.reload()


async def remove(zone: Zone) -> None:
    await settle(partial(home_zones.rub_out, lat=zone.lat, lon=zone.lon), "removed a home zone")
    ui.navigate.reload()
