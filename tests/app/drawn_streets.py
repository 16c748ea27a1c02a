"""A PMTiles file of a drawn town around a place, as Protomaps would name what is in it."""

import gzip
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

EXTENT = 4096
POINT, LINE, AREA = 1, 2, 3
Feature = tuple[int, Mapping[str, str], list[list[tuple[int, int]]]]
"""Of that type, with those tags; parts in units of the tile."""


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def content(field: int, value: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(value)) + value


def zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def geometry(kind: int, parts: Iterable[list[tuple[int, int]]]) -> bytes:
    out, at = bytearray(), (0, 0)
    for part in parts:
        for index, point in enumerate(part):
            if index < 2:
                out += varint(1 << 3 | 1 if index == 0 else (len(part) - 1) << 3 | 2)
            out += b"".join(varint(zigzag(to - old)) for to, old in zip(point, at, strict=True))
            at = point
        if kind == AREA:
            out += varint(1 << 3 | 7)
    return bytes(out)


def layer(name: str, features: Iterable[Feature]) -> bytes:
    keys: dict[str, int] = {}
    values: dict[str, int] = {}
    packed = b""
    for kind, tags, parts in features:
        pairs = [index for key, value in tags.items()
                 for index in (keys.setdefault(key, len(keys)), values.setdefault(value, len(values)))]  # fmt: skip
        said = content(2, b"".join(map(varint, pairs))) + number(3, kind) + content(4, geometry(kind, parts))
        packed += content(2, said)
    known = b"".join(content(3, key.encode()) for key in keys)
    known += b"".join(content(4, content(1, value.encode())) for value in values)
    return content(3, content(1, name.encode()) + packed + known + number(5, EXTENT) + number(15, 2))


def tile_of(lat: float, lon: float, zoom: int) -> tuple[float, float]:
    """Where it lies, in tiles from the corner of the world."""
    there = math.asinh(math.tan(math.radians(lat))) / math.pi
    return (lon + 180) / 360 * 2**zoom, (1 - there) / 2 * 2**zoom


def town(x: float, y: float) -> bytes:
    """The tile in which that corner (in units of the tile) is the middle of a town."""
    x, y = round(x), round(y)
    whole = [(0, 0), (EXTENT, 0), (EXTENT, EXTENT), (0, EXTENT)]
    park = [(x + 100, y - 900), (x + 1000, y - 900), (x + 1000, y - 100), (x + 100, y - 100)]
    lake = [(x - 1100, y + 300), (x - 300, y + 250), (x - 250, y + 800), (x - 1000, y + 900)]
    houses = [[(left, y + 60), (left + 90, y + 60), (left + 90, y + 180), (left, y + 180)]
              for left in range(x - 1000, x + 1000, 160)]  # fmt: skip
    rows = {f"Lane {row}": y + 220 * row for row in (-3, -2, -1, 1, 2, 3)}
    lanes: list[Feature] = [
        (LINE, {"kind": "minor_road", "name": name}, [[(x - 1500, at), (x + 1500, at)]]) for name, at in rows.items()
    ]
    main: Feature = (LINE, {"kind": "major_road", "name": "Harbour Street"}, [[(x + 30, 0), (x + 30, EXTENT)]])
    rail: Feature = (LINE, {"kind": "rail"}, [[(0, y - 1100), (EXTENT, y - 900)]])
    return b"".join([
        layer("earth", [(AREA, {"kind": "earth"}, [whole])]),
        layer("landuse", [(AREA, {"kind": "park"}, [park])]),
        layer("water", [(AREA, {"kind": "lake"}, [lake])]),
        layer("buildings", [(AREA, {"kind": "building"}, houses)]),
        layer("roads", [*lanes, main, rail]),
        layer("places", [(POINT, {"kind": "neighbourhood", "name": "Oldquay"}, [[(x - 500, y - 500)]])]),
    ])  # fmt: skip


def write(file: Path, lat: float, lon: float, zooms: tuple[int, int] = (12, 14), drawn: bytes | None = None) -> Path:
    """Of the tile that holds the place, in each zoom. ``drawn``: PNG, in place of vector tiles."""
    with file.open("wb") as out:
        writer = Writer(out)
        for zoom in range(zooms[0], zooms[1] + 1):
            x, y = tile_of(lat, lon, zoom)
            inside = ((x % 1) * EXTENT, (y % 1) * EXTENT)
            writer.write_tile(zxy_to_tileid(zoom, int(x), int(y)), drawn or gzip.compress(town(*inside)))
        around = 0.05
        writer.finalize(
            {
                "tile_type": TileType.PNG if drawn else TileType.MVT,
                "tile_compression": Compression.NONE if drawn else Compression.GZIP,
                "min_zoom": zooms[0], "max_zoom": zooms[1], "center_zoom": zooms[0],
                "min_lon_e7": int((lon - around) * 1e7), "min_lat_e7": int((lat - around) * 1e7),
                "max_lon_e7": int((lon + around) * 1e7), "max_lat_e7": int((lat + around) * 1e7),
                "center_lon_e7": int(lon * 1e7), "center_lat_e7": int(lat * 1e7),
            },
            {"attribution": '<a href="https://osm.org">© OpenStreetMap</a>'},
        )  # fmt: skip
    return file
