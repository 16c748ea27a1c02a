"""What one of the car's cameras sees: the street, the traffic on it, and where each plate is drawn."""

from dataclasses import dataclass

import cv2
import numpy as np

from dashcam.records import Box
from dashcam.sample.plates import Drawing
from dashcam.sample.sprites import Sprite, blend
from dashcam.sample.street import PinholeCamera, Street, View
from dashcam.sample.vehicles import ORIGIN, PX_PER_M, VehicleLook

NEAREST_M = 2.2
CAR_LENGTH_M = 4.3
_STREET_DETAIL = 0.6
"""The street is drawn smaller and enlarged: it moves, so nobody misses the pixels, and it costs a third."""


@dataclass(frozen=True)
class Placed:
    """A vehicle at one moment: x metres right of our lane, z metres ahead of our windscreen."""

    look: VehicleLook
    x_m: float
    z_m: float
    oncoming: bool


class Camera:
    """Renders one of the car's cameras. ``rear`` looks backwards out of the same moving car."""

    def __init__(self, size: tuple[int, int], rear: bool, seed: int) -> None:
        self.size = size
        self.lens = PinholeCamera(*size, rear)
        self.street = Street(
            PinholeCamera(round(size[0] * _STREET_DETAIL), round(size[1] * _STREET_DETAIL), rear), seed
        )
        self._backdrop: tuple[View, Drawing] | None = None
        self._sprites: dict[tuple[str, bool], Sprite] = {}
        self._dash = _dashboard(*size, rear)

    def render(self, view: View, vehicles: list[Placed]) -> Drawing:
        """One BGR frame. While the car stands still, the street is drawn once."""
        if self._backdrop is None or self._backdrop[0] != view:
            self._backdrop = (view, np.asarray(cv2.resize(self.street.draw(view), self.size), np.uint8))
        frame = self._backdrop[1].copy()
        for placed in sorted(vehicles, key=self.distance_m, reverse=True):
            z = self.distance_m(placed)
            if z > NEAREST_M:
                self._sprite(placed).paste(frame, *self.lens.project(placed.x_m, z, 0.0, view), self.lens.focal / z)
        blend(frame[self.lens.height - self._dash.shape[0] :], self._dash)
        return frame

    def distance_m(self, placed: Placed) -> float:
        """From this camera to the vehicle's near end."""
        return -placed.z_m - CAR_LENGTH_M if self.lens.rear else placed.z_m

    def plate_box(self, placed: Placed, view: View) -> Box:
        """Where that vehicle's plate is drawn, in pixels."""
        look, scale = placed.look, self.lens.focal / self.distance_m(placed)
        height = look.plate_y_m(self._shows_rear(placed))
        u, v = self.lens.project(placed.x_m, self.distance_m(placed), height, view)
        half_w, half_h = look.style.width_m / 2 * scale, look.style.height_m / 2 * scale
        return (u - half_w, v - half_h, u + half_w, v + half_h)

    def body_box(self, placed: Placed, view: View) -> Box:
        """What the vehicle hides, in pixels."""
        look, scale = placed.look, self.lens.focal / self.distance_m(placed)
        u, v = self.lens.project(placed.x_m, self.distance_m(placed), 0.0, view)
        return (u - look.half_width_m * scale, v - look.roof_m * scale, u + look.half_width_m * scale, v)

    def holds(self, box: Box) -> bool:
        """Wholly inside the picture and above the dashboard."""
        floor = self.lens.height - self._dash.shape[0] * 0.9
        return box[0] > 4 and box[2] < self.lens.width - 4 and box[1] > 4 and box[3] < floor

    def _shows_rear(self, placed: Placed) -> bool:
        return placed.oncoming == self.lens.rear

    def _sprite(self, placed: Placed) -> Sprite:
        key = (placed.look.plate, self._shows_rear(placed))
        if key not in self._sprites:
            self._sprites[key] = Sprite(placed.look.sprite(key[1]), PX_PER_M, ORIGIN)
        return self._sprites[key]


def _dashboard(width: int, height: int, rear: bool) -> Drawing:
    """The car's own edge at the bottom of the picture, premultiplied BGRA."""
    rows = round(height * (0.05 if rear else 0.085))
    picture = np.zeros((rows, width, 4), np.uint8)
    x = np.linspace(-1, 1, width)
    edge = rows * (0.12 + 0.55 * x**2) if not rear else rows * (0.3 + 0.1 * x**2)
    depth = np.arange(rows)[:, None] - edge[None, :]
    alpha = np.clip(depth / 2, 0, 1)
    shine = 36 + 46 * np.exp(-depth / 9) + 8 * np.cos(x * 5)[None, :]
    for channel, tint in enumerate((1.12, 1.0, 0.92)):
        picture[..., channel] = np.clip(shine * tint * alpha, 0, 255)
    picture[..., 3] = alpha * 255
    return picture
