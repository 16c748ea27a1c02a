"""Whether two sightings of one clip are of the same plate in the same stretch: by when, and where in the picture.

So a person's word about a sighting finds it again in whatever a later look at the clip has found. Texts do not count:
a better reader is why a clip is done again.
"""

from bisect import bisect_left
from collections.abc import Sequence
from statistics import median

Spot = tuple[float, float, float, float, float]
"""``(t_s, x0, y0, x1, y1)`` in seconds of the clip and pixels of the source video."""

SHARED = 0.3
"""Of the shorter of the two stretches at least so much is in both."""
INSTANT_S = 0.25
"""What is shorter than this is one moment; it is met within so much."""
NEAR = 0.8
"""So many widths of the plate may lie between where they were, in the middle of those moments."""
ALIKE = 2.5
"""So many times as wide one may be as the other."""
MOMENTS = 5
KEPT = 12


def path_of(boxes: Sequence[Spot]) -> list[Spot]:
    """At most `KEPT` of these places, in order of time, the first and the last among them."""
    every = sorted({box[0]: box for box in boxes}.values())
    if len(every) <= KEPT:
        return every
    return [every[round(number * (len(every) - 1) / (KEPT - 1))] for number in range(KEPT)]


def same(one: Sequence[Spot], other: Sequence[Spot]) -> bool:
    """Of two paths in order of time, neither of them empty."""
    begin, end = max(one[0][0], other[0][0]), min(one[-1][0], other[-1][0])
    shorter = min(one[-1][0] - one[0][0], other[-1][0] - other[0][0])
    if end - begin < (SHARED * shorter if shorter > INSTANT_S else -INSTANT_S):
        return False
    moments = [begin + (end - begin) * number / (MOMENTS - 1) for number in range(MOMENTS)]
    pairs = [(at(one, moment), at(other, moment)) for moment in moments]
    return median(apart(a, b) for a, b in pairs) <= NEAR and median(wider(a, b) for a, b in pairs) <= ALIKE


def at(path: Sequence[Spot], moment: float) -> Spot:
    """Where it was then: between two places on the line between them, outside of all where it was last."""
    after = bisect_left([spot[0] for spot in path], moment)
    if after in (0, len(path)):
        return path[min(after, len(path) - 1)]
    before, then = path[after - 1], path[after]
    part = (moment - before[0]) / (then[0] - before[0])
    x0, y0, x1, y1 = (a + part * (b - a) for a, b in zip(before[1:], then[1:], strict=True))
    return moment, x0, y0, x1, y1


def apart(a: Spot, b: Spot) -> float:
    """From middle to middle, in widths of the plate."""
    (ax, ay), (bx, by) = (((one[1] + one[3]) / 2, (one[2] + one[4]) / 2) for one in (a, b))
    return float(((ax - bx) ** 2 + (ay - by) ** 2) ** 0.5 / max((width(a) + width(b)) / 2, 1.0))


def wider(a: Spot, b: Spot) -> float:
    return max(width(a), width(b)) / max(min(width(a), width(b)), 1.0)


def width(spot: Spot) -> float:
    return abs(spot[3] - spot[1])
