"""Who else is on the road: when, where, with which plate."""

from dataclasses import dataclass

import numpy as np

from dashcam.sample.plates import STYLES, Bgr, TextMaker, make_text
from dashcam.sample.scene import Placed
from dashcam.sample.vehicles import VehicleLook

SCRIPT_S = 24.0
"""The drive that the times below are written for; a longer one is played slower."""
LEFT = -3.3


@dataclass(frozen=True)
class Script:
    """A vehicle's way, as (second, metres ahead of our windscreen, metres to the right); behind us is negative."""

    country: str
    kind: str
    colour: Bgr
    oncoming: bool
    keys: tuple[tuple[float, float, float], ...]


SCRIPTS = (
    Script(
        "NL", "hatchback", (52, 44, 158), oncoming=False,
        keys=(
            (0, 15, 0), (2.5, 9, 0), (5, 6.0, 0), (7.5, 6.8, 0), (10, 20, 0),
            (12.5, 50, 0), (14, 80, 0),
        ),
    ),
    Script(
        "D", "suv", (214, 217, 219), oncoming=False,
        keys=(
            (1.5, -34, LEFT), (4.5, -11, LEFT), (6.3, -1, LEFT), (7.8, 7.4, LEFT + 0.1), (9, 9.4, -1.9),
            (10.2, 12.5, 0), (12, 36, 0), (13.6, 80, 0),
        ),
    ),
    Script(
        "F", "saloon", (140, 104, 44), oncoming=True,
        keys=(
            (8.5, 60, LEFT), (11.2, 17, LEFT), (13.4, 8.8, LEFT), (14.5, 4, LEFT), (16.0, -9, LEFT),
            (17.5, -14, LEFT), (20, -50, LEFT), (21.5, -90, LEFT),
        ),
    ),
    Script(
        "GB", "van", (70, 60, 52), oncoming=False,
        keys=(
            (11.6, 38, 2.9), (12.8, 25, 2.7), (13.8, 14, 0.7), (14.7, 8.4, 0), (15.6, 6.3, 0),
            (18.4, 6.0, 0), (20, 11, 0), (22, 24, 0), (24, 46, 0),
        ),
    ),
    Script(
        "PL", "saloon", (92, 96, 98), oncoming=False,
        keys=(
            (0, -26, 0), (4, -16, 0), (8, -13, 0), (13, -11, 0), (15.5, -9.3, 0),
            (18.6, -9.5, 0), (22, -12.5, 0), (24, -15, 0),
        ),
    ),
    Script(
        "B", "hatchback", (60, 92, 40), oncoming=True,
        keys=(
            (15, 70, LEFT), (17, 16, LEFT), (18.2, 9.6, LEFT), (19.4, 7.2, LEFT), (20.3, 3.5, LEFT),
            (21.2, -10, LEFT), (22.4, -14, LEFT), (24, -40, LEFT),
        ),
    ),
)  # fmt: skip


def _hermite(times: np.ndarray, values: np.ndarray, t: float) -> float:
    """Smooth, without overshoot: cubic Hermite with harmonic-mean slopes (Fritsch and Butland 1984)."""
    slopes = np.diff(values) / np.diff(times)
    left, right = slopes[:-1], slopes[1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = np.where(left * right > 0, 2 * left * right / (left + right), 0.0)
    tangents = np.concatenate([slopes[:1], inner, slopes[-1:]])
    index = int(np.clip(np.searchsorted(times, t, side="right") - 1, 0, times.size - 2))
    width = times[index + 1] - times[index]
    u = (t - times[index]) / width
    a, b = values[index], values[index + 1]
    p, q = tangents[index] * width, tangents[index + 1] * width
    return float(a * (1 + 2 * u) * (1 - u) ** 2 + p * u * (1 - u) ** 2 + b * u * u * (3 - 2 * u) + q * u * u * (u - 1))


class Traffic:
    """All vehicles of a drive; the same seed gives the same plates. ``text`` draws one."""

    def __init__(self, duration_s: float, seed: int, text: TextMaker = make_text) -> None:
        rng = np.random.default_rng(seed)
        self.stretch = SCRIPT_S / duration_s
        self.vehicles = []
        for script in SCRIPTS:
            style = STYLES[script.country]
            look = VehicleLook(script.kind, script.colour, text(style, rng), style)
            self.vehicles.append((script, look, np.array(script.keys, float)))

    def at(self, t_s: float) -> list[Placed]:
        """Everybody on stage ``t_s`` seconds into the drive."""
        t = t_s * self.stretch
        return [
            Placed(look, _hermite(keys[:, 0], keys[:, 2], t), _hermite(keys[:, 0], keys[:, 1], t), script.oncoming)
            for script, look, keys in self.vehicles
            if keys[0, 0] <= t <= keys[-1, 0]
        ]
