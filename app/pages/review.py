"""What is to be looked at, drawn: trips with their plates, moments and doubtful reads, the month's days, the keys."""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from itertools import groupby
from typing import Any, Literal

from app import addresses, wording, zones
from app.found import TEMPLATES
from app.pages import parts
from app.pages.frame import now, zone
from app.pages.parts import link, tag
from app.pages.still import OwnHtml
from app.parameters import LARGEST
from dashcam.catalog.reviews import Mark
from dashcam.catalog.routes import Ends
from dashcam.catalog.sightings import SightingCard
from dashcam.catalog.suggestions import Suggestion
from dashcam.catalog.tonight import TripNews
from dashcam.catalog.trip_items import Item, ItemKind
from dashcam.gps import home
from dashcam.gps.trips import TripEvent

TITLES: dict[ItemKind, str] = {
    "watched": "Watched",
    "again": "Seen before",
    "moment": "Moments",
    "doubt": "Not sure: worth a look",
    "first": "Seen for the first time",
}
MOMENTS = {
    "braking": ("Braked hard", "crisis_alert"),
    "cornering": ("Took a bend fast", "turn_sharp_right"),
    "speeding": ("Went fast", "speed"),
    "stop": ("Stood long", "local_parking"),
}
KEYS = (
    ("J", "the next one"),
    ("K", "the one before"),
    ("Enter", "open it"),
    ("X", "reviewed; on a trip's name all of the trip"),
    ("Y", "two plates are one car"),
    ("N", "they are two, never ask again"),
    ("U", "take the last mark or answer back"),
    ("?", "this list"),
)
LONGEST_PAIR = 64
Act = tuple[Literal["day", "trip", "one", "undo"], int, Mark | None]


@dataclass(frozen=True)
class Shown:
    """What of all that is not reviewed a page shows."""

    account_id: int
    month: date
    """Its first day."""
    day: date | None = None
    since: datetime | None = None


@dataclass(frozen=True)
class Tonight:
    trips: list[TripNews]
    days: list[tuple[date, bool]]
    """Of the month, each with whether anything of it is not reviewed."""
    any_clips: bool
    pairs: list[Suggestion] = field(default_factory=list)
    """Two plates each that are probably one car."""
    ends: dict[int, Ends] = field(default_factory=dict)
    """Where the trips began and ended."""
    unweighed: list[int] = field(default_factory=list, compare=False)
    """Plates of which it is not known yet how they were met."""
    drawn: dict[tuple[tzinfo | None, date, str], str] = field(default_factory=dict, compare=False)
    """`piece`, by the zone and the day of whoever looks, and by what is hidden from them."""


def date_of(text: str) -> date | None:
    """A day as an address has it; None when it is none, or so near the ends of time that it has no neighbours."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1970 <= found.year <= 2100 else None


def asked_for(said: Any) -> Act | None:
    """What the browser asks for: a trip's number, and one thing of it as ``kind:clip:milliseconds``."""
    if not isinstance(said, dict):
        return None
    if said.get("act") == "undo":
        return "undo", 0, None
    trip, key = str(said.get("trip") or ""), str(said.get("key") or "")
    if not trip.isdecimal() or int(trip[:20]) > LARGEST:
        return None
    if key.startswith(("trip:", "day:")):
        return ("trip" if key.startswith("trip:") else "day"), int(trip), None
    kind, _, rest = key.partition(":")
    video_id, _, ms = rest.partition(":")
    if kind not in ("plate", "moment") or not ms.isdecimal() or len(ms) > 12:
        return None
    return "one", int(trip), Mark(video_id, "plate" if kind == "plate" else "moment", int(ms) / 1000)


def draw(wanted: Shown, found: Tonight) -> None:
    """In what is `still`."""
    if not found.any_clips:
        return
    month(wanted, found.days)
    left = [trip for trip in found.trips if not trip.reviewed]
    tag("p", "news-line", summary(wanted, left), role="status")
    if wanted.day is not None and dict(found.days).get(wanted.day):
        whole_day(wanted.day)
    if found.pairs:
        one_car(found.pairs)
    if not found.trips:
        calm(wanted, found)
    OwnHtml(piece(found))


