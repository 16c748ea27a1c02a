"""Where the car was at any moment of a clip: its fixes smoothed, and the moments between them.

A Kalman filter and the Rauch-Tung-Striebel smoother over position and velocity, both axes alike: a car accelerates at
random, a receiver's place is good to metres, its Doppler speed to a few decimetres a second. Between two fixes that
model's best guess is the cubic through both places and velocities, so the same model also says how far off it may be.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dashcam.gps.plane import Plane
from dashcam.records import Fix

Quality = Literal["fix", "interpolated", "extrapolated"]
MAX_OUTSIDE_S = 2.0
"""Before the first and after the last fix, the car is followed this long."""
MAX_GAP_S = 5.0
"""Across a longer gap nobody knows the way."""
AT_FIX_S = 0.05
"""A moment this near to a fix has the quality of a fix."""
MOVING_MPS = 1.5
"""Below, a receiver's course is noise: the heading stays what it was."""

_PLACE_SD_M = 2.0
"""Of one fix per axis; Novatek's 32-bit floats alone give up to 0.5."""
_VELOCITY_SD_MPS = 0.2
_UNKNOWN_VELOCITY_SD_MPS = 30.0
_ACCELERATION = 2.0
"""Spectral density of a car's acceleration, m²/s³."""
_DOUBTFUL, _IMPOSSIBLE = 9.0, 400.0
"""Squared deviations beyond which a fix counts less, and beyond which the car cannot be there."""
_LOST_AFTER = 3
"""So many refused fixes in a row are right, and what was believed before is wrong."""

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class TrackPoint:
    """``accuracy_m`` is the standard deviation of the place; heading clockwise from north."""

    lat: float
    lon: float
    speed_mps: float | None
    heading_deg: float | None
    quality: Quality = "fix"
    accuracy_m: float = 0.0


@dataclass
class _Knot:
    """The car at one fix: ``state`` holds place and velocity (rows), east and north (columns); ``cov`` is per axis."""

    t_s: float
    state: Matrix
    cov: Matrix
    heading_deg: float | None = None

    @property
    def speed_mps(self) -> float:
        return math.hypot(self.state[1, 0], self.state[1, 1])


class Track:
    """The fixes of one clip. ``at(t_s)`` is the position there, or None when no fix is near enough."""

    def __init__(self, fixes: Iterable[Fix]) -> None:
        self.fixes = on_one_clock(sorted(fixes, key=lambda fix: fix.t_s))
        self._plane = Plane(self.fixes[0].lat, self.fixes[0].lon) if self.fixes else Plane(0, 0)
        self._knots: list[_Knot] = []
        self._joined: list[bool] = []
        """Whether the way from a knot to the next one is known."""
        for stretch in self._stretches():
            smoothed = _smoothed(stretch)
            self._knots += smoothed
            self._joined += [True] * (len(smoothed) - 1) + [False]
        self._times = [knot.t_s for knot in self._knots]
        _freeze_headings(self._knots, [fix.heading_deg for fix in self.fixes[:1]])
        self._knows_motion = len(self._knots) > 1 or any(fix.speed_mps is not None for fix in self.fixes)

    def at(self, t_s: float) -> TrackPoint | None:
        """Position, speed and heading at ``t_s`` seconds of media time."""
        after = bisect_right(self._times, t_s)
        if 0 < after < len(self._knots) and self._joined[after - 1]:
            return self._between(self._knots[after - 1], self._knots[after], t_s)
        around = self._knots[max(0, after - 1) : after + 1]
        if not around:
            return None
        nearest = min(around, key=lambda knot: abs(knot.t_s - t_s))
        return self._beyond(nearest, t_s) if abs(nearest.t_s - t_s) <= MAX_OUTSIDE_S else None

    def along(self, times: Iterable[float]) -> list[TrackPoint | None]:
        """The position of every frame, from the frames' real times."""
        return [self.at(t_s) for t_s in times]

    def _stretches(self) -> Iterator[list[_Knot]]:
        """The filter's run over the fixes, cut where a gap is too long or the car turns out to be elsewhere."""
        run: list[_Knot] = []
        refused: list[Fix] = []
        for fix in self.fixes:
            if run and fix.t_s - run[-1].t_s > MAX_GAP_S:
                yield run
                run, refused = [], []
            if not run:
                run = [_first(fix, self._plane)]
                continue
            following = _filtered(run[-1], fix, self._plane)
            if following is not None:
                run.append(following)
                refused = []
                continue
            refused.append(fix)
            if len(refused) == _LOST_AFTER:
                if len(run) > 1:
                    yield run
                run = [_first(refused[0], self._plane)]
                run += [knot for late in refused[1:] if (knot := _filtered(run[-1], late, self._plane))]
                refused = []
        if run:
            yield run

    def _between(self, a: _Knot, b: _Knot, t_s: float) -> TrackPoint:
        h, tau = b.t_s - a.t_s, t_s - a.t_s
        u = tau / h
        place = (
            (1 + 2 * u) * (1 - u) ** 2 * a.state[0]
            + u * (1 - u) ** 2 * h * a.state[1]
            + u**2 * (3 - 2 * u) * b.state[0]
            + u**2 * (u - 1) * h * b.state[1]
        )
        bridge = _ACCELERATION * tau**3 * (h - tau) ** 3 / (3 * h**3)
        variance = (1 - u) * a.cov[0, 0] + u * b.cov[0, 0] + bridge
        speed = (1 - u) * a.speed_mps + u * b.speed_mps
        heading = _turned(a.heading_deg, b.heading_deg, u)
        at_fix = min(tau, h - tau) <= AT_FIX_S
        return self._position(place, speed, heading, "fix" if at_fix else "interpolated", variance)

    def _beyond(self, knot: _Knot, t_s: float) -> TrackPoint:
        dt = t_s - knot.t_s
        state, cov = _moved(knot, dt)
        quality: Quality = "fix" if abs(dt) <= AT_FIX_S else "extrapolated"
        return self._position(state[0], knot.speed_mps, knot.heading_deg, quality, cov[0, 0])

    def _position(
        self, place: Matrix, speed: float, heading: float | None, quality: Quality, variance: float
    ) -> TrackPoint:
        lat, lon = self._plane.to_degrees(float(place[0]), float(place[1]))
        known = speed if self._knows_motion else None
        return TrackPoint(lat, lon, known, heading, quality, math.sqrt(2 * float(variance)))


