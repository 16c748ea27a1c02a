"""The street without its traffic, in perspective.

World: x metres to the right of our lane's middle, s metres along the road. Camera: z metres ahead of it (behind the car
for the rear one), pixels ``u = cx + f x / z``, ``v = horizon + f (eye - y) / z``. A bend of curvature k moves
everything at distance z sideways by ``k z^2 / 2``.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dashcam.sample import textures
from dashcam.sample.plates import Drawing
from dashcam.sample.sprites import Sprite

FAR_M = 140.0
EYE_M = 1.32
_LEVELS = 3
_BLUR_FROM_M = (0.0, 28.0, 60.0)
"""Farther than these, ever smoother copies of the textures are used, or distant lines flicker."""
_TREES_M = (2.5, 90.0)
_PAD = 8


@dataclass(frozen=True)
class View:
    """Where the camera is at one moment; ``bounce`` moves the horizon, as a part of the picture's width."""

    s_m: float
    curvature: float
    heading_deg: float
    bounce: float


class PinholeCamera:
    """A pinhole camera of a given picture size, looking ahead (``side`` 1) or back (-1)."""

    def __init__(self, width: int, height: int, rear: bool) -> None:
        self.width, self.height, self.rear = width, height, rear
        self.side = -1 if rear else 1
        self.focal = width * 0.98
        self.cx = width / 2

    def horizon(self, view: View) -> float:
        return self.height * 0.47 + view.bounce * self.width

    def project(self, x: float, z: float, y: float, view: View) -> tuple[float, float]:
        """Pixel of the point x metres right of our lane, y above the road, z from the camera."""
        x = self.side * (x + view.curvature * z * z / 2)
        return self.cx + self.focal * x / z, self.horizon(view) + self.focal * (EYE_M - y) / z


