"""Each road once: whatever was driven is drawn within a pixel or two, and what is driven daily is drawn one time."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashcam.catalog import roads
from dashcam.catalog.plate_filter import Area
from dashcam.catalog.routes import UNITS, line_of

TOWN = Area(51.9, 4.3, 52.1, 4.6)
ZOOM = 11
CELL = 360 * roads.CELL_PX / 256 / 2**ZOOM
"""In degrees of longitude."""


def told(
    ways: list[list[list[tuple[float, float]]]], area: Area | None = TOWN, zoom: int = ZOOM
) -> list[roads.RoadPieces]:
    return roads.once([line_of(way) for way in ways], area, zoom)


def along(piece: list[tuple[float, float]]) -> np.ndarray:
    """Places all along a way, closer than a cell."""
    steps = [np.linspace(a, b, 2 + int(np.abs(np.subtract(a, b)).max() / CELL)) for a, b in pairwise(piece)]
    return np.concatenate(steps)


def drawn(lines: list[roads.RoadPieces]) -> np.ndarray:
    pieces = [np.cumsum(np.reshape(piece, (-1, 2)), axis=0) / UNITS for line in lines for piece in line]
    return np.concatenate([along([tuple(place) for place in piece]) for piece in pieces])


def test_a_road_that_is_driven_daily_is_told_once_and_by_the_newest() -> None:
    rng = np.random.default_rng(1)
    road = np.stack([np.linspace(51.95, 52.05, 200), 4.4 + 0.03 * np.sin(np.linspace(0, 9, 200))], axis=1)
    daily = [[[tuple(place) for place in road + rng.normal(0, 2e-5, road.shape)]] for _ in range(300)]
    detour = [[(52.0, 4.35), (52.0, 4.55)]]
    left = told([*daily, detour])
    places = [sum(len(piece) // 2 for piece in line) for line in left]
    assert places[0] > 50 and places[-1] == 2
    assert sum(places) < 8 * places[0], "of 300 times that it was driven"
    assert sum(places[150:300]) < places[0] / 4


def test_the_same_road_the_other_way_is_the_same_road() -> None:
    way = [(51.95, 4.35), (52.0, 4.4), (52.05, 4.5)]
    assert told([[way], [way[::-1]]]) == [[[5195000, 435000, 5000, 5000, 5000, 10000]], []]


def test_what_leads_on_from_a_known_road_is_told_from_there() -> None:
    road = [(52.0, 4.31 + n / 50) for n in range(10)]
    ((piece,), (branch,)) = told([[road], [[*road[:5], (52.05, 4.45)]]])
    assert len(piece) == 20
    assert branch == [5200000, 439000, 5000, 6000]


pieces = st.lists(st.tuples(st.floats(51.91, 52.09), st.floats(4.31, 4.59)), min_size=2, max_size=4)


@settings(max_examples=40)
@given(st.lists(st.lists(pieces, min_size=1, max_size=2), min_size=1, max_size=3))
def test_no_way_is_missing(ways: list[list[list[tuple[float, float]]]]) -> None:
    found = drawn(told(ways))
    for way in ways:
        for piece in way:
            places = along(piece)
            if np.ptp(places, axis=0).max() < 2 * CELL:
                continue
            away = np.abs(places[:, None] - found[None]).max(axis=2).min(axis=1)
            assert away.max() <= 3 * CELL


def test_what_is_far_from_the_window_is_not_told() -> None:
    far, through = [(50.0, 4.4), (50.5, 4.4)], [(40.0, 4.4), (60.0, 4.4)]
    assert told([[far], [through]]) == [[], [[4000000, 440000, 2000000, 0]]]


@pytest.mark.parametrize("area", [None, Area(-90, -180, 90, 180), Area(52.0, 4.4, 52.0, 4.4)])
def test_a_window_that_no_screen_has_is_bounded(area: Area | None) -> None:
    way = [(52.0 + n / 1000, 4.4) for n in range(-100, 100)]
    grid = roads.Grid(area or TOWN, 19)
    assert grid.size.max() <= roads.MOST_ACROSS + 1
    (left,) = told([[way]], area, 19)
    assert left and all(len(piece) >= 4 for piece in left)


def test_nothing_is_left_of_nothing() -> None:
    assert told([]) == [] and told([[]]) == [[]] and told([[[(52.0, 4.4)]]]) == [[]]