def piece(found: Tonight) -> str:
    """The trips; what is remembered is drawn once."""
    by = zone(), now().astimezone(zone()).date(), repr(zones.hidden())
    if by not in found.drawn:
        trips = [trip_of(trip, zones.way(found.ends.get(trip.trip_id))) for trip in found.trips]
        found.drawn[by] = TEMPLATES.get_template("tonight.html").render(trips=trips)
    return found.drawn[by]


def pair_of(said: Any) -> tuple[bool, str, str] | None:
    """A person's answer about two plates: whether they are one car."""
    key = said.get("key") if isinstance(said, dict) and said.get("act") in ("yes", "no") else None
    kind, _, texts = str(key or "").partition(":")
    one, _, into = texts.partition(":")
    if kind != "pair" or not (one and into and f"{one}{into}".isalnum() and len(texts) <= LONGEST_PAIR):
        return None
    return said["act"] == "yes", one, into


def one_car(pairs: Sequence[Suggestion]) -> None:
    with tag("section", "trip-news"):
        with tag("div", "news-head"):
            tag("h2", text="Probably one car")
            tag("span", "muted small", "Yes shows both as one plate; after a no nobody asks again. U takes it back.")
        with tag("ul", "news pair"):
            for pair in pairs:
                one, into = pair.one, pair.into
                with tag("li", data_key=f"pair:{one.text}:{into.text}", data_trip="0"):
                    draw_pair(pair)
                    for answer, label in (("yes", "Yes, one car"), ("no", "No, two cars")):
                        name = f"{label}: {one.text} and {into.text}"
                        tag("button", f"button small answer {answer}", label, type="button", aria_label=name)


def draw_pair(pair: Suggestion) -> None:
    with link(addresses.video_url(pair.one.video_id, pair.one.best_s), "pick"):
        for card in (pair.one, pair.into):
            parts.picture(addresses.media_url(card.video_id, card.crop), f"Number plate {card.text}", "crop")
        with tag("span", "line"):
            parts.plate_text(pair.one.text)
            tag("span", "muted small", "and")
            parts.plate_text(pair.into.text)
        why = "read a moment apart at one place of the picture" if pair.together else "one after the other on the road"
        if not pair.one.confirmed:
            why += f", {pair.one.text} unsurely"
        tag("span", "muted small", why)


def whole_day(day: date) -> None:
    """Its clips that are in no trip too."""
    name = f"{day.day} {day:%B}"
    with tag("p", "whole-day", data_key="day:", data_trip="0"):
        tag("button", "button small check-all", f"All of {name} is reviewed", type="button")


def summary(wanted: Shown, trips: Sequence[TripNews]) -> str:
    if wanted.day is not None:
        day = wording.day_title(wanted.day, now().astimezone(zone()).date())
        return f"{day}: {wording.count(len(trips), 'trip')} not reviewed." if trips else f"{day}: no trip to review."
    if not trips:
        return "Nothing is left to look at."
    firsts = sum(item.kind == "first" for trip in trips for item in trip.items)
    firsts += sum(trip.more.get("first", 0) for trip in trips)
    new = sum(trip.is_new for trip in trips)
    last = f" Since your last visit, {wording.ago(wanted.since, now())}: {new:,}." if wanted.since else ""
    plates = f", {wording.count(firsts, 'plate')} seen for the first time" if firsts else ""
    return f"{wording.count(len(trips), 'trip')} to look at{plates}.{last}"


def calm(wanted: Shown, found: Tonight) -> None:
    if wanted.day is not None:
        parts.empty("event_available", "No trip on that day", "The days with a dot have clips that are not reviewed.")
    elif any(dot for _, dot in found.days):
        parts.empty(
            "done_all", "The newest trips are reviewed", "The days with a dot above have older clips: choose one."
        )
    else:
        parts.empty(
            "done_all", "Nothing to look at tonight", "Everything is reviewed. New trips appear here by themselves."
        )


def month(wanted: Shown, days: Sequence[tuple[date, bool]]) -> None:
    first = wanted.month
    piece = TEMPLATES.get_template("month.html").render(
        title=f"{first:%B %Y}",
        before=other_month(first - timedelta(days=1)),
        after=other_month(first + timedelta(days=32)),
        of_a_day=wanted.day is not None,
        days=[day_of(day, dot, day == wanted.day) for day, dot in days],
    )
    OwnHtml(piece)


