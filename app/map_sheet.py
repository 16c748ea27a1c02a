"""A map as a page of its own, shown in a frame: Folium writes it, our scripts draw on it, nobody else is asked.

Leaflet comes from the NiceGUI that is installed. What is drawn comes from outside and lies beside the scripts, as JSON:
within a script it would be part of a template, which branca runs, and who names a clip would run what he likes.
"""

import json
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import folium
from branca.element import Element, MacroElement
from fastapi.responses import HTMLResponse
from folium.template import Template

from app import addresses, streets, system
from app.access.headers import NONCE

SCRIPTS = ("map-ground.js", "map-streets.js", "map-vector.js", "map-passes.js")
UNSCALABLE = re.compile(r",\s+maximum-scale=1\.0, user-scalable=no")
GIVEN = "given"
"""The id of the element that holds what the scripts are given."""


class Map(folium.Map):  # type: ignore[misc]
    """A Folium map whose only scripts and styles are served by us."""

    default_js = ()
    default_css = ()

    def given(self) -> dict[str, tuple[Any, ...]]:
        return {one.does: one.given for one in self._children.values() if isinstance(one, Drawn)}


class Drawn(MacroElement):  # type: ignore[misc]
    """What ``window[does]`` of ``static/map*.js`` draws of ``given``: once on a map."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "window.{{ this.does }}({{ this._parent.get_name() }}, ...given.{{ this.does }});"
        "{% endmacro %}"
    )

    def __init__(self, does: str, *given: Any) -> None:
        super().__init__()
        self.does, self.given = does, given


def blank_map(legend: Iterable[tuple[str, str]] = (), estimates: bool = False) -> Map:
    """A map without a place yet, with what is needed to read it: ground, graticule, and a ``legend`` of colours."""
    tiles = tile_url()
    view = Map(tiles=None, prefer_canvas=True, max_zoom=19, attribution_control=bool(tiles))
    if tiles:
        folium.TileLayer(tiles, attr="own tile server", max_zoom=19).add_to(view)
    own = None if tiles else streets.here()
    told = {"ground": not tiles, "legend": list(legend), "estimates": estimates, "streets": own and streets.told(own)}
    Drawn("dashcamFurniture", told).add_to(view)
    return view


def below() -> str:
    """What lies under every map, by what says that it is another: tiles or streets, which no catalogue knows of."""
    own = streets.here()
    return json.dumps([tile_url(), own and streets.told(own)])


def tile_url() -> str:
    """The address pattern of the household's own tile server, empty when there is none: the default."""
    return system.current().site.server.tile_url or ""


def answer(view: Map, places: Sequence[tuple[float, float]], own: tuple[str, ...] = ()) -> HTMLResponse:
    """The finished page, showing all the places (latitude, longitude); ``own`` are styles and scripts of this map."""
    html = page(view, places, own)
    return HTMLResponse(html, headers={"Content-Security-Policy": policy(), "Cache-Control": "private, no-cache"})


def page(view: Map, places: Sequence[tuple[float, float]], own: tuple[str, ...]) -> str:
    if places:
        corners = [[function(axis) for axis in zip(*places, strict=True)] for function in (min, max)]
        view.fit_bounds(corners, padding=(28, 28), max_zoom=18)
        # at once and before all else: what is drawn earlier is drawn of the whole world, and then again
        name, fitted = view._children.popitem()
        fitted.options["animate"] = False
        view._children[name] = fitted
        view._children.move_to_end(name, last=False)
    figure = view.get_root()
    figure.title = "Map"
    figure.header.add_child(Element(head(own)), name="dashcam")
    # Leaflet is an ES module here, so what Folium writes has to be one too, to run after it
    before, _, after = accessible(figure.render()).rpartition("\n<script>\n")
    given = json.dumps(view.given(), separators=(",", ":")).replace("<", r"\u003c")
    return (
        f'{before}\n<script type="application/json" id="{GIVEN}">{given}</script>'
        f'\n<script type="module">\nconst given = JSON.parse(document.getElementById("{GIVEN}").textContent);\n{after}'
    )


def accessible(html: str) -> str:
    """What Folium leaves out for who hears a page, and what it forbids to who enlarges it."""
    return UNSCALABLE.sub("", html.replace("<html>", '<html lang="en">', 1), count=1)


@cache
def head(own: tuple[str, ...]) -> str:
    scripts = (*SCRIPTS, *(name for name in own if name.endswith(".js")))
    importable = {"leaflet": "/maps/leaflet.js"} | {Path(name).stem: addresses.static_url(name) for name in scripts}
    return (
        f'<script src="{addresses.static_url("theme.js")}"></script>'
        '<link rel="stylesheet" href="/maps/leaflet/leaflet.css">'
        f'<link rel="stylesheet" href="{addresses.static_url("map.css")}">'
        f'<script type="importmap">{json.dumps({"imports": importable})}</script>'
        f'<script type="module" src="{addresses.static_url("map.js")}"></script>' + "".join(map(head_line, own))
    )


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
