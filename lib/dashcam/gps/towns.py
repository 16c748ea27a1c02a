"""Which town a place is near, from a table that lies here: no question leaves the house.

The table has the world's 170,000 places of a thousand people and more (docs/ground.md).
"""

import gzip
import math
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashcam.gps.plane import distances_m

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
    names, places = around(math.floor(lat), math.floor(lon))
    if not names:
        return None
    away = distances_m(lat, lon, places)
    nearest = int(away.argmin())
    return names[nearest] if away[nearest] <= NEAR_M else None


@lru_cache(maxsize=200)
def around(row: int, col: int) -> tuple[list[str], NDArray[np.float64]]:
    """The names of the towns in a square of one degree and in the eight beside it, and their (2, n) degrees."""
    squares = product((row - 1, row, row + 1), (col - 1, col, col + 1))
    towns = [town for square in squares for town in told(*square)]
    return [town.name for town in towns], np.array([[town.lat, town.lon] for town in towns]).reshape(-1, 2).T


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
