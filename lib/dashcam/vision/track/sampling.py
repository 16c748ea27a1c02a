"""Which frames are looked at: more where a plate is new, fewer where all that is there was seen, next to none where
nothing moves. Depends on the frames and on what was found in them alone, never on how quick anything is."""

import math
from collections.abc import Callable, Sequence

CALM = 2
"""Of the ticks every second one is looked at while no plate is new."""
STILL_S = 1.0
"""What has not changed since the last look is looked at this rarely."""
STILL = 0.002
"""Share of pixels below which nothing has changed: a plate and what is around it at the size it can be read."""


class Sampler:
    """Time is cut into ``fps`` ticks a second, of each at most the first frame is looked at.

    On a grid and not "so long after the last": else 30 fps sampled at 5 a second drifts to every seventh frame.
    """

    def __init__(self, fps: float, rejected: Sequence[tuple[float, float]] = (), *, calm: int = CALM) -> None:
        self._fps = fps
        self._rejected = rejected
        self._calm = calm if fps >= 4 else 1
        self._asked = -1
        self._looked: tuple[int, float] | None = None
        self.taken = 0
        self.region_only = False
        """Whether the last frame that was wanted is so for the sake of new plates alone."""

    def tick(self, t_s: float) -> int:
        return math.floor(t_s * self._fps + 1e-6)

    def rejected(self, t_s: float) -> bool:
        """Whether nobody wants to know what is there."""
        return any(start <= t_s < end for start, end in self._rejected)

    def wants(self, t_s: float, eager: Callable[[int], bool], moved: Callable[[], bool]) -> bool:
        """Asked once for every frame, in order. ``eager`` says whether a plate is new as far as is known in that tick,
        ``moved`` whether the picture is another than the last that was looked at; both are asked only when it matters.
        """
        tick, region_only = self.tick(t_s), False
        if self.rejected(t_s) or tick <= self._asked:
            return False
        self._asked = tick
        if self._looked is not None:
            looked, at_s = self._looked
            region_only = tick - looked < self._calm
            if region_only and not eager(tick):
                return False
            if t_s - at_s < STILL_S - 1e-6 and not moved():
                return False
        self._looked, self.region_only = (tick, t_s), region_only
        self.taken += 1
        return True
