"""What is driven over and over is one road: of many trips' lines as much as a map shows, each road of it once.

The newest trip that drove a road tells it, with its own line; of an older one what leads where no newer one went.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dashcam.catalog.plate_filter import Area
from dashcam.catalog.routes import UNITS

CELL_PX = 2
"""Lines so near to each other are one."""
AROUND = 0.5
"""Of the window's width and height, on each side: so much more is told, for who drags the map."""
MOST_ACROSS = 2048
"""Cells, for windows that no screen has."""

EMPTY, NO_BRACKETS = "[]", str.maketrans("[]", "  ")
"""Of a line's JSON."""

RoadPieces = list[list[int]]
"""A line: pieces, each first a place and then steps, as in `models.RouteRow.line`."""


def once(lines: Sequence[str], area: Area | None, zoom: int) -> list[RoadPieces]:
    """What is left of each of the ``lines``, the newest first."""
    places, piece, line = laid_out(lines)
    left: list[RoadPieces] = [[] for _ in lines]
    if not len(places):
        return left
    grid = Grid(area or extent(places), zoom)
    cells = grid.cells(places)
    # of places in one cell the first, and the last of a piece, which nothing follows
    alike = cells[1:] == cells[:-1]
    same = (piece[1:] == piece[:-1]) & alike[:, 0] & alike[:, 1]
    ends = np.append(piece[1:] != piece[:-1], True)
    kept = np.append(True, ~same) | ends
    places, cells, piece, line = places[kept], cells[kept], piece[kept], line[kept]
    stretches = np.flatnonzero(piece[1:] == piece[:-1])
    stretches = stretches[grid.first_of_each_cell(cells[stretches], cells[stretches + 1])]
    for run in np.split(stretches, np.flatnonzero((np.diff(stretches) != 1) | (np.diff(piece[stretches]) != 0)) + 1):
        if len(run):
            way = places[run[0] : run[-1] + 2]
            left[line[run[0]]].append(np.vstack((way[:1], np.diff(way, axis=0))).ravel().tolist())
    return left


def laid_out(lines: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """All places as rows (latitude, longitude) in the lines' units, and each one's piece and line by number.

    The text is read as a whole: as JSON it would be a hundred thousand lists, for which Python looks through all that
    it holds.
    """
    some = [number for number, line in enumerate(lines) if line != EMPTY]
    if not some:
        return np.empty((0, 2), np.int64), np.empty(0, np.int64), np.empty(0, np.int64)
    text = ",".join(lines[number] for number in some)
    steps = np.fromstring(text.translate(NO_BRACKETS), np.int64, sep=" , ").reshape(-1, 2)
    signs = np.frombuffer(text.encode("ascii"), np.uint8)
    begins = np.flatnonzero((signs[:-1] == ord("[")) & (signs[1:] != ord("[")))
    starts = np.searchsorted(np.flatnonzero(signs == ord(",")), begins) // 2
    ends = np.cumsum([len(lines[number]) + 1 for number in some])
    long = np.diff(starts, append=len(steps))
    piece = np.repeat(np.arange(len(starts)), long)
    sums = steps.cumsum(axis=0)
    places = sums - (sums[starts] - steps[starts])[piece]
    return places, piece, np.array(some, np.int64)[np.searchsorted(ends, begins, "right")][piece]


def extent(places: NDArray[np.int64]) -> Area:
    (south, west), (north, east) = (places.min(axis=0) / UNITS).tolist(), (places.max(axis=0) / UNITS).tolist()
    return Area(south, west, north, east)


class Grid:
    """Of the cells of a map at a zoom, in a window and around it."""

    def __init__(self, area: Area, zoom: int) -> None:
        high, wide = area.north - area.south, area.east - area.west
        self.south, self.west = area.south - AROUND * high, area.west - AROUND * wide
        high, wide = (1 + 2 * AROUND) * high, (1 + 2 * AROUND) * wide
        step = 360 * CELL_PX / 256 / 2**zoom
        flat = max(0.05, math.cos(math.radians((area.south + area.north) / 2)))
        self.steps = np.array([max(step * flat, high / MOST_ACROSS), max(step, wide / MOST_ACROSS)])
        self.size = np.array([int(high / self.steps[0]) + 1, int(wide / self.steps[1]) + 1])

    def cells(self, places: NDArray[np.int64]) -> NDArray[np.float64]:
        """In which each place lies, from the corner on; outside too."""
        found: NDArray[np.float64] = np.floor((places / UNITS - (self.south, self.west)) / self.steps)
        return found

    def first_of_each_cell(self, start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.int64]:
        """The stretches, by number and in order, that come first through any of the cells."""
        way = end - start
        enter, leave = passage(start, way, np.zeros(2), self.size - 1.0)
        inside = np.flatnonzero(enter <= leave)
        start, way = start[inside] + enter[inside, None] * way[inside], way[inside] * (leave - enter)[inside, None]
        count = np.maximum(*np.abs(way).T).astype(np.int32) + 2
        step = np.arange(count.sum(), dtype=np.int32) - np.repeat(count.cumsum(dtype=np.int32) - count, count)
        row, column = (
            np.rint(np.repeat(began, count) + np.repeat(slope, count) * step).astype(np.int32)
            for began, slope in zip(start.T.astype("f4"), (way / (count - 1)[:, None]).T.astype("f4"), strict=True)
        )
        first = np.full(int(self.size.prod()), -1, np.int32)
        stretch = np.repeat(np.arange(len(inside), dtype=np.int32), count)
        first[(row * np.int32(self.size[1]) + column)[::-1]] = stretch[::-1]  # of several the last that is set counts
        comes_first = np.zeros(len(inside), bool)
        comes_first[first[first >= 0]] = True
        return inside[comes_first]


def passage(
    start: NDArray[np.float64], way: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """At which share of its way each stretch enters a box and leaves it; it does not where the first is the larger.
    Liang and Barsky, all stretches at once."""
    still = way == 0
    beside = still & ((start < low) | (start > high))
    with np.errstate(divide="ignore", invalid="ignore"):
        one, other = (low - start) / way, (high - start) / way
    enter = np.maximum(*np.where(still, 0, np.minimum(one, other)).T).clip(0, None)
    leave = np.minimum(*np.where(still, 1, np.maximum(one, other)).T).clip(None, 1)
    missed = beside[:, 0] | beside[:, 1]
    return np.where(missed, 1.0, enter), np.where(missed, 0.0, leave)
