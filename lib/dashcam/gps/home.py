"""What is given out has no place inside the home zones (`config.privacy`)."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from dashcam.config.privacy import Zone
from dashcam.gps.plane import distance_m
from dashcam.records import Fix


def is_inside(zones: Iterable[Zone], lat: float | None, lon: float | None) -> bool:
    """Of no place at all: no."""
    if lat is None or lon is None:
        return False
    return any(distance_m((zone.lat, zone.lon), (lat, lon)) <= zone.radius_m for zone in zones)


def pieces(zones: Sequence[Zone], fixes: Iterable[Fix]) -> list[list[Fix]]:
    """The stretches outside, each by itself: no line leads through a zone."""
    found = groupby(fixes, key=lambda fix: is_inside(zones, fix.lat, fix.lon))
    return [list(stretch) for inside, stretch in found if not inside]


def outside(zones: Sequence[Zone], fixes: Iterable[Fix]) -> list[Fix]:
    return [fix for stretch in pieces(zones, fixes) for fix in stretch]


def touches(zones: Iterable[Zone], box: tuple[float, float, float, float] | None) -> bool:
    """Whether a box (south, west, north, east) has a place of a zone in it, or as its edge."""
    if box is None:
        return False
    south, west, north, east = box
    return any(
        distance_m((zone.lat, zone.lon), (min(max(zone.lat, south), north), min(max(zone.lon, west), east)))
        <= zone.radius_m
        for zone in zones
    )
