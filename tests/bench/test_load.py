"""A small version of ``dashcam bench load``, on both databases: devices and an open page at once."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dashcam.bench import load
from dashcam.bench.load_device import Told
from dashcam.cli.bench import app

TASKS = 60


@pytest.mark.system
def test_nothing_fails_and_nothing_is_there_twice(tmp_path: Path, any_database: str) -> None:
    json_file = tmp_path / "load.json"
    asked = ["--tasks", str(TASKS), "--devices", "4", "--browsers", "1", "--database", any_database]
    done = CliRunner().invoke(app, ["load", *asked, "--json", str(json_file)])
    assert done.exit_code == 0, done.output
    cost = json.loads(json_file.read_text())
    assert (cost["errors"], cost["duplicates"]) == ({}, [])
    assert cost["database"].lower().startswith(any_database.split(":")[0].split("+")[0])
    assert cost["requests"]["complete INGEST_VIDEO"]["asked"] == TASKS // 5
    assert cost["requests"]["complete again"]["asked"] == TASKS // load.load_device.AGAIN
    assert cost["requests"]["page's socket"]["asked"] > 0
    assert cost["updates"] > 0, "the open page is told of what changes"


def test_what_is_there_twice_is_said() -> None:
    assert load.miscounted([Told(changed=5), Told(changed=5)], 10) == []
    assert load.miscounted([Told(changed=5, changed_again=1), Told(changed=4)], 10) == [
        "9 of 10 completions changed a task",
        "1 second completions changed one once more",
    ]


def test_latency_is_told_in_milliseconds() -> None:
    assert load.latency([0.5]).model_dump() == {"asked": 1, "p50_ms": 500.0, "p99_ms": 500.0, "most_ms": 500.0}
    many = load.latency([at / 1000 for at in range(1, 1001)])
    assert (many.p50_ms, many.p99_ms, many.most_ms) == (500.5, 990.0, 1000.0)
