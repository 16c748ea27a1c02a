"""Crops of one plate become one picture: aligned though boxes jitter, with less noise, and of nothing but the crops."""

import cv2
import numpy as np
import pytest

from dashcam.media.images import Image
from dashcam.sample.plates import STYLES, draw_plate
from dashcam.vision.read.fusing import HEIGHT, PlateLook, fused

PLATE = draw_plate("KX64 RHM", STYLES["GB"], 20 / STYLES["GB"].height_m)


def look(rng: np.random.Generator, apart: tuple[int, int] = (0, 0), noise: float = 10) -> PlateLook:
    """The plate with a street around it, boxed ``apart`` from where it is, through noise."""
    high, wide = PLATE.shape[:2]
    street = cv2.copyMakeBorder(PLATE, 8, 8, 16, 16, cv2.BORDER_CONSTANT, value=(90, 90, 90))
    seen = np.clip(street + rng.normal(0, noise, street.shape), 0, 255).astype(np.uint8)
    x, y = 16 + apart[0], 8 + apart[1]
    return PlateLook(seen, (x, y, x + wide, y + high))


def off(picture: Image) -> float:
    """How far it is from the plate without any noise."""
    clear, _ = fused([look(np.random.default_rng(0), noise=0)])
    return float(np.abs(picture.astype(float) - clear).mean())


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_looks_whose_boxes_are_beside_the_plate_are_laid_on_the_first(rng: np.random.Generator) -> None:
    looks = [look(rng), *(look(rng, (dx, dy)) for dx in (-1, 0, 1) for dy in (-1, 1))]
    picture, many = fused(looks)
    assert many == len(looks)
    assert picture.shape[0] == HEIGHT
    assert off(picture) < 0.5 * off(fused(looks[:1])[0])


def test_a_look_at_something_else_is_left_out(rng: np.random.Generator) -> None:
    other = rng.integers(0, 255, look(rng).image.shape).astype(np.uint8)
    looks = [look(rng), look(rng), PlateLook(other, look(rng).place)]
    picture, many = fused(looks)
    assert many == 2
    assert np.array_equal(picture, fused(looks[:2])[0])
