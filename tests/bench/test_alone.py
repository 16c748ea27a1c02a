"""A pass in a process of its own: what it answers, what it costs, and what is said when it dies."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from dashcam.bench.alone import PassKilled, alone


def test_the_cheapest_round_and_its_own_memory_are_told() -> None:
    small, (folder_was_empty, _) = alone(2, holding, 1)
    large, _ = alone(1, holding, 200_000_000)
    assert folder_was_empty
    assert large.peak_rss_mb > small.peak_rss_mb + 150
    assert small.cpu_s <= small.wall_s * (os.cpu_count() or 1)


def test_a_pass_that_is_killed_says_so_in_a_sentence() -> None:
    with pytest.raises(PassKilled, match=r"^The pass 'killed' was killed: see whether .* memory for it\.$"):
        alone(1, killed)


def test_what_a_pass_raises_comes_through() -> None:
    with pytest.raises(FileNotFoundError, match="no-such-clip"):
        alone(1, failing)


def holding(folder: Path, size: int) -> Callable[[], tuple[bool, int]]:
    return lambda: (not any(folder.iterdir()), len(b"x" * size))


def killed(folder: Path) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), signal.SIGKILL)


def failing(folder: Path) -> Callable[[], bytes]:
    return (folder / "no-such-clip").read_bytes
