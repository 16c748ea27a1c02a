"""A line with fewer points that stays within so many metres of the one it was made of."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dashcam.gps.plane import Plane

Places = Sequence[tuple[float, float]]
"""(latitude, longitude)."""


def simplified(places: Places, tolerance_m: float) -> list[int]:
    """Which of the places are kept, by their numbers in order, both ends among them (Ramer, Douglas and Peucker)."""
    if len(places) <= 2:
        return list(range(len(places)))
    flat = metres(places)
    kept, open_ = {0, len(places) - 1}, [(0, len(places) - 1)]
    while open_:
        first, last = open_.pop()
        if last - first < 2:
            continue
        away = distances(flat[first + 1 : last], flat[first], flat[last])
        worst = int(away.argmax())
        if away[worst] > tolerance_m:
            middle = first + 1 + worst
            kept.add(middle)
            open_ += [(first, middle), (middle, last)]
    return sorted(kept)


def metres(places: Places) -> NDArray[np.float64]:
    """(east, north) of each place in the plane at the first one."""
    plane = Plane(*places[0])
    degrees = np.asarray(places, np.float64)
    east = ((degrees[:, 1] - plane.lon + 180) % 360 - 180) * plane.metres_east
    return np.column_stack((east, (degrees[:, 0] - plane.lat) * plane.metres_north))


def distances(points: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of points from the stretch between two ends, in metres."""
    way = b - a
    length2 = float(way @ way)
    share = np.clip((points - a) @ way / length2, 0, 1) if length2 else np.zeros(len(points))
    found: NDArray[np.float64] = np.linalg.norm(points - (a + share[:, None] * way), axis=1)
    return found
