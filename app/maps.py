"""The maps of a clip, of a trip and of a plate: routes coloured by speed, sightings as pins.

What is shown in a pin's popup becomes text in the browser (``static/map.js``), never HTML.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import nicegui
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import FileResponse, HTMLResponse

from app import addresses, kept, system, wording, zones
from app.map_sheet import Drawn, Map, answer, below, blank_map
from app.parameters import Number, cursor_text, day_of
from dashcam.catalog import home_zones, seen_at
from dashcam.catalog import plates as plate_table
from dashcam.catalog import sightings as sighting_table
from dashcam.catalog import trips as trip_table
from dashcam.catalog.models import TripRow, Video
from dashcam.catalog.paging import Cursor
from dashcam.catalog.places import fixes_of_each, track_of
from dashcam.catalog.seen_at import SeenAt
from dashcam.catalog.sightings import SightingCard
from dashcam.database import reading
from dashcam.gps import home
from dashcam.gps.plane import Plane
from dashcam.gps.track import Track
from dashcam.gps.trips import TripEvent
from dashcam.records import Fix

LEAFLET = Path(nicegui.__file__).parent / "elements" / "leaflet" / "dist"
SPEEDS = ((30, "#5b8def"), (50, "#2fa58a"), (80, "#d9a521"), (110, "#e4772e"), (float("inf"), "#d6455d"))
"""km/h up to which a colour is used."""
UNKNOWN_SPEED = "#7c8896"
GAP_S = 10.0
"""Fixes further apart are not joined by a line: nobody knows the way between them."""
MANY = 2000
"""Most pins on one map."""

FOLLOW_STEP_S = 0.2
MOST_FIXES = 6000
"""About as many of a trip's fixes are drawn."""
EVENT_NAMES = {"braking": "Hard braking", "cornering": "Hard cornering", "speeding": "Speeding", "stop": "Long stop"}
EVENT_COLOURS = {"braking": "#b42318", "cornering": "#b45309", "speeding": "#86198f", "stop": "#475569"}

router = APIRouter(include_in_schema=False)


def route_map(fixes: Sequence[Fix], seen: Sequence[SeenAt]) -> HTMLResponse:
    """The page with one clip's route and what was seen on it."""
    view = map_of(fixes, seen)
    add_route(view, fixes, GAP_S)
    Drawn("dashcamFollow", followed(fixes), GAP_S).add_to(view)
    add_pins(view, seen)
    return answer(view, places_of(fixes, seen))


def trip_map(
    clips: Sequence[tuple[Video, Sequence[Fix]]], seen: Sequence[SeenAt], start: datetime, events: Sequence[TripEvent]
) -> HTMLResponse:
    """The page with a trip's route from the fixes of its clips, what happened on it, and what was seen."""
    every = 1 + sum(len(fixes) for _, fixes in clips) // MOST_FIXES
    drawn = [(clip, fix) for clip, fixes in clips for fix in fixes[::every]]
    route = [fix.model_copy(update={"t_s": (fix.utc - drawn[0][1].utc).total_seconds()}) for _, fix in drawn]
    view = map_of(route, seen)
    add_route(view, route, GAP_S * every)
    add_jumps(view, drawn, start, GAP_S * every)
    add_pins(view, seen)
    if told := [one for one in events if not home.is_inside(zones.hidden(), one.lat, one.lon)]:
        happened = (({"type": "Point", "coordinates": (one.lon, one.lat)}, event_pin(one)) for one in told)
        Drawn("dashcamEvents", collection(happened)).add_to(view)
    return answer(view, places_of(route, seen))


def sightings_map(seen: Sequence[SeenAt]) -> HTMLResponse:
    """The page of a plate, with a pin for each sighting that has a position; it leads to the list, and that to it."""
    view = map_of([], seen)
    Drawn("dashcamList").add_to(view)
    add_pins(view, seen)
    return answer(view, places_of([], seen))


def places_of(fixes: Sequence[Fix], seen: Sequence[SeenAt]) -> list[tuple[float, float]]:
    """(latitude, longitude) of each."""
    return [(fix.lat, fix.lon) for fix in fixes] + [(one.lat, one.lon) for one in seen]


def map_of(fixes: Sequence[Fix], seen: Sequence[SeenAt]) -> Map:
    """With a legend of the speeds that were driven."""
    bounds = [f"{limit:.0f}" for limit, _ in SPEEDS[:-1]]
    labels = [*(f"to {bound} km/h" for bound in bounds), f"over {bounds[-1]} km/h"]
    driven = {colour_of(fix.speed_mps) for fix in fixes}
    legend = [(colour, said) for (_, colour), said in zip(SPEEDS, labels, strict=True) if colour in driven]
    return blank_map(legend, estimates=any(one.estimate for one in seen))


