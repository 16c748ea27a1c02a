"""One plate, with everything seen of it."""

import math
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import addresses, system, wording, zones
from app.access import callers
from app.pages import deletion, parts, plate_acts, plate_days, plate_known, plate_reads
from app.pages.frame import ask, cursor_of, cursor_text, day_of, frame, zone
from app.pages.parts import icon, link, tag
from app.pages.plate_days import SeenDays
from app.pages.still import still
from dashcam.catalog import corrections
from dashcam.catalog import plates as plate_table
from dashcam.catalog import sightings as sighting_table
from dashcam.catalog.corroboration import Corroboration, corroborations
from dashcam.catalog.encounters import Met
from dashcam.catalog.meanings import Weighing
from dashcam.catalog.models import TripRow
from dashcam.catalog.plates import PlateSummary
from dashcam.catalog.sightings import SightingCard
from dashcam.upkeep.deleting import Wanted

PAGE = 60


@dataclass(frozen=True)
class PageOfPlate:
    """``seen`` is one more than a page where there are older ones; ``read`` what the machine has read otherwise."""

    summary: PlateSummary
    days: SeenDays | None
    seen: list[SightingCard]
    read: dict[int, str]
    others: dict[int, Corroboration]
    known: plate_known.Known
    how: Met | None
    """None of one's own car, and of one to be ignored."""
    placed: bool
    """Any of it, or of the day that is asked for, has a position."""


async def plate(text: str, after: str = "", day: str = "", did: str = "", of: str = "") -> None:
    cursor = cursor_of(after, int)
    chosen, span = day_of(day) or (None, None)

    def question(session: Session) -> PageOfPlate | None:
        summary = plate_table.plate(session, text)
        if summary is None:
            return None
        cards = sighting_table.of_plate(session, summary.plate_id, cursor, PAGE + 1, span=span)
        read = corrections.read_otherwise(session, [one.sighting_id for one in cards])
        days = plate_days.seen_days(session, summary, chosen, zone())
        others = corroborations(session, cards)
        known = plate_known.known(session, summary.text)
        quiet = known.note.own or known.note.ignored
        how = None if quiet else how_met(session, summary.plate_id)
        of_day = [] if span is None else sighting_table.of_plate(session, summary.plate_id, None, 1, True, span=span)
        placed = bool(of_day) if span else bool(summary.placed)
        return PageOfPlate(summary, days, cards, read, others, known, how, placed)

    found = await ask(question)
    if found is None:
        with frame(f"Plate {text}", "/plates"):
            plate_acts.undo_bar(did, of)
            what = "Search for a part of it in the box above."
            parts.empty("search_off", f"{text} has not been seen", what, alone=True)
        return
    summary, seen = found.summary, found.seen
    with frame(f"Plate {wording.plate(summary.text)}", "/plates", own=("plate.css", "plate.js")):
        plate_acts.undo_bar(did, of)
        head(summary, found.how)
        plate_known.section(summary.text, found.known)
        with tag("div", "columns plate-page"):
            with tag("div", "wide"):
                if found.days is not None:
                    plate_days.strip(summary.text, found.days, chosen)
                plate_acts.toolbar(summary.text)
                sighting_list(seen[:PAGE], found.read, found.others)
                whole = {"day": day} if chosen else {}
                here = addresses.url(addresses.plate_url(summary.text), whole)
                after = cursor_text(seen[PAGE - 1].cursor) if len(seen) > PAGE else ""
                older = addresses.url(addresses.plate_url(summary.text), whole | {"after": after}) if after else None
                parts.pager(older, here if cursor else None)
            with tag("div", "narrow"):
                where_seen(summary.text, found.placed, whole)
                plate_acts.merging(summary.text)
                deletion.hiding("this plate", Wanted(plate=summary.text), "/plates")
                deletion.section("this plate", Wanted(plate=summary.text), "/plates")


def how_met(session: Session, plate_id: int) -> Met:
    """Weighed no more often than for Tonight, but anew as soon as trips have come, gone, or been split and joined."""
    trips = session.execute(select(func.count(), func.max(TripRow.trip_id))).one()
    look = Weighing(session, system.current().meanings, zone(), math.inf, (callers.view(), *trips))
    return look.at([plate_id])[plate_id]


def where_seen(text: str, placed: bool, whole: dict[str, str]) -> None:
    if placed:
        source = addresses.url(f"/maps{addresses.plate_url(text)}", whole)
        parts.map_frame(source, f"Map of where {wording.plate(text)} was seen" + (" on this day" if whole else ""))
    elif whole:
        parts.empty("location_off", "No positions on this day", "Its clips with this plate carry no GPS.")
    else:
        parts.empty("location_off", "No positions", "The clips with this plate carry no GPS.")


def head(summary: PlateSummary, how: Met | None) -> None:
    with tag("div", "plate-head"):
        parts.plate_text(summary.text, "big", "h1")
        if wording.is_hashed(summary.text):
            tag("p", "muted", wording.HASHED)
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
        if how is not None and how.trips:
            with tag("p", f"met {how.level}"):
                if how.level == "unusual":
                    parts.chip("Unusual", icon_name="route")
                tag("span", text=wording.met(how))


def sighting_list(seen: list[SightingCard], read: dict[int, str], others: dict[int, Corroboration]) -> None:
    with still("ol", "sightings"):
        for one in seen:
            sure = "" if one.confirmed else " unsure"
            with tag("li", id=f"s{one.sighting_id}"):
                if not wording.is_hashed(one.text):
                    plate_acts.choose(one.sighting_id, parts.sighting_when(one, zone()))
                sighting_card(one, sure, read.get(one.sighting_id))
                if other := others.get(one.sighting_id):
                    other_camera(other)
                with tag("div", "below"):
                    on_the_map(one)
                    plate_reads.details(one.sighting_id)


def on_the_map(one: SightingCard) -> None:
    if one.lat is None or one.lon is None:
        return
    place = f"{one.lat},{one.lon}"
    with tag("button", "small", type="button", data_pin=str(one.sighting_id), data_place=place):
        tag("span", text="On the map")
        tag("span", "spoken", f", {parts.sighting_when(one, zone())}")


def sighting_card(one: SightingCard, sure: str, read: str | None) -> None:
    with link(addresses.video_url(one.video_id, one.best_s), f"card sighting{sure}"):
        parts.picture(addresses.media_url(one.video_id, one.crop), wording.crop_of(one.text), "crop")
        with tag("div", "card-body"):
            with tag("div", "line"):
                tag("strong", "num", parts.sighting_when(one, zone()))
                parts.confidence(one.confidence)
            with tag("div", "line muted small"):
                at = f"{one.video_name} at {wording.second(one.best_s)}"
                tag("span", "name num", at, title=at)
                if one.camera:
                    parts.chip(wording.CAMERA_NAMES.get(one.camera, one.camera))
                if read:
                    parts.chip(f"read as {wording.plate(read)}")
                if not one.confirmed:
                    parts.chip("unsure")
                if one.lat is not None and one.lon is not None:
                    with tag("span", "place num"):
                        icon("place")
                        at = f"{one.lat:.5f}, {one.lon:.5f}"
                        tag("span", "", zones.place(one.lat, one.lon) or at, title=at)


def other_camera(other: Corroboration) -> None:
    when = f"{wording.footage(other.apart_s)} {'later' if other.later else 'before'}"
    with tag("p", "other-camera muted small"):
        with link(addresses.video_url(other.video_id, other.best_s), ""):
            tag("span", text=f"{wording.CAMERA_NAMES[other.camera]} camera {when}")
        tag("span", text=f": {other.passing}. By both {wording.percent(other.together)} sure.")
