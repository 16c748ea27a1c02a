"""Maps as pages of their own, shown in a frame: routes coloured by speed, sightings as pins.

Folium writes the page; Leaflet comes from the NiceGUI that is installed, so nothing is fetched from elsewhere. What is
shown in a pin's popup travels as JSON and becomes text in the browser (``static/map.js``), never HTML.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import folium
import nicegui
from branca.element import Element, MacroElement
from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse, HTMLResponse
from folium.template import Template
from folium.utilities import JsCode

from app import addresses, streets, system, wording, zones
from app.access.headers import NONCE
from app.parameters import Number, cursor_text, day_of
from dashcam.catalog import plates as plate_table
from dashcam.catalog import sightings as sighting_table
from dashcam.catalog import trips as trip_table
from dashcam.catalog.models import Video
from dashcam.catalog.paging import Cursor
from dashcam.catalog.places import fixes_of, track_of
from dashcam.catalog.sightings import SightingCard
from dashcam.catalog.trips import TripCard
from dashcam.database import reading
from dashcam.gps import home
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
ELLIPSE = {"weight": 1.5, "opacity": 0.8, "dashArray": "5 4", "fill": True, "fillOpacity": 0.1}
EVENT_NAMES = {"braking": "Hard braking", "cornering": "Hard cornering", "speeding": "Speeding", "stop": "Long stop"}
EVENT_COLOURS = {"braking": "#b42318", "cornering": "#b45309", "speeding": "#86198f", "stop": "#475569"}

router = APIRouter(include_in_schema=False)


class Map(folium.Map):  # type: ignore[misc]
    """A Folium map whose only scripts and styles are served by us."""

    default_js = ()
    default_css = ()
    furniture: "Furniture"


class Follow(MacroElement):  # type: ignore[misc]
    """The dot that moves along the route as the video plays, and the click on the route that moves the video."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "dashcamFollow({{ this._parent.get_name() }}, {{ this.fixes|tojson }}, {{ this.gap_s|tojson }});"
        "{% endmacro %}"
    )

    def __init__(self, fixes: Sequence[Fix]) -> None:
        super().__init__()
        self.gap_s = GAP_S
        last = fixes[-1].t_s if fixes else 0.0
        step_s = max(FOLLOW_STEP_S, last / MOST_FIXES)
        times = [number * step_s for number in range(int(last / step_s) + 1)]
        placed = zip(times, Track(fixes).along(times), strict=True)
        cut = zones.hidden()
        self.fixes = [
            [round(t_s, 2), round(at.lat, 7), round(at.lon, 7)]
            for t_s, at in placed
            if at is not None and not home.is_inside(cut, at.lat, at.lon)
        ]


class Jump(MacroElement):  # type: ignore[misc]
    """The dot that moves along a trip's route as the trip plays, and the click that leads to the second in which the
    car was there; where it came by several times, to the one that is chosen."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "dashcamJump({{ this._parent.get_name() }}, {{ this.places|tojson }}, {{ this.of_them|tojson }});"
        "{% endmacro %}"
    )

    def __init__(
        self, places: Sequence[Sequence[float | str]], clock_s: float, clips: Mapping[str, str], gap_s: float
    ) -> None:
        """``places`` are (latitude, longitude, address, second of the trip); ``clock_s`` is the time of day, in
        seconds, at which it began; ``clips`` what is said of each by its address; ``gap_s`` as in `route_layer`."""
        super().__init__()
        self.places = places
        self.of_them = {"clock": clock_s, "clips": clips, "gap": gap_s}


class ListOfPlate(MacroElement):  # type: ignore[misc]
    """Opens the pin that the list beside the map asks for."""

    _template = Template("{% macro script(this, kwargs) %}dashcamList({{ this._parent.get_name() }});{% endmacro %}")


class Furniture(MacroElement):  # type: ignore[misc]
    """Ground, graticule and legend: what a map without tiles needs to be read."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "dashcamFurniture({{ this._parent.get_name() }}, {{ this.options|tojson }});"
        "{% endmacro %}"
    )

    def __init__(self, tiles: bool, colours: set[str]) -> None:
        super().__init__()
        bounds = [f"{limit:.0f}" for limit, _ in SPEEDS[:-1]]
        labels = [*(f"to {bound} km/h" for bound in bounds), f"over {bounds[-1]} km/h"]
        named = zip((colour for _, colour in SPEEDS), labels, strict=True)
        legend = [pair for pair in named if pair[0] in colours]
        own = None if tiles else streets.here()
        self.options = {"ground": not tiles, "legend": legend, "estimates": False}
        self.options["streets"] = own and streets.told(own)


