"""Trips: all of them by day, and one with its map, what happened on it, and ways to split and join."""

from collections.abc import Mapping
from itertools import groupby

from sqlalchemy.orm import Session

from app import addresses, media, system, wording, zones
from app.pages import parts, reading_again
from app.pages.frame import ask, frame, local_there, moment_of, now, zone
from app.pages.parts import icon, link, tag
from app.pages.still import still
from app.pages.tripwork import back_to_the_rule, join_button, listen, split_button, undo_bar
from dashcam.catalog import near_misses, routes
from dashcam.catalog import trips as trip_table
from dashcam.catalog.routes import Ends
from dashcam.catalog.trips import TripCard, TripDetail
from dashcam.catalog.videos import VideoCard
from dashcam.gps.trips import TripEvent

PAGE = 60
EVENTS = {
    "braking": ("Hard braking", "crisis_alert"),
    "cornering": ("Hard cornering", "turn_sharp_right"),
    "speeding": ("Speeding", "speed"),
    "stop": ("Long stop", "local_parking"),
}


async def trips(after: str = "") -> None:
    before = moment_of(after)

    def question(session: Session) -> tuple[list[TripCard], dict[int, Ends]]:
        cards = trip_table.trips(session, before, PAGE + 1)
        return cards, routes.ends(session, [card.trip_id for card in cards[:PAGE]])

    found, ends = await ask(question)
    cards, more = found[:PAGE], len(found) > PAGE
    with frame("Trips", "/trips"):
        parts.page_title("Trips")
        if not cards:
            parts.empty("route", "No trips yet", "They appear as soon as clips have been looked at.")
        here, at = zone(), now()
        with still():
            for day, of_day in groupby(cards, key=lambda card: card.start_utc.astimezone(here).date()):
                with parts.section(wording.day_title(day, at.astimezone(here).date())), tag("div", "panel"):
                    for card in of_day:
                        trip_row(card, zones.way(ends.get(card.trip_id)))
        older = addresses.url("/trips", {"after": cards[-1].start_utc.isoformat()}) if more else None
        parts.pager(older, "/trips" if before else None)


def trip_row(card: TripCard, towns: str) -> None:
    with link(addresses.trip_url(card.trip_id), "row trip-row"):
        tag("strong", "num when", wording.span(card.start_utc, card.end_utc, zone()))
        way = wording.distance(card.distance_m) if card.has_route else "no GPS"
        tag("span", "num way" if card.has_route else "muted way", way)
        tag("span", "muted num moving", f"{wording.footage(card.moving_s)} moving" if card.has_route else "")
        tag("span", "muted towns", towns)
        with tag("span", "chips"):
            if card.events:
                parts.chip(wording.count(len(card.events), "event"), icon_name="crisis_alert")
            if card.plates:
                parts.chip(wording.count(card.plates, "plate"), icon_name="pin")
            parts.chip(wording.count(card.clips, "clip"), icon_name="video_library")
        icon("chevron_right")


async def trip(trip_id: str, did: str = "", clip: str = "", was: str = "") -> None:
    def question(session: Session) -> tuple[TripDetail, Mapping[tuple[str, float], float]] | None:
        found = trip_table.trip(session, int(trip_id)) if trip_id.isdecimal() and len(trip_id) < 10 else None
        if found is None:
            return None
        return found, near_misses.misses(session, found.card.events, system.current().site.place)

    told = await ask(question)
    if told is None:
        with frame("No such trip", "/trips"):
            what = "It may have been joined with another one: see Trips."
            parts.empty("search_off", "There is no such trip", what, alone=True)
        return
    found, near = told
    card = found.card
    with frame(f"Trip of {wording.moment(card.start_utc, zone())}", "/trips"):
        undo_bar(did, clip, was)
        head(found)
        with tag("div", "columns trip-page"):
            with tag("div", "wide"):
                if card.has_route:
                    parts.map_frame(f"/maps{addresses.trip_url(card.trip_id)}", "Map of the trip")
                else:
                    parts.empty("location_off", "No positions", "The clips of this trip carry no GPS.")
                clips(found)
            with still("div", "narrow"):
                events(card, near)
                facts(card, found.time_zone)


def head(found: TripDetail) -> None:
    card, here = found.card, zone()
    with tag("div", "title-line"):
        day = wording.day_title(card.start_utc.astimezone(here).date(), now().astimezone(here).date())
        parts.page_title(day, wording.span(card.start_utc, card.end_utc, here))
        with tag("div", "actions"):
            link(f"{addresses.trip_url(card.trip_id)}/play", "button primary", "Play the trip")
            if found.before is not None:
                apart = wording.footage(found.before.apart_s)
                join_button(f"Join with the trip before, {apart} earlier", card.trip_id)
            if found.after is not None:
                apart = wording.footage(found.after.apart_s)
                join_button(f"Join with the next trip, {apart} later", found.after.trip_id)
            if found.driven:
                reading_again.button("Read its clips again", [clip.video_id for clip in found.driven])
    with tag("div", "counts"):
        for value, name in (
            (wording.distance(card.distance_m) if card.has_route else "unknown", "driven"),
            (wording.footage(card.moving_s) if card.has_route else "unknown", "moving"),
            (wording.speed(card.max_mps) if card.has_route else "unknown", "top speed"),
            (f"{card.plates:,}", "plates seen"),
        ):
            with tag("div", "count"):
                tag("strong", "num", value)
                tag("span", "muted", name)


