"""Which town a place is near, from a table that lies here: no question leaves the house.

The table has the world's 170,000 places of a thousand people and more (docs/ground.md).
"""

import gzip
import math
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from dashcam.gps.plane import distance_m

TOWNS = Path(__file__).with_name("towns.tsv.gz")
UNITS = 200
"""Of a town's place in its square, per degree."""
NEAR_M = 30_000.0
"""What is further away says nothing of a place."""


class Town(NamedTuple):
    name: str
    lat: float
    lon: float
    people: int


@lru_cache(maxsize=10_000)
def near(lat: float, lon: float) -> str | None:
    """The name of the nearest town; None where there is none near."""
    row, col = math.floor(lat), math.floor(lon)
    around = (town for r in range(row - 1, row + 2) for c in range(col - 1, col + 2) for town in square(r, c))
    level = (town for town in around if abs(town.lat - lat) < NEAR_M / 111_000)
    away, name = min(((distance_m((lat, lon), town[1:3]), town.name) for town in level), default=(math.inf, None))
    return name if away <= NEAR_M else None


@lru_cache(maxsize=500)
def square(row: int, col: int) -> tuple[Town, ...]:
    return tuple(told(row, col))


def told(row: int, col: int) -> Iterator[Town]:
    """The towns in a square of one degree, its south-western corner given, the largest first."""
    fields = iter(table().get((row, (col + 180) % 360 - 180), "").split("\t"))
    for name, lat, lon, people in zip(fields, fields, fields, fields, strict=False):
        yield Town(name, row + (int(lat) + 0.5) / UNITS, col + (int(lon) + 0.5) / UNITS, int(people))


@cache
def table() -> dict[tuple[int, int], str]:
    """Each square's towns, still as text: most are never asked for."""
    lines = (line.split("\t", 2) for line in gzip.decompress(TOWNS.read_bytes()).decode().split("\n"))
    return {(int(row), int(col)): towns for row, col, towns in lines}
