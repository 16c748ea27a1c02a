"""A round and a poll cost the same at a hundred times the backlog: a small version of ``dashcam bench backlog``."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dashcam.bench import backlog
from dashcam.cli.bench import app

pytestmark = pytest.mark.alone

PENDING = 20_000
NOISE = 4
"""What other programs on the machine do to so short a measurement; without the indices it is a hundred."""


def test_the_command_says_that_a_round_costs_the_same_whatever_waits(tmp_path: Path) -> None:
    json_file = tmp_path / "backlog.json"
    done = CliRunner().invoke(app, ["backlog", "--pending", str(PENDING), "--json", str(json_file)])
    assert done.exit_code == 0, done.output
    cost = json.loads(json_file.read_text())
    assert cost["pending"] == cost["whole"]["pending"] == PENDING
    assert cost["hundredth"]["pending"] == PENDING // backlog.SMALLER
    assert cost["round_cpu_s"] < NOISE * max(cost["hundredth"]["round_cpu_s"], 0.005)
    assert cost["poll_cpu_s"] < NOISE * max(cost["hundredth"]["polls"].values())
    assert set(cost["whole"]["polls"]) == {"process", "pending", "dashboard", "tasks", "tasks in trouble"}


def test_a_measuring_process_that_fails_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(backlog.MeasuringFailed, match="The measuring process ended with 1"):
        backlog.measured(tmp_path / "nowhere", 10)