def on_one_clock(fixes: Sequence[Fix]) -> list[Fix]:
    """The fixes, in order, at the media time that their own clock gives them; of several at one time the first.

    A camera writes its newest fix once a second, now and then late or the same one twice. The satellites' clock is
    better: every fix lies ``median(utc - t_s)`` away from it. Sources with several fixes a second often stamp whole
    seconds; there the container's times stand.
    """
    spacing = median([b.t_s - a.t_s for a, b in pairwise(fixes)]) if len(fixes) > 2 else 0.0
    if spacing >= 0.9:
        start = median(fix.utc.timestamp() - fix.t_s for fix in fixes)
        on_clock = [(fix, fix.utc.timestamp() - start) for fix in fixes]
        fixes = [
            fix.model_copy(update={"t_s": t_s}) if abs(t_s - fix.t_s) < 1.5 else fix
            for fix, t_s in on_clock
        ]  # fmt: skip
    single: dict[float, Fix] = {}
    for fix in fixes:
        single.setdefault(round(fix.t_s, 3), fix)
    return [single[t_s] for t_s in sorted(single)]


def _velocity(fix: Fix) -> tuple[Matrix, float] | None:
    """(metres a second east and north, standard deviation), or None when the source does not say."""
    if fix.speed_mps is None:
        return None
    if fix.speed_mps < MOVING_MPS or fix.heading_deg is None:
        # how fast is known, the direction is not: somewhere on a circle around standing still
        return (np.zeros(2), max(fix.speed_mps, _VELOCITY_SD_MPS)) if fix.speed_mps < MOVING_MPS else None
    heading = math.radians(fix.heading_deg)
    return np.array([math.sin(heading), math.cos(heading)]) * fix.speed_mps, _VELOCITY_SD_MPS


def _first(fix: Fix, plane: Plane) -> _Knot:
    velocity, sd = _velocity(fix) or (np.zeros(2), _UNKNOWN_VELOCITY_SD_MPS)
    place = np.array(plane.to_metres(fix.lat, fix.lon))
    return _Knot(fix.t_s, np.vstack([place, velocity]), np.diag([_PLACE_SD_M**2, sd**2]))


def _moved(knot: _Knot, dt: float) -> tuple[Matrix, Matrix]:
    step = np.array([[1.0, dt], [0.0, 1.0]])
    size = abs(dt)
    noise = _ACCELERATION * np.array([[size**3 / 3, dt * size / 2], [dt * size / 2, size]])
    return step @ knot.state, step @ knot.cov @ step.T + noise


def _filtered(last: _Knot, fix: Fix, plane: Plane) -> _Knot | None:
    """The filter's next knot; None when the car cannot be where the fix is."""
    state, cov = _moved(last, fix.t_s - last.t_s)
    seen = np.array(plane.to_metres(fix.lat, fix.lon)) - state[0]
    off = float(seen @ seen) / (float(cov[0, 0]) + _PLACE_SD_M**2)
    if off > _IMPOSSIBLE:
        return None
    rows, innovation, noise = [[1.0, 0.0]], [seen], [_PLACE_SD_M**2 * max(1.0, off / _DOUBTFUL)]
    measured = _velocity(fix)
    if measured is not None:
        rows.append([0.0, 1.0])
        innovation.append(measured[0] - state[1])
        noise.append(measured[1] ** 2)
    look = np.array(rows)
    gain = cov @ look.T @ np.linalg.inv(look @ cov @ look.T + np.diag(noise))
    return _Knot(fix.t_s, state + gain @ np.array(innovation), (np.eye(2) - gain @ look) @ cov)


def _smoothed(run: list[_Knot]) -> list[_Knot]:
    """Rauch-Tung-Striebel: each knot learns what came after it."""
    for here, there in zip(run[-2::-1], run[:0:-1], strict=True):
        state, cov = _moved(here, there.t_s - here.t_s)
        step = np.array([[1.0, there.t_s - here.t_s], [0.0, 1.0]])
        gain = here.cov @ step.T @ np.linalg.inv(cov)
        here.state = here.state + gain @ (there.state - state)
        here.cov = here.cov + gain @ (there.cov - cov) @ gain.T
    return run


def _freeze_headings(knots: Sequence[_Knot], before: Sequence[float | None]) -> None:
    """The course of each knot that moves; one that stands has the last one before it, else the first one after."""
    for knot in knots:
        if knot.speed_mps >= MOVING_MPS:
            knot.heading_deg = math.degrees(math.atan2(knot.state[1, 0], knot.state[1, 1])) % 360
    moving = [knot.heading_deg for knot in knots if knot.heading_deg is not None]
    last = next(iter(moving or before), None)
    for knot in knots:
        last = knot.heading_deg = knot.heading_deg if knot.heading_deg is not None else last


def _turned(a: float | None, b: float | None, part: float) -> float | None:
    """The short way around: between 350 and 10 degrees lies north."""
    if a is None or b is None:
        return a if b is None else b
    return (a + ((b - a + 180) % 360 - 180) * part) % 360