def followed(fixes: Sequence[Fix]) -> list[tuple[float, float, float]]:
    """(second, latitude, longitude) of the dot that moves along the route as the video plays, and of what a click on
    the route means."""
    last = fixes[-1].t_s if fixes else 0.0
    step_s = max(FOLLOW_STEP_S, last / MOST_FIXES)
    times = [number * step_s for number in range(int(last / step_s) + 1)]
    cut = zones.hidden()
    return [
        (round(t_s, 2), round(at.lat, 7), round(at.lon, 7))
        for t_s, at in zip(times, Track(fixes).along(times), strict=True)
        if at is not None and not home.is_inside(cut, at.lat, at.lon)
    ]


def add_jumps(view: Map, drawn: Sequence[tuple[Video, Fix]], start: datetime, gap_s: float) -> None:
    """The dot that moves along a trip's route as the trip plays, and the click that leads to the second in which the
    car was there; where it came by several times, to the one that is chosen."""
    began = start.astimezone(system.current().zone())
    places = [
        (fix.lat, fix.lon, addresses.video_url(clip.video_id, fix.t_s), round(of_trip_s(start, clip) + fix.t_s, 2))
        for clip, fix in drawn
    ]
    clock_s = timedelta(hours=began.hour, minutes=began.minute, seconds=began.second).total_seconds()
    clips = {addresses.video_url(clip.video_id): clip_name(clip) for clip, _ in drawn}
    Drawn("dashcamJump", places, {"clock": clock_s, "clips": clips, "gap": gap_s}).add_to(view)


def clip_name(clip: Video) -> str:
    camera = wording.CAMERA_NAMES.get(clip.camera or "", "")
    return f"{camera}, {clip.name}" if camera else clip.name


def of_trip_s(start: datetime, clip: Video) -> float:
    """The second of the trip in which the clip begins."""
    return (clip.start_utc - start).total_seconds() if clip.start_utc else 0.0


def event_pin(one: TripEvent) -> dict[str, Any]:
    return {
        "colour": EVENT_COLOURS[one.kind],
        "text": EVENT_NAMES[one.kind],
        "when": wording.moment(one.utc, system.current().zone()),
        "href": addresses.video_url(one.video_id, one.t_s),
    }


def add_route(view: Map, fixes: Sequence[Fix], gap_s: float) -> None:
    Drawn("dashcamRoute", route_layer(fixes, gap_s)).add_to(view)


def route_layer(fixes: Sequence[Fix], gap_s: float = GAP_S) -> dict[str, Any]:
    """The route as GeoJSON lines, one per stretch of the same colour, each beginning where the last one ends."""
    lines: list[tuple[str, list[tuple[float, float]]]] = []
    for here, there in pairwise(fixes):
        if there.t_s - here.t_s > gap_s:
            continue
        colour, start, end = colour_of(here.speed_mps), (here.lon, here.lat), (there.lon, there.lat)
        if lines and lines[-1][0] == colour and lines[-1][1][-1] == start:
            lines[-1][1].append(end)
        else:
            lines.append((colour, [start, end]))
    return collection(({"type": "LineString", "coordinates": line}, {"colour": colour}) for colour, line in lines)


def colour_of(speed_mps: float | None) -> str:
    if speed_mps is None:
        return UNKNOWN_SPEED
    return next(colour for limit, colour in SPEEDS if speed_mps * 3.6 <= limit)


def add_pins(view: Map, seen: Sequence[SeenAt]) -> None:
    """A pin for each, above the ellipse that holds the other car with 95 %."""
    if rings := [(one.estimate.ring(), one.confirmed) for one in seen if one.estimate is not None]:
        Drawn("dashcamEllipses", rings).add_to(view)
    told = [(one.lat, one.lon, one.sighting_id, one.confirmed, wording.plate(one.text)) for one in seen]
    Drawn("dashcamPins", told).add_to(view)


