"""Metres on the ground: a flat local map is exact to millimetres over the length of a clip, and needs no library."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EARTH_M = 6_371_008.8


@dataclass(frozen=True)
class Plane:
    """The plane that touches the WGS 84 ellipsoid at (lat, lon): metres east and north of that point."""

    lat: float
    lon: float

    @property
    def metres_north(self) -> float:
        """Metres per degree of latitude here."""
        phi = math.radians(self.lat)
        return 111_132.92 - 559.82 * math.cos(2 * phi) + 1.175 * math.cos(4 * phi)

    @property
    def metres_east(self) -> float:
        """Metres per degree of longitude here; never zero, so that the poles are merely inexact."""
        phi = math.radians(self.lat)
        return max(1.0, 111_412.84 * math.cos(phi) - 93.5 * math.cos(3 * phi))

    def to_metres(self, lat: float, lon: float) -> tuple[float, float]:
        """(east, north) of a place, the short way across the date line."""
        return ((lon - self.lon + 180) % 360 - 180) * self.metres_east, (lat - self.lat) * self.metres_north

    def to_degrees(self, east: float, north: float) -> tuple[float, float]:
        """(latitude, longitude) of the place so many metres away."""
        lon = (self.lon + east / self.metres_east + 180) % 360 - 180
        return max(-90.0, min(90.0, self.lat + north / self.metres_north)), lon

    def all_to_degrees(self, metres: NDArray[np.float64]) -> NDArray[np.float64]:
        """`to_degrees` of many, (2, n): metres east and north, and then their latitudes and longitudes."""
        lon = (self.lon + metres[0] / self.metres_east + 180) % 360 - 180
        return np.array([np.clip(self.lat + metres[1] / self.metres_north, -90.0, 90.0), lon])


def distance_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Metres between two places (latitude, longitude): the haversine on a sphere, exact to half a percent."""
    phi_a, phi_b = math.radians(a[0]), math.radians(b[0])
    half = math.sin((phi_b - phi_a) / 2) ** 2
    half += math.cos(phi_a) * math.cos(phi_b) * math.sin(math.radians(b[1] - a[1]) / 2) ** 2
    return 2 * EARTH_M * math.asin(min(1.0, math.sqrt(half)))


def distances_m(lat: float, lon: float, places: NDArray[np.float64]) -> NDArray[np.float64]:
    """`distance_m` from a place to each of many, (2, n): their latitudes and their longitudes."""
    phi, lam = np.radians(places)
    half = np.sin((phi - math.radians(lat)) / 2) ** 2
    half += math.cos(math.radians(lat)) * np.cos(phi) * np.sin((lam - math.radians(lon)) / 2) ** 2
    away: NDArray[np.float64] = 2 * EARTH_M * np.arcsin(np.minimum(1.0, np.sqrt(half)))
    return away
