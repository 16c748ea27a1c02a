"""Where another car may have been: from our own place, and from where and how large its plate is in the picture.

An estimate, not a measurement. How far: a plate of known size looks smaller with distance. Which way: our heading and
the place in the picture. Both lean on the lens that the settings name, and on a plate that faces us.
"""

import math
from typing import Literal

import numpy as np

from dashcam.config.model import Lens, PlaceSettings
from dashcam.gps.plane import Plane
from dashcam.gps.track import TrackPoint
from dashcam.records import Box, Record, RegionKind

_EDGE_SD_PX = 1.5
"""How exactly a detector draws one side of a box."""
_SIZE_SD = 0.15
"""Plates differ in size, and boxes are drawn a little too large."""
_LENS_SD, _GUESSED_LENS_SD = 0.08, 0.4
"""Relative error of the focal length, where the settings name the lens and where they do not."""
_HEADING_SD_DEG = 3.0
_FACING_AWAY = 0.25
"""A plate whose box is narrower than its height says by more than this is seen from the side."""
_LARGEST_M = 120.0
_HEIGHT_M: dict[RegionKind, float] = {"car": 1.5, "motorcycle": 1.6, "bus": 3.1, "truck": 3.2}
"""Of a vehicle, a motorcycle's with its rider."""
_AROUND = np.linspace(0, 2 * math.pi, 37)
_CIRCLE = np.array([np.cos(_AROUND), np.sin(_AROUND)])
SIGMAS_95 = 2.448
"""Standard deviations of the ellipse that holds 95 % of a two-dimensional normal distribution."""


class Estimate(Record):
    """Where the other car was, within an ellipse with 95 % probability if the settings are right.

    ``bearing_deg`` is seen from our car, clockwise from north; so is the direction of the ellipse's longer half-axis,
    ``angle_deg``.
    """

    kind: Literal["estimate"] = "estimate"
    lat: float
    lon: float
    bearing_deg: float
    distance_m: float
    major_m: float
    minor_m: float
    angle_deg: float

    def ring(self) -> list[tuple[float, float]]:
        """The ellipse as a closed ring of (latitude, longitude)."""
        sine, cosine = math.sin(math.radians(self.angle_deg)), math.cos(math.radians(self.angle_deg))
        axes = np.array([[self.major_m * sine, self.minor_m * cosine], [self.major_m * cosine, -self.minor_m * sine]])
        lat, lon = Plane(self.lat, self.lon).all_to_degrees(axes @ _CIRCLE).round(7).tolist()
        return list(zip(lat, lon, strict=True))


def estimate(own: TrackPoint, box: Box, size: tuple[int, int], camera: str, settings: PlaceSettings) -> Estimate | None:
    """The other car's place; ``box`` and ``size`` in pixels of the source picture.

    None when our heading is not known, the camera looks inside, or the box is no plate's.
    """
    width, height = box[2] - box[0], box[3] - box[1]
    if own.heading_deg is None or camera == "interior" or min(width, height, *size) <= 0:
        return None
    lens = settings.lens(camera)
    angle = angle_deg(lens, (box[0] + box[2]) / 2, size[0])
    lens_sd = _LENS_SD if camera in settings.lenses else _GUESSED_LENS_SD
    away, looks_sd = distance(lens, (width, height), size[0], settings)
    if away > _LARGEST_M:
        return None
    behind = 180.0 if camera == "rear" else 0.0
    bearing = (own.heading_deg + behind + angle) % 360
    along = away * math.hypot(looks_sd, lens_sd)
    across = away * math.radians(math.hypot(_HEADING_SD_DEG, lens_sd * angle))
    own_sd = own.accuracy_m / math.sqrt(2)
    radial, lateral = (SIGMAS_95 * math.hypot(part, own_sd) for part in (along, across))
    turn = math.radians(bearing)
    lat, lon = Plane(own.lat, own.lon).to_degrees(away * math.sin(turn), away * math.cos(turn))
    return Estimate(
        lat=round(lat, 7),
        lon=round(lon, 7),
        bearing_deg=round(bearing, 1) % 360,
        distance_m=round(away, 1),
        major_m=round(max(radial, lateral), 1),
        minor_m=round(min(radial, lateral), 1),
        angle_deg=round(bearing if radial >= lateral else (bearing + 90) % 360, 1) % 360,
    )


def roughly_m(kind: RegionKind, box: Box, width: int, camera: str, settings: PlaceSettings) -> float | None:
    """Metres to a plate or a vehicle in a picture ``width`` pixels wide, by a coarse box: good to about a third.

    Vehicles by their height, which is much the same from all sides. None inside the car, and beyond `_LARGEST_M`.
    """
    across, high = box[2] - box[0], box[3] - box[1]
    if camera == "interior" or min(across, high, width) <= 0:
        return None
    lens = settings.lens(camera)
    if kind == "plate":
        away, _ = distance(lens, (across, high), width, settings)
    else:
        away = focal_px(lens, width) * _HEIGHT_M[kind] / high
    return round(away, 1) if away <= _LARGEST_M else None


def focal_px(lens: Lens, width: int) -> float:
    """Pixels per radian in the middle of a picture so many pixels wide."""
    half = math.radians(lens.horizontal_fov_deg) / 2
    if lens.projection == "fisheye":
        return width / 2 / half
    return width / 2 / math.tan(min(half, math.radians(85)))


def angle_deg(lens: Lens, x: float, width: int) -> float:
    """How far right of straight ahead the column ``x`` looks."""
    off = (x - width / 2) / focal_px(lens, width)
    return math.degrees(off if lens.projection == "fisheye" else math.atan(off))


def distance(lens: Lens, box: tuple[float, float], width: int, settings: PlaceSettings) -> tuple[float, float]:
    """Metres to a plate whose box is so wide and high in pixels, and the relative error without the lens's own.

    By width and height, each as good as its pixels; by height alone where the plate is seen from the side.
    """
    focal = focal_px(lens, width)
    by_width, by_height = focal * settings.plate_width_m / box[0], focal * settings.plate_height_m / box[1]
    edges = _EDGE_SD_PX * math.sqrt(2)
    if by_width > by_height * (1 + _FACING_AWAY):
        away, relative = by_height, edges / box[1]
    else:
        weights = (box[0] ** 2, box[1] ** 2)
        away = (by_width * weights[0] + by_height * weights[1]) / sum(weights)
        relative = edges / math.hypot(*box)
    return away, math.hypot(relative, _SIZE_SD)