def route_map(fixes: Sequence[Fix], sightings: Iterable[SightingCard]) -> str:
    """The page with one clip's route and what was seen on it."""
    view = blank_map({colour_of(fix.speed_mps) for fix in fixes})
    folium.GeoJson(route_layer(fixes), smooth_factor=0).add_to(view)
    Follow(fixes).add_to(view)
    pins = add_pins(view, sightings)
    return page(view, [(fix.lat, fix.lon) for fix in fixes] + pins)


def trip_map(clips: Sequence[tuple[Video, Sequence[Fix]]], sightings: Iterable[SightingCard], card: TripCard) -> str:
    """The page with a trip's route from the fixes of its clips, what happened on it, and what was seen."""
    every = 1 + sum(len(fixes) for _, fixes in clips) // MOST_FIXES
    drawn = [(clip, fix) for clip, fixes in clips for fix in fixes[::every]]
    route = [fix.model_copy(update={"t_s": (fix.utc - drawn[0][1].utc).total_seconds()}) for _, fix in drawn]
    view = blank_map({colour_of(fix.speed_mps) for fix in route})
    folium.GeoJson(route_layer(route, GAP_S * every), smooth_factor=0).add_to(view)
    began = card.start_utc.astimezone(system.current().zone())
    places: list[list[float | str]] = [
        [fix.lat, fix.lon, addresses.video_url(clip.video_id, fix.t_s), round(of_trip_s(card, clip) + fix.t_s, 2)]
        for clip, fix in drawn
    ]
    clock_s = timedelta(hours=began.hour, minutes=began.minute, seconds=began.second).total_seconds()
    named = {addresses.video_url(clip.video_id): clip_name(clip) for clip, _ in clips}
    Jump(places, clock_s, named, GAP_S * every).add_to(view)
    pins = add_pins(view, sightings)
    if card.events:
        told = [one for one in card.events if not home.is_inside(zones.hidden(), one.lat, one.lon)]
        happened = (({"type": "Point", "coordinates": (one.lon, one.lat)}, event_pin(one)) for one in told)
        folium.GeoJson(collection(happened), marker=dot(8), on_each_feature=JsCode("dashcamEvent")).add_to(view)
    return page(view, [(fix.lat, fix.lon) for fix in route] + pins)


def clip_name(clip: Video) -> str:
    camera = wording.CAMERA_NAMES.get(clip.camera or "", "")
    return f"{camera}, {clip.name}" if camera else clip.name


def of_trip_s(card: TripCard, clip: Video) -> float:
    """The second of the trip in which the clip begins."""
    return (clip.start_utc - card.start_utc).total_seconds() if clip.start_utc else 0.0


def dot(radius: int) -> folium.CircleMarker:
    """What a click opens; the map below it, where a click means the route, hears nothing of that."""
    return folium.CircleMarker(radius=radius, bubbling_mouse_events=False)


def event_pin(one: TripEvent) -> dict[str, Any]:
    fill = EVENT_COLOURS[one.kind]
    return {
        "style": {"color": "#ffffff", "weight": 2, "opacity": 1, "fill": True, "fillColor": fill, "fillOpacity": 1},
        "text": EVENT_NAMES[one.kind],
        "when": wording.moment(one.utc, system.current().zone()),
        "href": addresses.video_url(one.video_id, one.t_s),
    }


