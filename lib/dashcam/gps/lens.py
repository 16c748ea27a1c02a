"""How wide a lens is, from two marks in a picture: the ends of something straight ahead whose width and distance are
known, across the way the camera looks."""

import math
from collections.abc import Callable
from typing import Literal

from dashcam.config.model import Lens

NARROWEST, WIDEST = 10.0, 200.0
"""Degrees, as `Lens` has them."""
Projection = Literal["rectilinear", "fisheye"]


def measured(left: float, right: float, across_m: float, away_m: float, projection: Projection) -> Lens:
    """``left`` and ``right``: where the ends are, in widths of the picture from its left edge. Raises ``ValueError``
    with a sentence where no lens shows it so."""
    if not 0 <= left < right <= 1 or not across_m > 0 < away_m:
        raise ValueError("Set two marks, the left one left of the right one, and say how wide and how far away it is.")
    across = fisheye if projection == "fisheye" else rectilinear
    wide = solved(lambda fov: across(left - 0.5, right - 0.5, fov) - across_m / away_m)
    if wide is None:
        raise ValueError(f"No lens of {NARROWEST:g} to {WIDEST:g} degrees shows it so wide: look at marks and numbers.")
    return Lens(horizontal_fov_deg=round(wide, 1), projection=projection)


def rectilinear(left: float, right: float, fov_deg: float) -> float:
    """How wide what lies between the marks is, in its distance."""
    return (right - left) * 2 * math.tan(math.radians(min(fov_deg, 170)) / 2)


def fisheye(left: float, right: float, fov_deg: float) -> float:
    """The same; what is beside the camera or behind it is as wide as can be."""
    ends = (math.radians(one * fov_deg) for one in (left, right))
    first, last = (max(-1.5, min(1.5, one)) for one in ends)
    return math.tan(last) - math.tan(first)


def solved(too_wide: Callable[[float], float]) -> float | None:
    """The angle of view at which it is neither too wide nor too narrow; None where there is none."""
    low, high = NARROWEST, WIDEST
    if too_wide(low) > 0 or too_wide(high) < 0:
        return None
    while high - low > 0.01:
        middle = (low + high) / 2
        low, high = (low, middle) if too_wide(middle) > 0 else (middle, high)
    return (low + high) / 2