@router.get("/maps/pins/{sighting_id}")
def pin(sighting_id: Number) -> dict[str, Any]:
    """What a pin says when it is opened."""
    with reading(system.current().engine) as session:
        one = sighting_table.one(session, sighting_id)
    if one is None:
        raise HTTPException(404, f"There is no sighting {sighting_id} any more.")
    away = f"Estimated {one.estimate.distance_m:.0f} m away, in the ellipse with 95 %." if one.estimate else ""
    hashed = wording.HASHED if wording.is_hashed(one.text) else ""
    return {
        "text": wording.plate(one.text),
        "when": wording.moment(one.seen_utc, system.current().zone()) if one.seen_utc else "",
        "clip": f"{one.video_name} at {wording.second(one.best_s)}",
        "other": " ".join(filter(None, (away, hashed))),
        "crop": addresses.media_url(one.video_id, one.crop),
        "href": addresses.video_url(one.video_id, one.best_s),
        "list": list_url(one),
        "video": one.video_id,
        "t": one.best_s,
    }


def list_url(one: SightingCard) -> str:
    """Of its plate's page, with this sighting at the head of the list."""
    head = cursor_text(Cursor(one.seen_utc, one.sighting_id + 1)) if one.seen_utc else ""
    return addresses.url(addresses.plate_url(one.text), {"after": head}) + f"#s{one.sighting_id}"


def collection(features: Iterable[tuple[dict[str, Any], dict[str, Any]]]) -> dict[str, Any]:
    made = [{"type": "Feature", "geometry": geometry, "properties": properties} for geometry, properties in features]
    return {"type": "FeatureCollection", "features": made}


@router.get("/maps/leaflet.js")
def leaflet_script() -> FileResponse:
    return FileResponse(LEAFLET / "index.js", media_type="text/javascript", headers={"Cache-Control": "max-age=86400"})


@router.get("/maps/leaflet/leaflet.css")
def leaflet_style() -> FileResponse:
    return FileResponse(LEAFLET / "leaflet" / "leaflet.css", headers={"Cache-Control": "max-age=86400"})


@router.get("/maps/videos/{video_id}")
def video_map(request: Request, video_id: str) -> Response:
    return kept.answer(request, lambda: of_video(video_id), below())


def of_video(video_id: str) -> HTMLResponse:
    with reading(system.current().engine) as session:
        video = session.get(Video, video_id)
        fixes = home.outside(zones.hidden(), track_of(session, video)) if video else []
        seen = seen_at.of_video(session, video_id, MANY)
    if not fixes:
        raise HTTPException(404, f"There are no positions for video {video_id}.")
    return route_map(fixes, seen)


@router.get("/maps/trips/{trip_id}")
def map_of_trip(request: Request, trip_id: Number) -> Response:
    return kept.answer(request, lambda: of_trip(trip_id), below())


def of_trip(trip_id: int) -> HTMLResponse:
    with reading(system.current().engine) as session:
        row = session.get(TripRow, trip_id)
        cut = zones.hidden()
        leads = trip_table.leads(session, trip_id)
        each = zip(leads, fixes_of_each(session, [clip.video_id for clip in leads]), strict=True)
        clips = [(clip, stretch) for clip, fixes in each for stretch in home.pieces(cut, fixes)]
        seen = seen_at.of_trip(session, trip_id, MANY)
    if row is None or not clips:
        raise HTTPException(404, f"There are no positions for trip {trip_id}.")
    return trip_map(clips, seen, row.start_utc, [TripEvent.model_validate(one) for one in row.events])


@router.get("/maps/home")
def home_map() -> HTMLResponse:
    """The map of the page on which home zones are drawn."""
    with reading(system.current().engine) as session:
        ends = [end for ends in home_zones.trip_ends(session) for end in ends]
    known = [(one.lat, one.lon, one.radius_m) for one in system.current().site.privacy.home_zones]
    view = blank_map()
    Drawn("dashcamHome", {"zones": known, "ends": ends}).add_to(view)
    rims = [Plane(lat, lon).to_degrees(side, side) for lat, lon, radius in known for side in (-radius, radius)]
    return answer(view, [*ends, *rims], ("map-home.js",))


@router.get("/maps/plates/{text:path}")
def plate_map(request: Request, text: str, day: str = "") -> Response:
    return kept.answer(request, lambda: of_plate(text, day), below())


def of_plate(text: str, day: str) -> HTMLResponse:
    _, span = day_of(day) or (None, None)
    with reading(system.current().engine) as session:
        plate = plate_table.plate(session, text)
        number = plate and plate.plate_id
        seen = seen_at.of_plate(session, number, MANY, span) if number else []
    if not seen:
        raise HTTPException(404, f"There are no positions for plate {text}.")
    return sightings_map(seen)