def sightings_map(sightings: Iterable[SightingCard]) -> str:
    """The page of a plate, with a pin for each sighting that has a position; it leads to the list, and that to it."""
    view = blank_map(set())
    ListOfPlate().add_to(view)
    return page(view, add_pins(view, sightings))


def blank_map(colours: set[str]) -> Map:
    """A map without a place yet; ``colours`` are the speeds that its legend explains."""
    tiles = tile_url()
    view = Map(tiles=None, prefer_canvas=True, max_zoom=19, attribution_control=bool(tiles))
    if tiles:
        folium.TileLayer(tiles, attr="own tile server", max_zoom=19).add_to(view)
    view.furniture = Furniture(bool(tiles), colours)
    view.furniture.add_to(view)
    return view


def tile_url() -> str:
    """The address pattern of the household's own tile server, empty when there is none: the default."""
    return system.current().site.server.tile_url or ""


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
    return collection(
        ({"type": "LineString", "coordinates": line}, {"style": {"color": colour, "weight": 5, "opacity": 0.9}})
        for colour, line in lines
    )


def colour_of(speed_mps: float | None) -> str:
    if speed_mps is None:
        return UNKNOWN_SPEED
    return next(colour for limit, colour in SPEEDS if speed_mps * 3.6 <= limit)


def add_pins(view: Map, sightings: Iterable[SightingCard]) -> list[tuple[float, float]]:
    """Add a pin per sighting with a position; returns the positions as (latitude, longitude)."""
    placed = [one for one in sightings if one.lat is not None and one.lon is not None][:MANY]
    add_ellipses(view, placed)
    features = (({"type": "Point", "coordinates": (one.lon, one.lat)}, pin(one)) for one in placed)
    folium.GeoJson(collection(features), marker=dot(7), on_each_feature=JsCode("dashcamPin")).add_to(view)
    return [(one.lat, one.lon) for one in placed if one.lat is not None and one.lon is not None]


def add_ellipses(view: Map, sightings: Iterable[SightingCard]) -> None:
    """Where the other cars may have been: estimates, drawn as the ellipses that hold them with 95 %. They lie below the
    pins and take no click: at the scale of a street an ellipse covers most of them."""
    features = [
        (
            {"type": "Polygon", "coordinates": [[(lon, lat) for lat, lon in one.estimate.ring()]]},
            {"style": ELLIPSE | {"color": "#0f766e" if one.confirmed else "#8a94a0"}},
        )
        for one in sightings
        if one.estimate is not None
    ]
    if features:
        folium.GeoJson(collection(features), interactive=False).add_to(view)
        view.furniture.options["estimates"] = True


