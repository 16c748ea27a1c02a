"""A clock is corrected beside everybody else's writing: a small version of ``dashcam bench correction``."""

import json
from pathlib import Path

from typer.testing import CliRunner

from dashcam.cli.bench import app


def test_the_command_says_what_a_correction_costs_and_that_nobody_is_locked_out(tmp_path: Path) -> None:
    json_file = tmp_path / "correction.json"
    done = CliRunner().invoke(app, ["correction", "--clips", "80", "--json", str(json_file)])
    assert done.exit_code == 0, done.output
    cost = json.loads(json_file.read_text())
    assert (cost["clips"], cost["locked"]) == (80, 0)
    assert 0 < cost["longest_write_s"] < cost["cpu_s"] * 60
    assert cost["write_transactions"] >= 3, "noted, moved, and its trips derived anew"
    assert '"database is locked"' in done.output
