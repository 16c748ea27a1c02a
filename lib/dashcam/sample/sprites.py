"""Pictures with transparency, pasted at any size without flicker."""

from functools import cached_property

import cv2
import numpy as np

from dashcam.sample.plates import Drawing


class Sprite:
    """A premultiplied BGRA picture with half, quarter, … sizes, so that far ones do not flicker."""

    def __init__(self, picture: Drawing, px_per_m: float, origin: tuple[float, float]) -> None:
        self.levels = [picture]
        self.px_per_m = px_per_m
        self.origin = origin
        while min(self.levels[-1].shape[:2]) > 24:
            height, width = self.levels[-1].shape[:2]
            self.levels.append(
                np.asarray(
                    cv2.resize(self.levels[-1], (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8
                )
            )

    @cached_property
    def size(self) -> tuple[int, int]:
        return self.levels[0].shape[1], self.levels[0].shape[0]

    def paste(self, frame: Drawing, u: float, v: float, px_per_m: float) -> None:
        """Draw with the origin at pixel (u, v), ``px_per_m`` pixels to the metre, clipped to the frame."""
        scale = px_per_m / self.px_per_m
        level = int(np.clip(np.floor(-np.log2(scale)), 0, len(self.levels) - 1))
        source = self.levels[level]
        x0, y0 = u - self.origin[0] * scale, v - self.origin[1] * scale
        left, top = max(0, int(x0)), max(0, int(y0))
        right = min(frame.shape[1], int(np.ceil(x0 + self.size[0] * scale)))
        bottom = min(frame.shape[0], int(np.ceil(y0 + self.size[1] * scale)))
        if right - left < 2 or bottom - top < 2:
            return
        kx, ky = source.shape[1] / (self.size[0] * scale), source.shape[0] / (self.size[1] * scale)
        inverse = np.array([[kx, 0, (left + 0.5 - x0) * kx - 0.5], [0, ky, (top + 0.5 - y0) * ky - 0.5]], np.float64)
        warped = cv2.warpAffine(
            source, inverse, (right - left, bottom - top), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        blend(frame[top:bottom, left:right], warped)


def blend(region: Drawing, premultiplied: Drawing) -> None:
    """Lay a premultiplied BGRA picture over ``region``, in place."""
    rest = cv2.cvtColor(cv2.bitwise_not(cv2.extractChannel(premultiplied, 3)), cv2.COLOR_GRAY2BGR)
    region[:] = cv2.add(cv2.multiply(region, rest, scale=1 / 255), cv2.cvtColor(premultiplied, cv2.COLOR_BGRA2BGR))
