"""``dashcam doctor`` as a person runs it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dashcam.cli import app
from tests.cli.running import settings


def test_it_says_what_is_wrong_and_what_to_do_and_ends_with_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = settings(tmp_path, {"server": {"url": "http://127.0.0.1:9", "prefect_url": "http://127.0.0.1:9/api"}})
    monkeypatch.setenv("DASHCAM_CONFIG", str(folder))
    monkeypatch.setenv("DASHCAM_DEVICE", "me")
    done = CliRunner().invoke(app, ["doctor", "--json", str(tmp_path / "out.json")])
    assert done.exit_code == 1
    assert "FAULT   token: This device has no token" in done.output
    said = json.loads((tmp_path / "out.json").read_text())
    assert said["worst"] == "fault"
    server = next(one for one in said["findings"] if one["check"] == "server")
    assert server["remedy"].startswith("Start the main server")


def test_of_a_data_folder_it_says_how_to_start_it(tmp_path: Path) -> None:
    from dashcam.embedded.home import Home, Ports

    home = Home(tmp_path / "data")
    home.prepare()
    home.write_settings(Ports(app=9, prefect=9))
    done = CliRunner().invoke(app, ["doctor", "--data", str(home.data)])
    assert done.exit_code == 0, done.output
    assert f"dashcam up --data {home.data}" in done.output