class Street:
    """Road, houses, trees and sky."""

    def __init__(self, lens: PinholeCamera, seed: int) -> None:
        self.lens = lens
        rng = np.random.default_rng(seed)
        self.road = _smoother(textures.road(rng), axis=1)
        self.walls = np.ascontiguousarray(np.vstack([_smoother(textures.facade(rng), axis=0) for _ in range(2)]))
        sky = textures.sky(rng, round(lens.height * 0.5), lens.width * 2)
        self.sky = np.concatenate([sky, sky[:, : lens.width]], axis=1)
        self.rays = ((np.arange(lens.width) - lens.cx) / lens.focal).astype(np.float32)
        self.tree = Sprite(textures.tree(rng), 60, (150, 450))
        self.lamp = Sprite(textures.lamp(), 60, (60, 360))

    def draw(self, view: View) -> Drawing:
        """One BGR picture, ``lens.height`` x ``lens.width``."""
        frame = np.empty((self.lens.height, self.lens.width, 3), np.uint8)
        horizon = self.lens.horizon(view)
        self._sky(frame, view, horizon)
        self._ground(frame, view, horizon)
        self._walls(frame, view, horizon)
        for z, x, sprite in sorted(self._standing(view), key=lambda thing: -thing[0]):
            if _TREES_M[0] < z < _TREES_M[1]:
                sprite.paste(frame, *self.lens.project(x, z, 0.0, view), self.lens.focal / z)
        return frame

    def _standing(self, view: View) -> list[tuple[float, float, Sprite]]:
        """Trees and lamp posts as (z, x, picture)."""
        places = [(place, self.tree) for place in textures.TREES] + [(place, self.lamp) for place in textures.LAMPS]
        return [((self.lens.side * (s - view.s_m)) % textures.PERIOD_M, x, sprite) for (x, s), sprite in places]

    def _sky(self, frame: Drawing, view: View, horizon: float) -> None:
        rows = int(np.ceil(horizon)) + 1
        period = self.sky.shape[1] - self.lens.width
        turned = round(np.radians(view.heading_deg) * self.lens.focal) + (period // 2 if self.lens.rear else 0)
        frame[:rows] = self.sky[-rows:, turned % period : turned % period + self.lens.width]

    def _ground(self, frame: Drawing, view: View, horizon: float) -> None:
        top = int(np.ceil(horizon)) + 1
        z = np.asarray(self.lens.focal * EYE_M / (np.arange(top, self.lens.height) - horizon), np.float32)
        along = (view.s_m + self.lens.side * z) % textures.PERIOD_M * textures.ROAD_PX_PER_M + _PAD
        width = self.road.shape[1] // _LEVELS
        middle = (-view.curvature * z * z / 2 - textures.ROAD_LEFT_M) * textures.ROAD_PX_PER_M
        column = np.outer(z * (self.lens.side * textures.ROAD_PX_PER_M), self.rays) + middle[:, None]
        np.clip(column, 0, width - 2, out=column)
        column += (_level(z) * width)[:, None]
        row = np.broadcast_to(along[:, None], column.shape)
        frame[top:] = cv2.remap(self.road, column, np.ascontiguousarray(row), cv2.INTER_LINEAR)

    def _walls(self, frame: Drawing, view: View, horizon: float) -> None:
        """The house fronts. A picture row meets a front at ``H - eye - (horizon - v) z / f`` below its top."""
        z, which = self._nearest_wall(view)
        seen = z < FAR_M
        bottom = min(self.lens.height, round(horizon + self.lens.focal * EYE_M / float(z.min())) + 1)
        height = self.walls.shape[0] // 2 // _LEVELS
        slope = np.where(seen, z / self.lens.focal * textures.WALL_PX_PER_M, np.float32(0))
        start = np.where(seen, np.float32((textures.WALL_HEIGHT_M - EYE_M) * textures.WALL_PX_PER_M), np.float32(0))
        row = np.outer(np.arange(bottom, dtype=np.float32) - np.float32(horizon), slope) + start
        np.clip(row, 0, height - 1, out=row)  # the first and the last row are transparent
        row += (which * _LEVELS + _level(z)) * height
        along = (view.s_m + self.lens.side * z) % textures.PERIOD_M * textures.WALL_PX_PER_M + _PAD
        column = np.ascontiguousarray(np.broadcast_to(along[None, :], row.shape))
        picture = cv2.remap(self.walls, column, row, cv2.INTER_LINEAR)
        _, mask = cv2.threshold(cv2.extractChannel(picture, 3), 127, 255, cv2.THRESH_BINARY)
        cv2.copyTo(_hazy(cv2.cvtColor(picture, cv2.COLOR_BGRA2BGR), z), mask, frame[:bottom])

    def _nearest_wall(self, view: View) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """For each picture column, how far its ray travels to the nearer row of houses, and which row it is."""
        distance = np.full(self.lens.width, FAR_M, np.float32)
        which = np.zeros(self.lens.width, np.float32)
        bend = self.lens.side * view.curvature
        for index, wall in enumerate((textures.LEFT_M, textures.RIGHT_M)):
            x = self.lens.side * wall
            root = self.rays**2 - 2 * bend * x
            with np.errstate(divide="ignore", invalid="ignore"):
                z = 2 * x / (self.rays + np.sign(x) * np.sqrt(root))
            nearer = (root >= 0) & (z > 0) & (z < distance)
            which[nearer], distance[nearer] = index, z[nearer]
        return distance, which


def _hazy(picture: Drawing, z: NDArray[np.float32]) -> Drawing:
    """Fade each column towards the sky's colour with its distance."""
    keep = 1 - np.clip(z / 260, 0, 0.55)[None, :, None]
    weight = np.broadcast_to(keep * 255, (1, z.size, 3)).astype(np.uint8)
    veil = (np.array([226, 218, 210]) * (1 - keep)).astype(np.uint8)
    rows = picture.shape[0]
    faded = cv2.multiply(picture, cv2.repeat(weight, rows, 1), scale=1 / 255)
    return np.asarray(cv2.add(faded, cv2.repeat(veil, rows, 1)), np.uint8)


def _level(z: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.digitize(z, _BLUR_FROM_M).astype(np.float32) - 1


def _smoother(picture: Drawing, axis: int) -> Drawing:
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
