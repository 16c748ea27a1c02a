"""How long ``dashcam chaos`` goes on."""

import time
from pathlib import Path

import pytest

from dashcam.chaos import alone, real
from dashcam.chaos.report import Injection, Report
from dashcam.cli.chaos import alone_or_cut


def test_neither_a_system_nor_a_seed_is_begun_that_would_end_too_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seed_of_a_minute(seed: int, *_: object, **named: object) -> Report:
        monkeypatch.setattr(time, "monotonic", lambda began=time.monotonic(): began + 60)
        return Report([seed], [Injection(seed, "two-workers", 1.0, mode="alone")])

    assert list(real.run(tmp_path, [1, 2], ["kill-app"], print, time.monotonic() + 30)) == []
    monkeypatch.setattr(alone, "undisturbed", lambda folder: None)
    monkeypatch.setattr(alone, "run", seed_of_a_minute)
    ends = time.monotonic() + 100
    done = list(alone_or_cut("", tmp_path, range(9), ["two-workers"], print, ends))
    assert [one.seeds for one in done] == [[0]]
