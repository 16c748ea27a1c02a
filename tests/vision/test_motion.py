"""What moves is told from what only changes its light, its noise or its leaves."""

import numpy as np

from dashcam.config import PreprocessSettings
from dashcam.media.images import Image
from dashcam.vision.motion import moved

STREET = np.random.default_rng(1).integers(40, 200, (80, 142), dtype=np.uint8).repeat(4, 0).repeat(4, 1)


def with_car(x: int, width: int = 30, height: int = 22) -> Image:
    picture = STREET.copy()
    picture[200 : 200 + height, x : x + width] = 255
    return picture


def test_a_car_whose_plate_can_just_be_read_moves_the_picture() -> None:
    assert moved(STREET, with_car(300)) > PreprocessSettings().still
    assert moved(with_car(200), with_car(300)) > PreprocessSettings().still


def test_dusk_does_not_move_the_picture() -> None:
    assert moved(STREET, STREET - 20) == 0


def test_grain_and_leaves_are_many_small_things_and_move_nothing() -> None:
    rng = np.random.default_rng(2)
    grain = np.clip(STREET + rng.normal(0, 6, STREET.shape), 0, 255).astype(np.uint8)
    assert moved(STREET, grain) < PreprocessSettings().still
    leaves = STREET.copy()
    for x in range(0, 560, 16):
        for y in range(0, 160, 16):
            leaves[y : y + 7, x : x + 7] = rng.integers(0, 255)
    assert (leaves != STREET).mean() > 0.02
    assert moved(STREET, leaves) < PreprocessSettings().still


def test_a_picture_of_another_size_is_another_picture() -> None:
    assert moved(STREET, STREET[::2, ::2]) == 1
