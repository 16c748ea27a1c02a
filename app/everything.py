"""The map of everything: what its window shows, as JSON for the map and for scripts, and the Folium page of it.

Lines go from the database to the browser as they lie there. Who may not see the home zones gets them cut out.
"""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse

from app import addresses, kept, system, wording, zones
from app.access import callers
from app.answers import OF_MAPS, OF_WAYS
from app.map_sheet import Drawn, answer, below, blank_map
from app.parameters import cursor_of, cursor_text, midnight
from dashcam.access.roles import Role
from dashcam.catalog import overview, roads, routes
from dashcam.catalog.overview import TripWay
from dashcam.catalog.plate_filter import Area, PlateFilter
from dashcam.catalog.sightings import SightingCard
from dashcam.config.privacy import Zone
from dashcam.database import reading
from dashcam.gps import home
from dashcam.gps.plane import distance_m
from dashcam.gps.simplify import Places
from dashcam.records import Fix

PAGE = 20
OWN = ("map-page.css", "map-area.js", "map-replay.js", "map-page.js")
LONGEST = 40
STEP_M, MOST_STEPS = 25.0, 2000

router = APIRouter(prefix="/map", tags=["map"])
pages = APIRouter(include_in_schema=False)
Zoom = Annotated[int, Query(ge=0, le=19, description="The map's zoom: the higher, the finer.")]


def window(
    box: Annotated[str | None, Query(description="south,west,north,east in degrees")] = None,
    first: Annotated[str, Query(description="The first day, as YYYY-MM-DD")] = "",
    last: Annotated[str, Query(description="The last day")] = "",
    plate: Annotated[str, Query(max_length=LONGEST, description="Part of a plate, or all of it with ? and *.")] = "",
    unsure: Annotated[bool, Query(description="Reads that are not confirmed, too.")] = False,
) -> PlateFilter:
    return PlateFilter(plate.strip(), False, not unsure, midnight(first), midnight(last, days=1), area(box))


Window = Annotated[PlateFilter, Depends(window)]


def area(box: str | None) -> Area | None:
    """Raises 422 with a sentence."""
    if not box:
        return None
    found = area_of(box)
    if found is None:
        raise HTTPException(422, "box must be south,west,north,east in degrees, south and west first.")
    return found


def area_of(box: str) -> Area | None:
    """None where it is none."""
    try:
        south, west, north, east = (float(side) for side in box.split(","))
    except ValueError:
        return None
    return Area(south, west, north, east) if -90 <= south <= north <= 90 and -180 <= west <= east <= 180 else None


@router.get("/clusters")
def clusters(request: Request, wanted: Window, zoom: Zoom) -> Response:
    """The sightings of the window: ``[count, lat, lon, south, west, north, east]`` for each spot of the screen."""
    return kept.told(request, lambda: told_clusters(wanted, zoom))


def told_clusters(wanted: PlateFilter, zoom: int) -> dict[str, Any]:
    with reading(system.current().engine) as session:
        found = overview.clusters(session, wanted, zoom)
    rows = [(one.count, *at(one.at), *(round(side, 6) for side in vars(one.box).values())) for one in found.clusters]
    total = sum(one.count for one in found.clusters)
    return {"clusters": rows, "total": total, "words": said_of_clusters(found, total)}


def at(place: tuple[float, float]) -> tuple[float, float]:
    return round(place[0], 6), round(place[1], 6)


def said_of_clusters(found: overview.Clusters, total: int) -> str:
    said = wording.count(total, "sighting")
    if found.since is not None:
        since = found.since.astimezone(system.current().zone())
        return f"{said} since {since:%-d %B %Y}; for older ones come closer, or choose the days"
    if found.plates_left_out:
        return f"{said} of the first {overview.MOST_PLATES} plates with that part; write more of it"
    return said


def read_for(text: str) -> Sequence[str]:
    """The tables that tell ways: of all trips their own alone, of those that met a plate those of sightings too."""
    return OF_MAPS if text else OF_WAYS


@router.get("/routes")
def lines(
    request: Request,
    wanted: Window,
    zoom: Zoom,
    once: Annotated[
        bool, Query(description="Each road once, as far as the window shows it: of a trip what no newer one drove.")
    ] = False,
) -> Response:
    """The trips through the window, newest first: ``{"routes": [[trip, line]], "total", "words"}``; a line is a list
    of pieces, each a place and then steps from it, in 1/100,000 degrees."""
    return kept.told(request, lambda: told_routes(wanted, zoom, once), read_for(wanted.text))


