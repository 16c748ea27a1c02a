"""What a search of plates has found, as a piece of HTML: the page shows it, and asks for it anew as somebody types."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader
from sqlalchemy.orm import Session

from app import addresses, system, wording
from app.access import callers
from app.answers import of_the_catalogue
from app.searching import DEFAULTS, Asked, understood
from dashcam.catalog import search
from dashcam.catalog.likeness import Difference
from dashcam.catalog.plate_filter import PlateFilter
from dashcam.catalog.plate_text import MIN_LENGTH, looked_for, normalised
from dashcam.catalog.plates import PlateCard
from dashcam.database import reading

PAGE = 60
FIRST_MERGED = 3
"""Of the texts that were merged into a plate so many are named."""
HERE = "/plates"
SORTS = {
    "last": "Last seen first",
    "first": "First seen first",
    "most": "Most often seen first",
    "sure": "Surest first",
}
REVIEWED = {True: "Reviewed by you", False: "Not reviewed by you"}
TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class FoundPlates:
    cards: list[PlateCard]
    more: bool
    near: bool
    """Misreadings are among them, asked for or not."""


@router.get("/found/plates")
def found_plates(request: Request) -> HTMLResponse:
    """The piece of the page that changes as somebody types; the parameters are the page's."""
    asked, skip = understood(request.query_params), skipped(request)
    here = system.current()
    with reading(here.engine) as session:
        answer = find(session, asked, skip)
    return HTMLResponse(piece(asked, skip, answer, here.zone(), datetime.now().astimezone()))


def skipped(request: Request) -> int:
    text = request.query_params.get("skip", "")
    return min(int(text), 10_000) if text.isdecimal() and len(text) < 6 else 0


def find(session: Session, asked: Asked, skip: int = 0) -> FoundPlates:
    """Misreadings come in by themselves where nothing has exactly that, unless they were switched off."""
    wanted = asked.wanted()
    cards = looked_through(session, wanted, skip) if wanted.text else listed(session, wanted, skip)
    near = wanted.is_near
    if not cards and not skip and asked.near is None and len(normalised(wanted.text)) >= MIN_LENGTH:
        near = True
        cards = search.plates(session, replace(wanted, near=True), limit=PAGE + 1)
    return FoundPlates(cards[:PAGE], len(cards) > PAGE, near)


def listed(session: Session, wanted: PlateFilter, skip: int) -> list[PlateCard]:
    """What is there without a text is remembered: it is opened every evening, where what is typed is asked once."""
    ask = partial(looked_through, session, wanted, skip)
    return system.current().answers.of(("plates", wanted, skip, callers.view()), of_the_catalogue(), ask)


def looked_through(session: Session, wanted: PlateFilter, skip: int) -> list[PlateCard]:
    return search.plates(session, wanted, limit=PAGE + 1, skip=skip)


def piece(asked: Asked, skip: int, found: FoundPlates, zone: tzinfo | None, now: datetime) -> str:
    title, note = heading(asked, found)
    narrowed = bool(chips(asked, zone))
    return TEMPLATES.get_template("plates.html").render(
        title=title,
        note=note,
        switches=list(switches(asked, found)),
        chips=chips(asked, zone),
        bare=addresses.url(HERE, {"q": asked.q}),
        cards=[card_of(card, zone, now) for card in found.cards],
        nothing=nothing(asked, narrowed or bool(skip)),
        junk="" if asked.unsure or asked.only_unsure or skip else link(asked, only_unsure=True),
        export=addresses.url("/export/sightings.csv", replace(asked, near=found.near).address()) if found.cards else "",
        older=link(asked, skip=skip + PAGE) if found.more else "",
        newest=link(asked) if skip else "",
    )


def link(asked: Asked, skip: int = 0, **other: Any) -> str:
    return addresses.url(HERE, asked.address(**other) | ({"skip": str(skip)} if skip else {}))


def heading(asked: Asked, found: FoundPlates) -> tuple[str, str]:
    text = looked_for(asked.q)
    count = f"{len(found.cards)}{'+' if found.more else ''} " + ("plate" if len(found.cards) == 1 else "plates")
    notes = [count, SORTS[replace(asked, near=found.near).wanted().order]]
    if left := left_out(asked.q):
        notes.insert(0, f"{left} is on no plate and is left out")
    if found.near and asked.near is None:
        notes.insert(0, "No plate has exactly that: these may have been misread")
    if not text:
        return ("Unsure reads" if asked.only_unsure else "Plates"), " · ".join(notes)
    kind = "like" if found.near else "matching" if "?" in text or "*" in text else "with"
    return f"Plates {kind} “{text}”", " · ".join(notes)


def left_out(typed: str) -> str:
    """The signs that no plate has; spaces and dashes are how people write plates."""
    return " ".join(dict.fromkeys(f"“{one}”" for one in typed if not one.isalnum() and one not in "?*- ·."))


