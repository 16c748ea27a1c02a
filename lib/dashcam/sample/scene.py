"""A street in perspective: a pinhole camera behind the windscreen, over flat ground that bends with the road.

World: x metres to the right of our lane's middle, s metres along the road. Camera: z metres ahead of it (behind the car for
the rear one), pixels ``u = cx + f x / z``, ``v = cy + f (h - y) / z``. A bend of curvature k moves everything at distance z
sideways by ``k z^2 / 2``.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dashcam.records import Box
from dashcam.sample import textures
from dashcam.sample.plates import Picture
from dashcam.sample.vehicles import ORIGIN, PX_PER_M, Sprite, VehicleLook, blend

FAR_M = 140.0
CAR_LENGTH_M = 4.3
_LEVELS = 3
_BLUR_FROM_M = (0.0, 28.0, 60.0)
"""Farther than these, ever smoother copies of the textures are used, or distant lines flicker."""
_NEAR_M, _TREES_TO_M = 2.2, 90.0
_PAD = 8


@dataclass(frozen=True)
class View:
    """Where the camera is at one moment."""

    s_m: float
    curvature: float
    heading_deg: float
    bounce_px: float


@dataclass(frozen=True)
class Placed:
    """A vehicle at one moment: x and z as above, z measured in driving direction from our windscreen."""

    look: VehicleLook
    x_m: float
    z_m: float
    oncoming: bool


class Camera:
    """Renders one of the car's cameras. ``rear`` looks backwards out of the same moving car."""

    def __init__(self, size: tuple[int, int], rear: bool, seed: int) -> None:
        self.width, self.height = size
        self.rear = rear
        self.side = -1 if rear else 1
        self.focal = self.width * 0.98
        self.cx, self.horizon = self.width / 2, self.height * 0.47
        self.eye_m = 1.32
        rng = np.random.default_rng(seed)
        self.road = _smoother(textures.road(rng), axis=1)
        walls = [_smoother(textures.facade(rng), axis=0) for _ in range(2)]
        self.walls = np.ascontiguousarray(np.vstack(walls))
        sky = textures.sky(rng, round(self.height * 0.5), self.width * 2)
        self.sky = np.concatenate([sky, sky[:, : self.width]], axis=1)
        self.rays = ((np.arange(self.width) - self.cx) / self.focal).astype(np.float32)
        self.tree = Sprite(textures.tree(rng), 60, (150, 450))
        self.lamp = Sprite(textures.lamp(), 60, (60, 360))
        self.sprites: dict[tuple[str, bool], Sprite] = {}
        self._street: tuple[View, Picture] | None = None
        self.dash = _dashboard(self.width, self.height, rear)

    def render(self, view: View, vehicles: list[Placed]) -> Picture:
        """One BGR frame. While the car stands still, the street is drawn once."""
        if self._street is None or self._street[0] != view:
            self._street = (view, self._draw_street(view))
        frame = self._street[1].copy()
        for placed in sorted(vehicles, key=self.distance_m, reverse=True):
            if self.distance_m(placed) > _NEAR_M:
                self._paste(frame, self._sprite(placed), placed.x_m, self.distance_m(placed), view)
        blend(frame[self.height - self.dash.shape[0] :], self.dash)
        return frame

    def _draw_street(self, view: View) -> Picture:
        frame = np.empty((self.height, self.width, 3), np.uint8)
        horizon = self.horizon + view.bounce_px
        self._sky(frame, view, horizon)
        self._ground(frame, view, horizon)
        self._walls(frame, view, horizon)
        for z, x, sprite in sorted(self._standing(view), key=lambda thing: -thing[0]):
            if _NEAR_M < z < _TREES_TO_M:
                self._paste(frame, sprite, x, z, view)
        return frame

    def _paste(self, frame: Picture, sprite: Sprite, x: float, z: float, view: View) -> None:
        u, v = self._project(x, z, 0.0, view)
        sprite.paste(frame, u, v, self.focal / z)

    def plate_box(self, placed: Placed, view: View) -> Box:
        """Where that vehicle's plate is drawn, in pixels."""
        z = self.distance_m(placed)
        rear_shown = self._shows_rear(placed)
        u, v = self._project(placed.x_m, z, placed.look.plate_y_m(rear_shown), view)
        half_w = placed.look.style.width_m / 2 * self.focal / z
        half_h = placed.look.style.height_m / 2 * self.focal / z
        return (u - half_w, v - half_h, u + half_w, v + half_h)

    def body_box(self, placed: Placed, view: View) -> Box:
        z = self.distance_m(placed)
        u, v = self._project(placed.x_m, z, 0.0, view)
        half = placed.look.half_width_m * self.focal / z
        return (u - half, v - placed.look.roof_m * self.focal / z, u + half, v)

    def sees(self, box: Box) -> bool:
        """Wholly inside the picture and above the dashboard."""
        return box[0] > 4 and box[2] < self.width - 4 and box[1] > 4 and box[3] < self.height - self.dash.shape[0] * 0.9

    def distance_m(self, placed: Placed) -> float:
        return -placed.z_m - CAR_LENGTH_M if self.rear else placed.z_m

    def _shows_rear(self, placed: Placed) -> bool:
        return placed.oncoming == self.rear

    def _sprite(self, placed: Placed) -> Sprite:
        key = (placed.look.plate, self._shows_rear(placed))
        if key not in self.sprites:
            self.sprites[key] = Sprite(placed.look.sprite(key[1]), PX_PER_M, ORIGIN)
        return self.sprites[key]

    def _project(self, x: float, z: float, y: float, view: View) -> tuple[float, float]:
        x = self.side * (x + view.curvature * z * z / 2)
        return self.cx + self.focal * x / z, self.horizon + view.bounce_px + self.focal * (self.eye_m - y) / z

    def _standing(self, view: View) -> list[tuple[float, float, Sprite]]:
        """Trees and lamp posts as (z, x, picture)."""
        places = [(place, self.tree) for place in textures.TREES] + [(place, self.lamp) for place in textures.LAMPS]
        return [((self.side * (s - view.s_m)) % textures.PERIOD_M, x, sprite) for (x, s), sprite in places]

    def _sky(self, frame: Picture, view: View, horizon: float) -> None:
        rows = round(horizon) + 1
        period = self.sky.shape[1] - self.width
        turned = round(np.radians(view.heading_deg) * self.focal) + (period // 2 if self.rear else 0)
        frame[:rows] = self.sky[-rows:, turned % period : turned % period + self.width]

    def _ground(self, frame: Picture, view: View, horizon: float) -> None:
        top = int(np.ceil(horizon)) + 1
        z = np.asarray(self.focal * self.eye_m / (np.arange(top, self.height) - horizon), np.float32)
        along = (view.s_m + self.side * z) % textures.PERIOD_M * textures.ROAD_PX_PER_M + _PAD
        width = self.road.shape[1] // _LEVELS
        middle = (-view.curvature * z * z / 2 - textures.ROAD_LEFT_M) * textures.ROAD_PX_PER_M
        column = np.outer(z * (self.side * textures.ROAD_PX_PER_M), self.rays) + middle[:, None]
        np.clip(column, 0, width - 2, out=column)
        column += (_level(z) * width)[:, None]
        row = np.broadcast_to(along[:, None], column.shape)
        frame[top:] = cv2.remap(self.road, column, np.ascontiguousarray(row), cv2.INTER_LINEAR)

    def _walls(self, frame: Picture, view: View, horizon: float) -> None:
        """The house fronts. A picture row meets a front at ``H - eye - (horizon - v) z / f`` below its top."""
        z, which = self._nearest_wall(view)
        seen = z < FAR_M
        bottom = min(self.height, round(horizon + self.focal * self.eye_m / float(z.min())) + 1)
        height = self.walls.shape[0] // 2 // _LEVELS
        slope = np.where(seen, z / self.focal * textures.WALL_PX_PER_M, np.float32(0))
        start = np.where(seen, np.float32((textures.WALL_HEIGHT_M - self.eye_m) * textures.WALL_PX_PER_M), np.float32(0))
        row = np.outer(np.arange(bottom, dtype=np.float32) - np.float32(horizon), slope) + start
        np.clip(row, 0, height - 1, out=row)  # the first and the last row are transparent
        row += (which * _LEVELS + _level(z)) * height
        along = (view.s_m + self.side * z) % textures.PERIOD_M * textures.WALL_PX_PER_M + _PAD
        column = np.ascontiguousarray(np.broadcast_to(along[None, :], row.shape))
        picture = cv2.remap(self.walls, column, row, cv2.INTER_LINEAR)
        _, mask = cv2.threshold(cv2.extractChannel(picture, 3), 127, 255, cv2.THRESH_BINARY)
        cv2.copyTo(_hazy(cv2.cvtColor(picture, cv2.COLOR_BGRA2BGR), z), mask, frame[:bottom])

    def _nearest_wall(self, view: View) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """For each picture column, how far its ray travels to the nearer row of houses, and which row it is."""
        distance = np.full(self.width, FAR_M, np.float32)
        which = np.zeros(self.width, np.float32)
        bend = self.side * view.curvature
        for index, wall in enumerate((textures.LEFT_M, textures.RIGHT_M)):
            x = self.side * wall
            root = self.rays**2 - 2 * bend * x
            with np.errstate(divide="ignore", invalid="ignore"):
                z = 2 * x / (self.rays + np.sign(x) * np.sqrt(root))
            nearer = (root >= 0) & (z > 0) & (z < distance)
            which[nearer], distance[nearer] = index, z[nearer]
        return distance, which


def _hazy(picture: Picture, z: NDArray[np.float32]) -> Picture:
    """Fade each column towards the sky's colour with its distance."""
    keep = 1 - np.clip(z / 260, 0, 0.55)[None, :, None]
    weight = np.broadcast_to(keep * 255, (1, z.size, 3)).astype(np.uint8)
    veil = (np.array([226, 218, 210]) * (1 - keep)).astype(np.uint8)
    rows = picture.shape[0]
    faded = cv2.multiply(picture, cv2.repeat(weight, rows, 1), scale=1 / 255)
    return np.asarray(cv2.add(faded, cv2.repeat(veil, rows, 1)), np.uint8)


def _level(z: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.digitize(z, _BLUR_FROM_M).astype(np.float32) - 1


def _smoother(picture: Picture, axis: int) -> Picture:
    """The texture, padded to wrap, beside (axis 1) or above (axis 0) ever smoother copies of itself.

    Those above each other get a transparent first and last row.
    """
    pad = ((_PAD, _PAD), (0, 0), (0, 0)) if axis == 1 else ((0, 0), (_PAD, _PAD), (0, 0))
    wrapped = np.pad(picture, pad, mode="wrap")
    copies = [wrapped] + [np.asarray(cv2.GaussianBlur(wrapped, (0, 0), sigma), np.uint8) for sigma in (1.2, 3.0)]
    if axis == 0:
        for copy in copies:
            copy[[0, -1]] = 0
    return np.ascontiguousarray(np.concatenate(copies, axis=axis))


def _dashboard(width: int, height: int, rear: bool) -> Picture:
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