def events(card: TripCard, near: Mapping[tuple[str, float], float]) -> None:
    """``near``: of near misses the seconds that were left (`near_misses`)."""
    with parts.section("What happened", count=f"{len(card.events):,}" if card.events else ""):
        if not card.events:
            tag("p", "muted", "No hard braking or cornering, no speeding, no long stop.")
            return
        with tag("ol", "panel events"):
            for event in card.events:
                with tag("li"), link(addresses.video_url(event.video_id, event.t_s), f"row event {event.kind}"):
                    name, symbol = EVENTS[event.kind]
                    name = wording.near_miss(name, near.get((event.video_id, event.t_s)))
                    icon(symbol)
                    tag("span", "grow", " ".join(filter(None, (name, zones.place(event.lat, event.lon)))))
                    tag("span", "num muted", event_value(event))
                    tag("span", "num", f"{event.utc.astimezone(zone()):%H:%M:%S}")


def event_value(event: TripEvent) -> str:
    if event.kind == "stop":
        return wording.footage(event.value)
    return wording.speed(event.value) if event.kind == "speeding" else f"{event.value:.1f} m/s²"


def facts(card: TripCard, time_zone: str) -> None:
    stops = sum(stop.duration_s for stop in card.stops)
    cameras = ", ".join(wording.CAMERA_NAMES.get(name, name) for name in card.cameras)
    with parts.section("Facts"):
        with tag("dl", "facts panel"):
            for name, value in (
                ("Start", wording.moment(card.start_utc, zone())),
                *local_there(time_zone, card.start_utc),
                ("End", wording.moment(card.end_utc, zone())),
                ("Stops", f"{len(card.stops)}, {wording.footage(stops)}" if card.stops else "none of a minute"),
                ("Clips", f"{card.clips:,}" + (f", {card.parked:,} parked after it" if card.parked else "")),
                ("Cameras", cameras or "not said"),
            ):
                with tag("div"):
                    tag("dt", text=name)
                    tag("dd", "num", value)
        parts.downloads({"trip": str(card.trip_id)}, track=card.has_route)


def clips(found: TripDetail) -> None:
    with still() as drawn:
        with parts.section("Clips", count=f"{len(found.driven):,}"), tag("ol", "panel moments"):
            for index, together in enumerate(moments(found.driven)):
                moment(found, together, first=index == 0)
        if found.parked:
            parked(found)
    listen(drawn, found.card.trip_id)


def parked(found: TripDetail) -> None:
    more = found.card.parked - len(found.parked)
    with parts.section("Parked", count=f"{found.card.parked:,}"):
        if more > 0:
            with tag("p", "muted"):
                tag("span", text=f"The newest {len(found.parked):,} are shown; {more:,} from before them are under ")
                link("/videos", "", "Videos")
        with tag("ol", "panel moments"):
            for clip in found.parked:
                with tag("li", "row"):
                    tag("span", "num when", wording.moment(clip.when, zone()))
                    clip_link(clip)


def moments(driven: list[VideoCard]) -> list[list[VideoCard]]:
    """Clips that ran together, as they are shown in one row."""
    rows: list[list[VideoCard]] = []
    for clip in driven:
        last = rows[-1][0] if rows else None
        half = (last.duration_s or 0) / 2 if last else 0
        alone = last is None or clip.camera in {other.camera for other in rows[-1]}
        if last is None or alone or (clip.when - last.when).total_seconds() >= half:
            rows.append([clip])
        else:
            rows[-1].append(clip)
    return rows


def moment(found: TripDetail, together: list[VideoCard], first: bool) -> None:
    decided = [(clip.video_id, found.decisions[clip.video_id]) for clip in together if clip.video_id in found.decisions]
    with tag("li", "row"):
        tag("span", "num when", f"{together[0].when.astimezone(zone()):%H:%M:%S}")
        for clip in together:
            clip_link(clip)
        plates = sum(clip.plates for clip in together)
        tag("span", "muted small num grow", wording.count(plates, "plate") if plates else "")
        for video_id, decision in decided:
            back_to_the_rule(video_id, decision)
        if not first and not decided:
            split_button(together[0].video_id, together[0].name)


def clip_link(clip: VideoCard) -> None:
    label = wording.CAMERA_NAMES.get(clip.camera or "", "Clip")
    with link(addresses.video_url(clip.video_id), f"clip-link {clip.kind}", title=clip.name):
        if clip.poster:
            parts.picture(media.poster_url(clip.video_id, clip.poster), "", "tiny")
        tag("span", text=label)
