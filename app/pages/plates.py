"""Plates, searched by what is remembered of them."""

from fastapi import Request
from nicegui import ui

from app import found, wording
from app.pages.frame import ask, frame, now, zone
from app.pages.parts import tag
from app.searching import Asked, understood


async def plates(request: Request) -> None:
    asked, skip = understood(request.query_params), found.skipped(request)
    answer = await ask(lambda session: found.find(session, asked, skip))
    title = f"Plates with {asked.q}" if asked.q else "Plates"
    with frame(title, "/plates", asked.q, own=("search.css", "search.js")):
        filters(asked)
        # our own template, in which whatever comes in is text
        ui.html(found.piece(asked, skip, answer, zone(), now()), sanitize=False).classes("search-page")


def filters(asked: Asked) -> None:
    """What narrows the search down; it works without a script too."""
    given = asked.address()
    shown = {"first", "last", "camera", "kind", "confidence", "times", "sort"}
    with tag("details", "narrow-down"):
        tag("summary", "button small", "Filters")
        with tag("form", "filters", method="get", action="/plates"):
            for name, value in given.items():
                if name not in shown:
                    tag("input", type="hidden", name=name, value=value)
            for name, label in (("first", "Seen from"), ("last", "Seen until")):
                with tag("label", "dated"):
                    tag("span", "muted small", label)
                    tag("input", "field", name=name, type="date", value=given.get(name, ""))
            select("camera", "Camera", given, {"": "Any"} | wording.CAMERA_NAMES)
            select("kind", "Clips", given, {"": "Any", "normal": "Normal"} | wording.KIND_NAMES)
            sure = {"": "Any", "0.7": "70 %", "0.9": "90 %", "0.95": "95 %", "0.99": "99 %"}
            select("confidence", "At least sure", given, sure)
            with tag("label", "dated"):
                tag("span", "muted small", "Seen at least")
                tag("input", "field times", name="times", type="number", min="1", value=given.get("times", ""))
                tag("span", "muted small", "times")
            select("sort", "Order", given, {"": "As it comes"} | found.SORTS)
            tag("button", "button", "Filter", type="submit")


def select(name: str, label: str, given: dict[str, str], options: dict[str, str]) -> None:
    with tag("label", "dated"):
        tag("span", "muted small", label)
        with tag("select", "field", name=name):
            for value, text in options.items():
                chosen = {"selected": "selected"} if given.get(name, "") == value else {}
                tag("option", "", text, value=value, **chosen)
