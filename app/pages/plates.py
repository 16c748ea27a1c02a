"""Plates, searched by what is remembered of them."""

from functools import partial
from urllib.parse import parse_qsl, urlencode

from fastapi import Request
from nicegui import ui
from nicegui.events import GenericEventArguments
from sqlalchemy.orm import Session

from app import found, wording
from app.access import callers
from app.pages.frame import ask, change, frame, now, zone
from app.pages.parts import icon, link, tag
from app.pages.still import Piece
from app.searching import Asked, understood
from dashcam.catalog import notes, saved_searches
from dashcam.catalog.saved_searches import LONGEST_NAME, NotSaved

WITH_ADDRESS = (
    "event => { event.preventDefault();"
    " emit({ name: new FormData(event.target).get('name'), address: location.search }); }"
)


async def plates(request: Request) -> None:
    asked, skip = understood(request.query_params), found.skipped(request)
    mine = account()

    def question(session: Session) -> tuple[found.FoundPlates, list[tuple[int, str, str]], list[str]]:
        kept = [(one.search_id, one.name, one.query) for one in saved_searches.saved(session, mine)]
        return found.find(session, asked, skip), kept, notes.every_tag(session)

    answer, kept, tags = await ask(question)
    title = f"Plates with {asked.q}" if asked.q else "Plates"
    with frame(title, "/plates", asked.q, own=("search.css", "search.js")):
        with tag("div", "above"):
            filters(asked, tags)
            saved(kept)
        # our own template, in which whatever comes in is text
        Piece(found.piece(asked, skip, answer, zone(), now())).classes("search-page")


def filters(asked: Asked, tags: list[str]) -> None:
    """What narrows the search down; it works without a script too."""
    given = asked.address()
    shown = {"first", "last", "camera", "kind", "confidence", "times", "sort", "tag", "reviewed"}
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
            select("tag", "Tag", given, {"": "Any"} | {one: one for one in [*tags, given.get("tag", "")] if one})
            select("reviewed", "By you", given, {"": "Any", "1": "Reviewed", "0": "Not reviewed"})
            select("sort", "Order", given, {"": "As it comes"} | found.SORTS)
            tag("button", "button", "Filter", type="submit")


def saved(kept: list[tuple[int, str, str]]) -> None:
    """What this person keeps, each a link; and a name for what is looked for now."""
    with tag("details", "narrow-down saved"):
        tag("summary", "button small", f"Saved searches ({len(kept)})" if kept else "Saved searches")
        with tag("div", "panel pad"):
            if not kept:
                tag(
                    "p", "muted small", "None yet: give the search below a name, and from then on it is one click away."
                )
            with tag("ul", "asked"):
                for search_id, name, query in kept:
                    with tag("li", "chip"):
                        link(f"/plates?{query}", "", name)
                        label = f"Remove the saved search {name}"
                        with tag("button", "drop", type="button", aria_label=label, title="Remove") as button:
                            icon("close")
                        button.on("click", partial(drop, search_id))
            with tag("form", "filters") as form:
                with tag("label", "dated"):
                    tag("span", "muted small", "Name of this search")
                    tag("input", "field", name="name", required="required", maxlength=str(LONGEST_NAME))
                tag("button", "button", "Save this search", type="submit")
            # what is typed has changed the address since the page was made
            form.on("submit", keep, js_handler=WITH_ADDRESS)


async def keep(event: GenericEventArguments) -> None:
    asked, mine = understood(dict(parse_qsl(str(event.args["address"]).removeprefix("?")))), account()
    query = urlencode(asked.address())
    try:
        await change(
            lambda session: saved_searches.save(session, mine, str(event.args["name"]), query, now()).search_id
        )
    except NotSaved as error:
        ui.notify(str(error))
        return
    ui.navigate.to(f"/plates?{query}")


async def drop(search_id: int) -> None:
    mine = account()
    await change(lambda session: saved_searches.remove(session, mine, search_id))
    ui.navigate.reload()


def account() -> int | None:
    caller = callers.current()
    return caller.account_id if caller else None


def select(name: str, label: str, given: dict[str, str], options: dict[str, str]) -> None:
    with tag("label", "dated"):
        tag("span", "muted small", label)
        with tag("select", "field", name=name):
            for value, text in options.items():
                chosen = {"selected": "selected"} if given.get(name, "") == value else {}
                tag("option", "", text, value=value, **chosen)
