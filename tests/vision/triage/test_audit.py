"""The sample of what was rejected: of the share that is asked for, the same on every run, and never of what is kept."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashcam.records import Span
from dashcam.vision.triage.audit import drawn

CUTS = [float(t) for t in range(61)]
PARKED = [
    Span(start_s=0, end_s=3, keep=True, reason="new view"),
    Span(start_s=3, end_s=40, keep=False, reason="nothing moves"),
    Span(start_s=40, end_s=60.5, keep=False, reason="too dark"),
]


def seconds(spans: list[Span]) -> float:
    return sum(span.end_s - span.start_s for span in spans)


def test_about_the_share_that_was_asked_for_is_drawn() -> None:
    made = [drawn(PARKED, CUTS, f"video {number}", 0.05) for number in range(400)]
    audited = sum(seconds([s for s in spans if s.audit]) for spans in made)
    assert audited / (400 * 57.5) == pytest.approx(0.05, abs=0.01)
    assert max(s.end_s - s.start_s for spans in made for s in spans if s.audit) < 9


def test_the_same_clip_has_the_same_sample_and_another_clip_another() -> None:
    assert drawn(PARKED, CUTS, "a", 0.3) == drawn(PARKED, CUTS, "a", 0.3)
    assert len({tuple(s.start_s for s in drawn(PARKED, CUTS, str(n), 0.3) if s.audit) for n in range(20)}) > 10


def test_none_and_all() -> None:
    assert drawn(PARKED, CUTS, "a", 0) == PARKED
    assert all(s.audit for s in drawn(PARKED, CUTS, "a", 1) if not s.keep)


@given(st.lists(st.booleans(), min_size=1, max_size=8), st.floats(0, 1), st.lists(st.floats(0, 80), max_size=40))
def test_drawing_changes_neither_what_is_kept_nor_where_anything_ends(
    keeps: list[bool], share: float, cuts: list[float]
) -> None:
    spans = [
        Span(start_s=10.0 * n, end_s=10.0 * n + 10, keep=keep, reason="moves" if keep else "too dark")
        for n, keep in enumerate(keeps)
    ]
    made = drawn(spans, cuts, "a", share)
    assert (made[0].start_s, made[-1].end_s) == (0, 10 * len(keeps))
    assert all(a.end_s == b.start_s for a, b in pairwise(made))
    assert not any(s.audit and s.keep for s in made)
    assert seconds([s for s in made if s.keep]) == pytest.approx(10 * sum(keeps))
