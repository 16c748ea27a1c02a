"""The made-up drive itself: a bending street near 52.37 N 4.90 E, with one stop."""

from dataclasses import dataclass

import numpy as np

_STEP_S = 0.01
_METRES_PER_DEGREE = 111_195.0
START = (52.37022, 4.89517)
_SPEEDS = ((0.0, 8.0), (0.25, 9.5), (0.45, 7.0), (0.62, 0.0), (0.77, 0.0), (1.0, 11.0))
"""(part of the drive, metres a second)"""


@dataclass(frozen=True)
class Pose:
    """Where our car is: ``s_m`` along the road, curvature in 1/m (positive bends to the right)."""

    s_m: float
    speed_mps: float
    heading_deg: float
    curvature: float
    lat: float
    lon: float


class Route:
    """``at(t_s)`` for 0 <= t_s <= duration_s."""

    def __init__(self, duration_s: float, phase: float = 0.0) -> None:
        self.times = np.arange(0, duration_s + 1, _STEP_S)
        parts, speeds = zip(*_SPEEDS, strict=True)
        ramp = np.interp(self.times / duration_s, parts, speeds)
        kernel = np.hanning(max(3, int(0.04 * duration_s / _STEP_S) | 1))
        smooth = np.convolve(np.pad(ramp, kernel.size // 2, mode="edge"), kernel / kernel.sum(), "valid")
        self.speed = np.where(smooth < 0.15, 0.0, smooth)
        self.s = np.cumsum(self.speed) * _STEP_S
        angle = 2 * np.pi * self.s / 170 + phase
        self.heading = np.radians(40) + 0.34 * np.sin(angle)
        self.curvature = 0.34 * np.cos(angle) * 2 * np.pi / 170
        north = np.cumsum(self.speed * np.cos(self.heading)) * _STEP_S
        east = np.cumsum(self.speed * np.sin(self.heading)) * _STEP_S
        self.lat = START[0] + north / _METRES_PER_DEGREE
        self.lon = START[1] + east / (_METRES_PER_DEGREE * np.cos(np.radians(START[0])))

    def at(self, t_s: float) -> Pose:
        index = min(round(t_s / _STEP_S), self.times.size - 1)
        return Pose(
            float(self.s[index]),
            float(self.speed[index]),
            float(np.degrees(self.heading[index])),
            float(self.curvature[index]),
            float(self.lat[index]),
            float(self.lon[index]),
        )
