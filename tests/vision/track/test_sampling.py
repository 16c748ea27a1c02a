"""Looks are spent where something new is, the same ones on every run, and few where nothing happens."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashcam.vision.track.sampling import CALM, Sampler


def looked_at(
    fps: float,
    seconds: float,
    *,
    new: Callable[[int], bool] = lambda tick: True,
    moves: Callable[[float], bool] = lambda t_s: True,
    rejected: list[tuple[float, float]] | None = None,
) -> list[float]:
    sampler = Sampler(5, rejected or [])
    times = [i / fps for i in range(round(seconds * fps))]
    taken = [t for t in times if sampler.wants(t, new, lambda t=t: moves(t))]
    assert sampler.taken == len(taken)
    return taken


@pytest.mark.parametrize(("fps", "taken"), [(30, 50), (29.97, 50), (25, 50), (1, 10)])
def test_with_a_new_plate_five_frames_a_second_are_looked_at_whatever_the_frame_rate(fps: float, taken: int) -> None:
    assert len(looked_at(fps, 10)) == taken


@pytest.mark.parametrize(("fps", "taken"), [(30, 25), (29.97, 25), (1, 10)])
def test_without_a_new_plate_half_as_many(fps: float, taken: int) -> None:
    assert len(looked_at(fps, 10, new=lambda tick: False)) == taken


def test_where_nothing_moves_one_a_second_even_with_a_plate_there() -> None:
    assert looked_at(30, 10, moves=lambda t: False) == pytest.approx(range(10))


def test_what_begins_to_move_is_seen_in_the_next_tick() -> None:
    times = looked_at(30, 10, moves=lambda t: t >= 4.3)
    assert [t for t in times if t < 4.3] == pytest.approx(range(5))
    assert times[5] == pytest.approx(4.4)


def test_what_was_rejected_is_not_looked_at_and_what_comes_after_is_at_once() -> None:
    times = looked_at(30, 30, rejected=[(4, 24)])
    assert not any(4 <= t < 24 for t in times)
    assert 24 in times


@given(st.floats(0.5, 60), st.integers(1, 30), st.randoms(use_true_random=False))
def test_two_looks_never_share_a_slot_and_no_stretch_is_left_out(fps: float, seconds: int, random) -> None:
    answers = [random.random() < 0.5 for _ in range(5 * seconds + 1)]
    times = looked_at(fps, seconds, new=lambda tick: answers[tick], moves=lambda t: answers[int(t * 5)])
    ticks = [Sampler(5).tick(t) for t in times]
    assert len(set(ticks)) == len(ticks)
    apart = max((b - a for a, b in pairwise(times)), default=0)
    assert apart <= max(1.2, CALM / 5) + 1 / fps + 1e-6