def told_routes(wanted: PlateFilter, zoom: int, once: bool) -> str:
    cut = zones.hidden()
    with reading(system.current().engine) as session:
        found = overview.lines(session, roughly(wanted), zoom)
        waiting = routes.to_draw(session)
    shown = {trip_id: outside(cut, line) for trip_id, line in found.shown.items()}
    if once:
        left = zip(shown, roads.once(list(shown.values()), wanted.region, zoom), strict=True)
        shown = {trip_id: json.dumps(line, separators=(",", ":")) for trip_id, line in left if line}
    drawn = ",".join(f"[{trip_id},{line}]" for trip_id, line in shown.items())  # they are JSON already
    told = json.dumps({"total": found.total, "words": said_of_routes(found, waiting)})
    return f'{{"routes":[{drawn}],{told[1:]}'


def said_of_routes(found: overview.Lines, waiting: int) -> str:
    said = wording.count(found.total, "trip")
    if found.total > len(found.shown):
        said = f"the newest {len(found.shown):,} of {said}"
    return said + (f", {waiting:,} more to be drawn" if waiting else "")


def roughly(wanted: PlateFilter) -> PlateFilter:
    """For whom home is hidden, the window to within 1/10 degree: how far a trip reaches is no way to find home."""
    return replace(wanted, region=rough(wanted.region)) if wanted.region and zones.hidden() else wanted


def rough(area: Area) -> Area:
    south, west = (math.floor(side * 10) / 10 for side in (area.south, area.west))
    north, east = (math.ceil(side * 10) / 10 for side in (area.north, area.east))
    return Area(south, west, north, east)


def outside(cut: Sequence[Zone], line: str) -> str:
    """The line without what is in a zone, or leads through one."""
    if not cut:
        return line
    pieces: list[list[tuple[float, float]]] = []
    for piece in routes.places_of(line):
        pieces.append([])
        for here in finer(cut, piece):
            before = pieces[-1][-1:]
            if home.is_inside(cut, *here) or (before and home.crosses(cut, before[0], here)):
                pieces.append([])
            if not home.is_inside(cut, *here):
                pieces[-1].append(here)
    return routes.line_of(piece for piece in pieces if len(piece) > 1)


def finer(cut: Sequence[Zone], piece: Places) -> Iterator[tuple[float, float]]:
    """A stretch through a zone in steps, so that no more of it is cut out than must be."""
    yield from piece[:1]
    for a, b in pairwise(piece):
        if home.crosses(cut, a, b):
            steps = min(MOST_STEPS, math.ceil(distance_m(a, b) / STEP_M))
            yield from ((a[0] + n / steps * (b[0] - a[0]), a[1] + n / steps * (b[1] - a[1])) for n in range(1, steps))
        yield b


@router.get("/sightings")
def sightings(request: Request, wanted: Window, after: str = "") -> Response:
    """The window's sightings, newest first, a page at a time; ``after`` is what the page before gave as ``next``."""
    return kept.told(request, lambda: told_sightings(wanted, after))


def told_sightings(wanted: PlateFilter, after: str) -> dict[str, Any]:
    with reading(system.current().engine) as session:
        found = overview.sightings(session, wanted, cursor_of(after, int), PAGE + 1)
    more = found[PAGE - 1].cursor if len(found) > PAGE else None
    return {"sightings": [sighting(one) for one in found[:PAGE]], "next": cursor_text(more)}


def sighting(one: SightingCard) -> dict[str, Any]:
    return {
        "text": one.text,
        "plate": addresses.plate_url(one.text),
        "video": addresses.video_url(one.video_id, one.best_s),
        "when": wording.moment(one.seen_utc, system.current().zone()) if one.seen_utc else "time unknown",
        "crop": addresses.media_url(one.video_id, one.crop),
        "sure": one.confirmed,
        "lat": one.lat,
        "lon": one.lon,
    }


@router.get("/trips")
def trips(request: Request, wanted: Window) -> Response:
    """The newest trips whose way leads through the window, in words."""
    return kept.told(request, lambda: told_trips(wanted), read_for(wanted.text))


def told_trips(wanted: PlateFilter) -> dict[str, Any]:
    cut = zones.hidden()
    with reading(system.current().engine) as session:
        found = overview.passing(session, wanted, PAGE, partial(outside, cut) if cut else None)
    return {"trips": [trip(one) for one in found.shown], "total": found.total}


def trip(one: TripWay) -> dict[str, Any]:
    zone = system.current().zone()
    return {
        "trip": addresses.trip_url(one.trip_id),
        "number": one.trip_id,
        "when": f"{day_of(one.start_utc)}, {wording.span(one.start_utc, one.end_utc, zone)}",
        "way": wording.distance(one.distance_m),
    }


