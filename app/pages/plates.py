"""Plates: searched by what is remembered, and one plate with everything seen of it."""

from dataclasses import replace

from sqlalchemy.orm import Session

from app import addresses, wording
from app.pages import deletion, parts
from app.pages.frame import ask, cursor_of, cursor_text, frame, midnight, now, zone
from app.pages.parts import icon, link, tag
from dashcam.catalog import plates as plate_table
from dashcam.catalog import search
from dashcam.catalog import sightings as sighting_table
from dashcam.catalog.plate_text import MIN_LENGTH, normalised
from dashcam.catalog.plates import PlateCard, PlateSummary
from dashcam.catalog.search import PlateFilter
from dashcam.catalog.sightings import SightingCard
from dashcam.upkeep.deleting import Wanted

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


async def plate(text: str, after: str = "") -> None:
    cursor = cursor_of(after, int)

    def question(session: Session) -> tuple[PlateSummary, list[SightingCard]] | None:
        summary = plate_table.plate(session, text)
        if summary is None:
            return None
        return summary, list(sighting_table.of_plate(session, summary.plate_id, cursor, PAGE + 1))

    found = await ask(question)
    if found is None:
        with frame(f"Plate {text}", "/plates"):
            parts.empty("search_off", f"{text} has not been seen", "Search for a part of it in the box above.")
        return
    summary, seen = found
    with frame(f"Plate {summary.text}", "/plates"):
        head(summary)
        with tag("div", "columns plate-page"):
            with tag("div", "wide"):
                sighting_list(seen[:PAGE])
                here = addresses.plate_url(summary.text)
                last = seen[PAGE - 1].cursor if len(seen) > PAGE else None
                older = addresses.url(here, {"after": cursor_text(last)}) if last else None
                parts.pager(older, here if cursor else None)
            with tag("div", "narrow"):
                if summary.placed:
                    map_frame(f"/maps{addresses.plate_url(summary.text)}", f"Map of where {summary.text} was seen")
                else:
                    parts.empty("location_off", "No positions", "The clips with this plate carry no GPS.")
                deletion.section("this plate", Wanted(plate=summary.text), "/plates")


def head(summary: PlateSummary) -> None:
    with tag("div", "plate-head"):
        parts.plate_text(summary.text, "big", "h1")
        with tag("dl", "facts inline"):
            unsure = summary.sightings - summary.confirmed
            sightings = f"{summary.sightings:,}" + (f" ({unsure:,} unsure)" if unsure else "")
            for name, value in (
                ("Sightings", sightings),
                ("In videos", f"{summary.videos:,}"),
                ("First seen", wording.moment(summary.first_seen, zone()) if summary.first_seen else "unknown"),
                ("Last seen", wording.moment(summary.last_seen, zone()) if summary.last_seen else "unknown"),
            ):
                with tag("div"):
                    tag("dt", text=name)
                    tag("dd", "num", value)


def map_frame(source: str, title: str) -> None:
    tag("iframe", "map", src=source, title=title, loading="lazy")


def sighting_list(seen: list[SightingCard]) -> None:
    with tag("ol", "sightings"):
        for one in seen:
            sure = "" if one.confirmed else " unsure"
            with tag("li"), link(addresses.video_url(one.video_id, one.best_s), f"card sighting{sure}"):
                parts.picture(addresses.media_url(one.video_id, one.crop), f"Number plate {one.text}", "crop")
                with tag("div", "card-body"):
                    with tag("div", "line"):
                        tag("strong", "num", parts.sighting_when(one, zone()))
                        parts.confidence(one.confidence)
                    with tag("div", "line muted small"):
                        at = f"{one.video_name} at {wording.second(one.best_s)}"
                        tag("span", "name num", at, title=at)
                        if one.camera:
                            parts.chip(wording.CAMERA_NAMES.get(one.camera, one.camera))
                        if not one.confirmed:
                            parts.chip("unsure")
                        if one.lat is not None and one.lon is not None:
                            with tag("span", "place num"):
                                icon("place")
                                tag("span", text=f"{one.lat:.5f}, {one.lon:.5f}")
