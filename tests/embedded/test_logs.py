"""The logs of the embedded system do not grow without end."""

import os
import sys
from pathlib import Path

import pytest

from dashcam.embedded import processes
from dashcam.embedded.processes import Child

TALKS = "import sys; [print('line', n, flush=True) for n in range(2000)]; sys.stdin.read()"


def test_a_log_that_has_grown_goes_into_a_second_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "MOST_LOG_BYTES", 10_000)
    child = Child("talker", [sys.executable, "-c", TALKS], os.environ, tmp_path / "talker.log")
    for _ in range(3):
        child.start()
        child.wait()
        child.trim_log()
    assert child.log_file.stat().st_size == 0
    assert (tmp_path / "talker.old.log").read_text().splitlines()[-1] == "line 1999"
    child.start()
    child.wait()
    assert child.log_file.read_text().startswith("line 0"), "whoever writes on begins at the beginning"
    assert {file.name for file in tmp_path.iterdir()} == {"talker.log", "talker.old.log"}


def test_a_small_log_is_left_alone(tmp_path: Path) -> None:
    child = Child("talker", [], {}, tmp_path / "talker.log")
    child.trim_log()
    child.log_file.write_text("hello")
    child.trim_log()
    assert child.log_file.read_text() == "hello"
