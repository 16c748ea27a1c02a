"""Night, motion, rain, brake lights, far cameras over a training picture, which ultralytics' own changes leave out."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
SHARE = 0.4
"""Of the pictures that are made worse."""


class Weather:
    """A transform of ultralytics' pipeline: ``labels["img"]`` is H x W x 3 BGR, boxes stay where they are."""

    def __call__(self, labels: dict[str, Any]) -> dict[str, Any]:
        rng = np.random.default_rng(int(np.random.randint(2**31)))
        if rng.random() < SHARE:
            change = (night, smeared, rain, coarse, brake_lights)[rng.integers(5)]
            labels["img"] = np.ascontiguousarray(change(labels["img"], rng))
        return labels


def night(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Dark, with lamps' glow and the noise of a sensor at its end."""
    dark = (image.astype(np.float32) / 255) ** rng.uniform(1.3, 2.4) * rng.uniform(120, 230)
    for _ in range(rng.integers(0, 4)):
        lamp = np.zeros(image.shape[:2], np.float32)
        at = int(rng.integers(image.shape[1])), int(rng.integers(image.shape[0]))
        cv2.circle(lamp, at, int(rng.integers(3, 14)), 1, -1)
        dark += cv2.GaussianBlur(lamp, (0, 0), float(rng.uniform(4, 20)))[:, :, None] * rng.uniform(120, 255)
    dark += rng.standard_normal(dark.shape, np.float32) * np.float32(rng.uniform(2, 12))
    return _bytes(dark)


def smeared(image: Pixels, rng: np.random.Generator) -> Pixels:
    """As a moving car smears, mostly sideways."""
    length = int(rng.integers(3, 10))
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1
    turn = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), float(rng.normal(0, 20)), 1)
    kernel = cv2.warpAffine(kernel, turn, (length, length))
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


def rain(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Streaks, drops on the windscreen, and the grey of wet air."""
    wet = image.astype(np.float32) * rng.uniform(0.6, 0.9) + rng.uniform(15, 50)
    streaks = (rng.random(image.shape[:2]) > 0.997).astype(np.float32)
    kernel = np.zeros((15, 15), np.float32)
    cv2.line(kernel, (7 + int(rng.integers(-3, 4)), 0), (7, 14), 1, 1)
    wet += cv2.filter2D(streaks, -1, kernel)[:, :, None] * rng.uniform(40, 110)
    for _ in range(rng.integers(0, 12)):
        x, y, r = int(rng.integers(image.shape[1])), int(rng.integers(image.shape[0])), int(rng.integers(4, 16))
        drop = wet[max(0, y - r) : y + r, max(0, x - r) : x + r]
        drop[:] = cv2.GaussianBlur(drop, (0, 0), r / 3) + rng.uniform(-10, 25)
    return _bytes(wet)


def brake_lights(image: Pixels, rng: np.random.Generator) -> Pixels:
    """A queue at night: everything red, more so around the lamps."""
    lit = image.astype(np.float32) * (rng.uniform(0.25, 0.8), rng.uniform(0.25, 0.6), rng.uniform(0.7, 1.1))
    glow = np.zeros(image.shape[:2], np.float32)
    for _ in range(rng.integers(1, 5)):
        at = int(rng.integers(image.shape[1])), int(rng.integers(image.shape[0]))
        cv2.circle(glow, at, int(rng.integers(4, 20)), 1, -1)
    glow = cv2.GaussianBlur(glow, (0, 0), float(rng.uniform(8, 40)))
    lit += (glow / max(float(glow.max()), 1e-3))[:, :, None] * (30, 30, rng.uniform(80, 200))
    lit += rng.standard_normal(lit.shape, np.float32) * np.float32(rng.uniform(1, 8))
    return _bytes(lit)


def coarse(image: Pixels, rng: np.random.Generator) -> Pixels:
    """A far or poor camera: fewer pixels, hard compression."""
    scale = rng.uniform(0.4, 0.8)
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    packed = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 70))])[1]
    back = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    return np.asarray(cv2.resize(back, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR), np.uint8)


def _bytes(image: NDArray[np.float32]) -> Pixels:
    out: Pixels = np.clip(image, 0, 255).astype(np.uint8)
    return out