def pin(one: SightingCard) -> dict[str, Any]:
    away = f"Estimated {one.estimate.distance_m:.0f} m away, in the ellipse with 95 %." if one.estimate else ""
    hashed = wording.HASHED if wording.is_hashed(one.text) else ""
    fill = "#0f766e" if one.confirmed else "#8a94a0"
    return {
        "style": {"color": "#ffffff", "weight": 2, "opacity": 1, "fill": True, "fillColor": fill, "fillOpacity": 0.95},
        "text": wording.plate(one.text),
        "when": wording.moment(one.seen_utc, system.current().zone()) if one.seen_utc else "",
        "clip": f"{one.video_name} at {wording.second(one.best_s)}",
        "other": " ".join(filter(None, (away, hashed))),
        "crop": addresses.media_url(one.video_id, one.crop),
        "href": addresses.video_url(one.video_id, one.best_s),
        "entry": one.sighting_id,
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


def page(view: Map, places: Sequence[tuple[float, float]], own: tuple[str, ...] = ()) -> str:
    """The finished page, showing all the places (latitude, longitude); ``own`` are styles and scripts of this map."""
    if places:
        corners = [[function(axis) for axis in zip(*places, strict=True)] for function in (min, max)]
        view.fit_bounds(corners, padding=(28, 28), max_zoom=18)
    figure = view.get_root()
    figure.title = "Map"
    head = (
        f'<script src="{addresses.static_url("theme.js")}"></script>'
        '<link rel="stylesheet" href="/maps/leaflet/leaflet.css">'
        f'<link rel="stylesheet" href="{addresses.static_url("map.css")}">'
        f'<script type="importmap">{json.dumps({"imports": importable(own)})}</script>'
        f'<script type="module" src="{addresses.static_url("map.js")}"></script>' + "".join(map(head_line, own))
    )
    figure.header.add_child(Element(head), name="dashcam")
    # Leaflet is an ES module here, so what Folium writes has to be one too, to run after it
    before, script, after = figure.render().rpartition("\n<script>\n")
    return before + script.replace("<script>", '<script type="module">') + after


def importable(own: tuple[str, ...]) -> dict[str, str]:
    """What a map's scripts may import by name, and where from: each of its own ones too."""
    scripts = [
        "map-ground.js",
        "map-streets.js",
        "map-vector.js",
        "map-passes.js",
        *(name for name in own if name.endswith(".js")),
    ]
    return {"leaflet": "/maps/leaflet.js"} | {Path(name).stem: addresses.static_url(name) for name in scripts}


def head_line(name: str) -> str:
    address = addresses.static_url(name)
    if name.endswith(".css"):
        return f'<link rel="stylesheet" href="{address}">'
    return f'<script type="module" src="{address}"></script>'


def policy() -> str:
    """What the browser may load for a map: our own files, and tiles from the server that was configured."""
    address = urlsplit(tile_url().replace("{s}", "*"))
    tiles = f" {address.scheme}://{address.netloc}" if address.netloc else ""
    return (
        f"default-src 'none'; script-src 'self' 'nonce-{NONCE}'; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data:{tiles}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )


def answer(html: str) -> HTMLResponse:
    return HTMLResponse(html, headers={"Content-Security-Policy": policy(), "Cache-Control": "private, no-cache"})


@router.get("/maps/leaflet.js")
def leaflet_script() -> FileResponse:
    return FileResponse(LEAFLET / "index.js", media_type="text/javascript", headers={"Cache-Control": "max-age=86400"})


@router.get("/maps/leaflet/leaflet.css")
def leaflet_style() -> FileResponse:
    return FileResponse(LEAFLET / "leaflet" / "leaflet.css", headers={"Cache-Control": "max-age=86400"})


@router.get("/maps/videos/{video_id}")
def video_map(video_id: str) -> HTMLResponse:
    with reading(system.current().engine) as session:
        video = session.get(Video, video_id)
        fixes = home.outside(zones.hidden(), track_of(session, video)) if video else []
        sightings = sighting_table.of_video(session, video_id)
    if not fixes:
        raise HTTPException(404, f"There are no positions for video {video_id}.")
    return answer(route_map(fixes, sightings))


@router.get("/maps/trips/{trip_id}")
def map_of_trip(trip_id: Number) -> HTMLResponse:
    with reading(system.current().engine) as session:
        found = trip_table.trip(session, trip_id)
        cut = zones.hidden()
        each = [(clip, fixes_of(session, clip.video_id)) for clip in trip_table.leads(session, trip_id)]
        clips = [(clip, stretch) for clip, fixes in each for stretch in home.pieces(cut, fixes)]
        sightings = sighting_table.of_trip(session, trip_id, MANY)
    if found is None or not clips:
        raise HTTPException(404, f"There are no positions for trip {trip_id}.")
    return answer(trip_map(clips, sightings, found.card))


@router.get("/maps/plates/{text:path}")
def plate_map(text: str, day: str = "") -> HTMLResponse:
    _, span = day_of(day) or (None, None)
    with reading(system.current().engine) as session:
        plate = plate_table.plate(session, text)
        number = plate and plate.plate_id
        sightings = sighting_table.of_plate(session, number, limit=MANY, placed=True, span=span) if number else []
    if not sightings:
        raise HTTPException(404, f"There are no positions for plate {text}.")
    return answer(sightings_map(sightings))
