"""What lies under every map: land, borders and towns, a cell of the world at a time. It is the same for everybody."""

import json
from functools import lru_cache
from itertools import islice, product
from pathlib import Path
from typing import Annotated
from zipfile import ZipFile

from fastapi import APIRouter, HTTPException, Response
from fastapi import Path as InPath

from dashcam.gps import towns

GROUND = Path(__file__).with_name("ground.zip")
SIZES = (60, 20, 5)
"""Of a cell, in degrees, from coarse to fine."""
UNITS = 1000
"""Of a line's numbers, per degree."""
MOST_TOWNS = {60: (1, 40), 20: (3, 60), 5: (100, 400)}
"""Of each square of a degree and of the cell, the largest."""
KEPT = {"Cache-Control": "private, max-age=604800"}

router = APIRouter(include_in_schema=False)


@router.get("/maps/ground/{size}/{row}/{col}")
def ground(size: int, row: Annotated[int, InPath(ge=0)], col: Annotated[int, InPath(ge=0)]) -> Response:
    """``land`` and ``borders`` as ``lat, lon, dlat, dlon, …`` in 1/1,000 degrees, a polygon's first ring its outside;
    ``towns`` as ``[name, lat, lon, people]``, the largest first. The sea has none of them."""
    if size not in SIZES or row >= 180 // size or col >= 360 // size:
        raise HTTPException(404, f"There is no cell {row}/{col} of {size} degrees on the ground.")
    return Response(cell(size, row, col), media_type="application/json", headers=KEPT)


@lru_cache(maxsize=300)
def cell(size: int, row: int, col: int) -> bytes:
    with ZipFile(GROUND) as packed:
        try:
            shapes = packed.read(f"{size}/{row}/{col}")
        except KeyError:
            shapes = b'{"land":[],"borders":[]}'
    south, west = row * size - 90, col * size - 180
    of_square, of_cell = MOST_TOWNS[size]
    squares = (towns.told(south + r, west + c) for r, c in product(range(size), range(size)))
    inside = (town for square in squares for town in islice(square, of_square))
    largest = sorted(inside, key=lambda town: -town.people)[:of_cell]
    names = json.dumps([(one.name, round(one.lat, 4), round(one.lon, 4), one.people) for one in largest])
    return shapes[:-1] + b',"towns":' + names.encode() + b"}"