@router.get("/heat")
def heat(request: Request, wanted: Window, zoom: Zoom) -> Response:
    """Where the car was for how long: ``[south, west, seconds]`` of each cell; one stay counts a minute at most."""
    return kept.told(request, lambda: told_heat(wanted, zoom), read_for(wanted.text))


def told_heat(wanted: PlateFilter, zoom: int) -> dict[str, Any]:
    with reading(system.current().engine) as session:
        found = overview.heat(session, roughly(wanted), zoom)
    size, cut = 1 / found.per_degree, zones.hidden()
    cells = [(round(row * size - 90, 6), round(col * size - 180, 6), s) for row, col, s in found.cells]
    cells = [cell for cell in cells if not home.touches(cut, (cell[0], cell[1], cell[0] + size, cell[1] + size))]
    of = "" if found.trips == found.total else f"the newest {found.trips:,} of "
    driven = wording.footage(sum(cell[2] for cell in cells))
    return {"cells": cells, "size": size, "words": f"{driven} driven on {of}{wording.count(found.total, 'trip')}"}


@router.get("/day")
def day(
    wanted: Window, day: Annotated[str, Query(description="As YYYY-MM-DD; else the newest.")] = ""
) -> dict[str, Any]:
    """A day's driving, to be shown again: ``[seconds since 1970, lat, lon, km/h]`` of each fix, in pieces without a
    gap, and what was seen when."""
    zone, cut = system.current().zone(), zones.hidden()
    with reading(system.current().engine) as session:
        if not midnight(day):
            newest = overview.newest_trip(session, wanted)
            day = f"{newest.astimezone(zone):%Y-%m-%d}" if newest else ""
        since, until = midnight(day), midnight(day, days=1)
        if since is None or until is None:
            return {"day": "", "pieces": [], "sightings": [], "words": "No trip has been drawn yet."}
        found = overview.day(session, replace(wanted, since=since, until=until))
    pieces = [stretch for piece in found.pieces for stretch in home.pieces(cut, piece)]
    seen = [one for one in found.sightings if one.seen_utc and not home.is_inside(cut, one.lat, one.lon)]
    words = (
        wording.count(len(found.trips), "trip") + f", {wording.distance(sum(one.distance_m for one in found.trips))}"
    )
    return {
        "day": day,
        "pieces": [[moment(fix) for fix in piece] for piece in pieces],
        "sightings": [sighting(one) | {"at": one.seen_utc.timestamp()} for one in seen if one.seen_utc],
        "offset": (since.astimezone(zone).utcoffset() or timedelta()).total_seconds(),
        "words": words,
    }


def moment(fix: Fix) -> tuple[float, float, float, float | None]:
    kmh = None if fix.speed_mps is None else round(fix.speed_mps * 3.6)
    return round(fix.utc.timestamp(), 1), round(fix.lat, 6), round(fix.lon, 6), kmh


def day_of(moment: datetime) -> str:
    return f"{moment.astimezone(system.current().zone()):%-d %B %Y}"


@pages.get("/maps/everything")
def everything(
    request: Request, box: str = "", first: str = "", last: str = "", plate: str = "", unsure: str = ""
) -> Response:
    """The map, at ``box`` or where the car was; what it shows it fetches."""
    return kept.answer(request, lambda: drawn(box, first, last, plate, unsure), below())


def drawn(box: str, first: str, last: str, plate: str, unsure: str) -> HTMLResponse:
    wanted = PlateFilter(plate[:LONGEST], False, not unsure, midnight(first), midnight(last, days=1))
    driven = reach(wanted)
    boxes = [driven] if driven else boxes_seen(wanted)
    start = area_of(box)
    sides = [start] if start else [rough(one) for one in boxes] if zones.hidden() else boxes
    view = blank_map()
    options: dict[str, Any] = {"first": first, "last": last, "plate": plate[:LONGEST], "unsure": "1" if unsure else ""}
    options |= {"plates": callers.may(Role.MEMBER), "chosen": box if start else ""}
    Drawn("dashcamEverything", options).add_to(view)
    return answer(view, list(corners(sides)), OWN)


def reach(wanted: PlateFilter) -> Area | None:
    """How far the newest trips of these days reach, which no word of a person about a plate changes."""
    here = system.current()

    def ask() -> Area | None:
        with reading(here.engine) as session:
            return overview.reach(session, wanted)

    return here.answers.of(("reach", wanted, callers.view()), read_for(wanted.text), ask)


def boxes_seen(wanted: PlateFilter) -> list[Area]:
    with reading(system.current().engine) as session:
        return [one.box for one in overview.clusters(session, wanted, 0).clusters]


def corners(boxes: Iterable[Area]) -> Iterator[tuple[float, float]]:
    for one in boxes:
        yield one.south, one.west
        yield one.north, one.east