def day_of(day: date, dot: bool, here: bool) -> dict[str, Any]:
    state = "not reviewed" if dot else "nothing to review"
    name = f"{calendar.day_name[day.weekday()]}, {day.day} {day:%B}: {state}"
    return {"number": day.day, "dot": dot, "href": f"/?day={day}", "name": name, "here": here}


def other_month(day: date) -> dict[str, str]:
    return {"name": f"{day:%B %Y}", "href": f"/?month={day:%Y-%m}"}


def trip_of(trip: TripNews, way: str) -> dict[str, Any]:
    here = zone()
    day = wording.day_title(trip.start_utc.astimezone(here).date(), now().astimezone(here).date())
    facts = [way] if way else []
    facts += [wording.distance(trip.distance_m)] if trip.has_route else []
    facts += [wording.count(trip.clips, "clip")] + ([wording.count(trip.plates, "plate")] if trip.plates else [])
    return {
        "number": trip.trip_id,
        "href": addresses.trip_url(trip.trip_id),
        "title": f"{day}, {wording.span(trip.start_utc, trip.end_utc, here)}",
        "day": day,
        "is_new": trip.is_new,
        "reviewed": trip.reviewed,
        "facts": " · ".join(facts),
        "groups": [
            {"kind": kind, "title": TITLES[kind], "items": [item_of(one) for one in group], "rest": trip.more.get(kind)}
            for kind, group in groupby(shown(trip), key=lambda item: item.kind)
        ],
    }


def shown(trip: TripNews) -> list[Item]:
    """But for what viewers are not shown: what happened in a home zone."""
    cut = zones.hidden()
    return [one for one in trip.items if one.event is None or not home.is_inside(cut, one.event.lat, one.event.lon)]


def item_of(item: Item) -> dict[str, Any]:
    mark = item.mark
    known = {"key": f"{mark.kind}:{mark.video_id}:{mark.at_ms}", "reviewed": item.reviewed}
    if item.event is not None:
        return known | moment_of(mark, item.event, item.left_s)
    return known | (plate_of(item, item.card) if item.card is not None else {})


def moment_of(mark: Mark, event: TripEvent, left_s: float | None) -> dict[str, Any]:
    name, symbol = MOMENTS[event.kind]
    name = wording.near_miss(name, left_s)
    at = f"{event.utc.astimezone(zone()):%H:%M:%S}"
    href = addresses.video_url(mark.video_id, mark.at_s)
    return {"name": name, "symbol": symbol, "at": at, "href": href, "spoken": f"{name} at {at}"}


def plate_of(item: Item, card: SightingCard) -> dict[str, Any]:
    history = item.kind in ("watched", "again")
    when = f"{card.seen_utc.astimezone(zone()):%H:%M:%S}" if card.seen_utc else "time unknown"
    met = item.met if item.met is not None and item.met.trips else None
    return {
        "href": addresses.plate_url(card.text) if history else addresses.video_url(item.mark.video_id, item.mark.at_s),
        "picture": addresses.media_url(card.video_id, card.crop),
        "text": wording.plate(card.text),
        "hashed": wording.HASHED if wording.is_hashed(card.text) else "",
        "level": wording.sureness(card.confidence),
        "confidence": wording.percent(card.confidence),
        "when": when + (f" · {item.times}× on this trip" if item.times > 1 else ""),
        "met": wording.met_briefly(met) if met else "",
        "met_level": met.level if met else "",
        "may_be": item.watched if item.watched not in ("", card.text) else "",
        "spoken": wording.plate(card.text),
    }


def keys_button() -> None:
    with tag("div"):
        tag("button", "button quiet", "Undo", type="button", id="undo", title="Take the last mark back (U)")
        tag("button", "button quiet", "Keys", type="button", id="show-keys", title="The keys of this page (?)")


def keys_sheet() -> None:
    with tag("dialog", "keys", id="keys", aria_labelledby="keys-title"):
        tag("h2", text="Keys", id="keys-title")
        with tag("dl", "facts"):
            for key, what in KEYS:
                with tag("div"):
                    with tag("dt"):
                        tag("kbd", text=key)
                    tag("dd", text=what)
        with tag("form", method="dialog"):
            tag("button", "button", "Close", type="submit")
