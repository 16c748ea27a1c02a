"""What is given out has no place inside the home zones (`config.privacy`)."""

import math
from collections.abc import Iterable, Sequence
from itertools import groupby

from dashcam.config.privacy import Zone
from dashcam.gps.plane import Plane, distance_m
from dashcam.records import Fix


def is_inside(zones: Iterable[Zone], lat: float | None, lon: float | None) -> bool:
    """Of no place at all: no."""
    if lat is None or lon is None:
        return False
    return any(distance_m((zone.lat, zone.lon), (lat, lon)) <= zone.radius_m for zone in zones)


def crosses(zones: Iterable[Zone], a: tuple[float, float], b: tuple[float, float]) -> bool:
    """Whether the straight way between two places (latitude, longitude) leads through a zone."""
    for zone in zones:
        plane = Plane(zone.lat, zone.lon)
        (east, north), (other_east, other_north) = plane.to_metres(*a), plane.to_metres(*b)
        along_east, along_north = other_east - east, other_north - north
        length2 = along_east**2 + along_north**2
        share = -(east * along_east + north * along_north) / length2 if length2 else 0.0
        share = min(max(share, 0.0), 1.0)
        if math.hypot(east + share * along_east, north + share * along_north) <= zone.radius_m:
            return True
    return False


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
