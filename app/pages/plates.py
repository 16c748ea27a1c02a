"""Plates, searched by what is remembered of them."""

from dataclasses import replace

from sqlalchemy.orm import Session

from app import addresses
from app.pages import parts
from app.pages.frame import ask, cursor_of, cursor_text, frame, midnight, now, zone
from app.pages.parts import link, tag
from dashcam.catalog import search
from dashcam.catalog.plate_text import MIN_LENGTH, normalised
from dashcam.catalog.plates import PlateCard
from dashcam.catalog.search import PlateFilter

PAGE = 60
LONGEST = 40
"""Characters of a search that are looked at."""


async def plates(
    q: str = "", unsure: str = "", near: str = "", first: str = "", last: str = "", after: str = ""
) -> None:
    fragment, cursor = q.strip()[:LONGEST], cursor_of(after, int)
    wanted = PlateFilter(fragment, bool(near), not unsure, midnight(first), midnight(last, days=1))

    def question(session: Session) -> tuple[list[PlateCard], bool]:
        found = search.plates(session, wanted, cursor, PAGE + 1)
        if found or near or cursor or wanted.is_pattern or len(normalised(fragment)) < MIN_LENGTH:
            return found, bool(near)
        return search.plates(session, replace(wanted, near=True), limit=PAGE + 1), True

    found, nearest = await ask(question)
    cards, more = found[:PAGE], len(found) > PAGE and not nearest
    filters = {"q": fragment, "unsure": unsure and "1", "near": near and "1", "first": first, "last": last}
    with frame(f"Plates with {fragment}" if fragment else "Plates", "/plates", fragment):
        with tag("div", "title-line"):
            title, note = heading(fragment, nearest, bool(near))
            parts.page_title(title, note)
            with tag("div", "switches"):
                switch(filters, "near", "Misread ones too")
                switch(filters, "unsure", "Unsure reads too")
        date_form(filters)
        if cards:
            with tag("div", "grid plates"):
                for card in cards:
                    parts.plate_card(card, zone(), now())
        else:
            nothing(fragment, bool(unsure), bool(wanted.since or wanted.until or cursor))
        older = addresses.url("/plates", filters | {"after": cursor_text(cards[-1].cursor)}) if more else None
        parts.pager(older, addresses.url("/plates", filters) if cursor else None)


def heading(fragment: str, nearest: bool, asked: bool) -> tuple[str, str]:
    if not fragment:
        return "Plates", "Last seen first"
    if nearest and not asked:
        return f"Plates like “{fragment}”", "No plate has exactly that; these may have been misread. Nearest first"
    return f"Plates with “{fragment}”", "Nearest first" if nearest else "Last seen first"


def switch(filters: dict[str, str], name: str, text: str) -> None:
    on = bool(filters[name])
    target = addresses.url("/plates", filters | {name: "" if on else "1"})
    with link(target, "switch" + (" on" if on else ""), role="switch", aria_checked="true" if on else "false"):
        tag("span", "knob")
        tag("span", text=text)


def date_form(filters: dict[str, str]) -> None:
    with tag("form", "filters", method="get", action="/plates"):
        for name in ("q", "unsure", "near"):
            if filters[name]:
                tag("input", type="hidden", name=name, value=filters[name])
        for name, label in (("first", "Seen from"), ("last", "Seen until")):
            with tag("label", "dated"):
                tag("span", "muted small", label)
                tag("input", "field", name=name, type="date", value=filters[name])
        tag("button", "button", "Filter", type="submit")


def nothing(fragment: str, unsure: bool, narrowed: bool) -> None:
    """``narrowed`` by something else than the text."""
    widen = "Try a shorter part of the plate" if fragment else "Widen the dates"
    if not fragment and not narrowed:
        parts.empty("pin", "No plates yet", "They appear here as soon as a clip has been looked through.")
    elif unsure:
        parts.empty("search_off", "Nothing like that was read", f"{widen}.")
    else:
        parts.empty("search_off", "No sure read matches", f"{widen}, or look at unsure reads too.")
