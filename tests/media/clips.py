"""Real, very small clips for tests: made by the sample generator's encoder."""

from collections.abc import Iterator
from functools import cache

import numpy as np

from dashcam.sample.drive import START_LOCAL, encode
from dashcam.sample.plates import Picture

FPS = 10


def _frames(count: int) -> Iterator[Picture]:
    rng = np.random.default_rng(3)
    for _ in range(count):
        yield rng.integers(0, 255, (96, 128, 3), dtype=np.uint8)


@cache
def mp4(seconds: int = 3) -> bytes:
    """``seconds`` of 128x96 noise at ``FPS``, moov at the end."""
    return encode(_frames(seconds * FPS), (128, 96), FPS, START_LOCAL)
