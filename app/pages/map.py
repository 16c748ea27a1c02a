"""The map of everything: all routes and sightings, by date, plate and area."""

from app import addresses
from app.everything import LONGEST, area_of
from app.pages import parts
from app.pages.frame import frame, may_open, midnight
from app.pages.parts import link, tag


async def map_page(box: str = "", first: str = "", last: str = "", plate: str = "", unsure: str = "") -> None:
    plates = may_open("/plates")
    wanted = {
        "first": first if midnight(first) else "",
        "last": last if midnight(last) else "",
        "plate": plate.strip()[:LONGEST] if plates else "",
        "unsure": "1" if unsure and plates else "",
        "box": box if area_of(box) else "",
    }
    with frame("Map", "/map", own=("map-here.css",)):
        parts.page_title("Map")
        with tag("form", "filters map-filters", method="get", action="/map"):
            for name, label in (("first", "From"), ("last", "Until")):
                with tag("label", "dated"):
                    tag("span", "muted small", label)
                    tag("input", "field", name=name, type="date", value=wanted[name])
            if plates:
                with tag("label", "dated"):
                    tag("span", "muted small", "Plate")
                    tag("input", "field", name="plate", value=wanted["plate"], autocomplete="off", spellcheck="false")
            if wanted["box"]:
                tag("input", type="hidden", name="box", value=wanted["box"])
            tag("button", "button", "Show", type="submit")
            if any(wanted.values()):
                link("/map", "button", "Show everything")
        tag("iframe", "everything", src=addresses.url("/maps/everything", wanted), title="Map of everything")