def switches(asked: Asked, found: FoundPlates) -> Iterator[dict[str, Any]]:
    if normalised(asked.q):
        # "0" is what switches off what comes in by itself
        yield {"text": "Misread ones too", "on": found.near, "href": link(asked, near="0" if found.near else "1")}
    yield {"text": "Unsure reads too", "on": asked.unsure or asked.only_unsure,
           "href": link(asked, unsure=not (asked.unsure or asked.only_unsure), only_unsure=False)}  # fmt: skip


def chips(asked: Asked, zone: tzinfo | None) -> list[dict[str, str]]:
    """What narrows the search down beside its text, each with the address without it."""

    def moment(when: datetime) -> str:
        return wording.moment(system.with_zone(when), zone)

    said = {
        "first": asked.first and f"From {asked.first:%-d %b %Y}",
        "last": asked.last and f"Until {asked.last:%-d %b %Y}",
        "since": asked.since and f"Since {moment(asked.since)}",
        "until": asked.until and f"Before {moment(asked.until)}",
        "trip": asked.trip is not None and f"Trip {asked.trip}",
        "box": asked.box and "In an area of the map",
        "camera": asked.camera and f"{wording.CAMERA_NAMES.get(asked.camera, asked.camera)} camera",
        "kind": asked.kind and f"{wording.KIND_NAMES.get(asked.kind, 'Normal')} clips",
        "confidence": asked.confidence and f"At least {wording.percent(asked.confidence)} sure",
        "times": asked.times > 1 and f"Seen {asked.times} times or more",
        "tag": asked.tag and f"Tagged {asked.tag}",
        "reviewed": asked.reviewed is not None and REVIEWED[asked.reviewed],
        "only_unsure": asked.only_unsure and "Unsure reads alone",
    }
    return [
        {"text": str(text), "href": link(replace(asked, **{name: DEFAULTS[name]}))}
        for name, text in said.items()
        if text
    ]


def card_of(card: PlateCard, zone: tzinfo | None, now: datetime) -> dict[str, Any]:
    last, match = card.last, card.match
    differs = match.differences if match else ()
    return {
        "alt": wording.crop_of(card.text),
        "hashed": wording.HASHED if wording.is_hashed(card.text) else "",
        "href": addresses.plate_url(card.text),
        "picture": addresses.media_url(last.video_id, last.crop),
        "sure": last.confirmed,
        "pieces": list(pieces(wording.plate(card.text), differs)),
        "why": merged(card.merged) if card.merged else "; ".join(map(why, differs)),
        "likely": likely(match.likelihood) if match else "",
        "confidence": wording.percent(last.confidence),
        "level": wording.sureness(last.confidence),
        "when": wording.short_moment(last.seen_utc, zone, now) if last.seen_utc else "time unknown",
        "when_exactly": wording.moment(last.seen_utc, zone) if last.seen_utc else "time unknown",
        "times": card.sightings,
        "times_said": wording.count(card.sightings, "sighting"),
    }


def likely(share: float) -> str:
    return "100 %" if share == 1 else "<1 %" if share < 0.01 else f"{min(99, round(share * 100))} %"


def pieces(text: str, differs: tuple[Difference, ...]) -> Iterator[dict[str, str]]:
    """The plate's text in order, what differs with why; a character that is missing is shown as a gap."""
    at = 0
    for one in sorted(differs, key=lambda difference: difference.at):
        yield {"text": text[at : one.at], "said": ""}
        yield {"text": one.read or "·", "said": why(one)}
        at = one.at + len(one.read)
    yield {"text": text[at:], "said": ""}


def why(one: Difference) -> str:
    if not one.read:
        return f"{one.asked} was not read"
    if not one.asked:
        return f"{one.read} is one more"
    return f"read as {one.read}, you asked {one.asked}"


def merged(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - FIRST_MERGED:,} more" if len(texts) > FIRST_MERGED else ""
    return f"{', '.join(texts[:FIRST_MERGED])}{more}: merged into this plate"


def nothing(asked: Asked, narrowed: bool) -> dict[str, str]:
    """``narrowed`` by something else than the text."""
    text = looked_for(asked.q)
    dated = asked.first or asked.last or asked.since or asked.until
    widen = "Try a shorter part of the plate" if text else "Widen the dates" if dated else "Remove a filter"
    icon, title, what_to_do = "search_off", "No sure read matches", f"{widen}, or look at unsure reads too."
    if not text and not narrowed:
        icon, title = "pin", "No plates yet"
        what_to_do = "They appear here as soon as a clip has been looked through."
    elif asked.unsure or asked.only_unsure:
        title, what_to_do = "Nothing like that was read", f"{widen}."
    if wording.is_hashed(asked.q):
        title = "No plate is found by its hash"
        what_to_do = "A hashed plate is reached from where it was seen: from the page of a clip, or a map."
    return {"icon": icon, "title": title, "what_to_do": what_to_do}
