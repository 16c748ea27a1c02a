"""A small version of ``dashcam bench arrival``: the real application takes note of a folder."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dashcam import sqlite
from dashcam.cli.bench import app


@pytest.mark.system
def test_every_file_is_new_once_and_known_from_then_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHCAM_DATABASE_URL", f"sqlite:///{tmp_path / 'the_owners.db'}")
    done = CliRunner().invoke(app, ["arrival", "--files", "1200", "--json", str(tmp_path / "cost.json")])
    assert done.exit_code == 0, done.output
    cost = json.loads((tmp_path / "cost.json").read_text())
    assert (cost["files"], cost["new"]["new"], cost["known"]["new"]) == (1200, 1200, 0)
    assert cost["database"] == f"SQLite {sqlite.driver().sqlite_version}"
    assert cost["new"]["files_per_cpu_s"] > 0 and cost["new"]["memory_mb"] > 0
    assert not (tmp_path / "the_owners.db").exists(), "a measurement never fills a real database"
