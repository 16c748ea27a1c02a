"""``dashcam prefect`` serves behind the site's login, and the site's own processes log in with it."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dashcam import config
from dashcam.cli import app
from tests.cli.running import settings


class Became(Exception):
    """Instead of ceasing to be this process."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    mine = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    monkeypatch.setattr(os, "environ", mine)
    server = {"prefect_url": "http://127.0.0.1:4711/api", "prefect_home": str(tmp_path / "prefect")}
    made = settings(tmp_path, {"server": server})
    monkeypatch.setenv("DASHCAM_CONFIG", str(made))
    return made


def test_it_serves_behind_the_login(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def became(program: str, argv: Sequence[str]) -> None:
        raise Became(*argv[1:])

    monkeypatch.setattr(os, "execv", became)
    login = folder / "prefect-login"
    login.write_text("dashcam:secret\n")
    login.chmod(0o600)
    done = CliRunner().invoke(app, ["prefect"])
    assert isinstance(done.exception, Became), done.output
    assert done.exception.args == ("-m", "flows.prefect_server", "start", "--host", "127.0.0.1", "--port", "4711")
    assert os.environ["PREFECT_SERVER_API_AUTH_STRING"] == os.environ["PREFECT_API_AUTH_STRING"] == "dashcam:secret"
    assert os.environ["PREFECT_HOME"] == str(tmp_path / "prefect")
    # the unit may write there, and not into the installation
    assert os.environ["PREFECT_UI_STATIC_DIRECTORY"] == str(tmp_path / "prefect/ui")


def test_without_a_login_it_does_not_serve(folder: Path) -> None:
    done = CliRunner().invoke(app, ["prefect"])
    assert done.exit_code == 1 and "There is no login for Prefect" in " ".join(done.output.split())


def test_a_login_that_others_may_read_is_refused(folder: Path) -> None:
    login = folder / "prefect-login"
    login.write_text("dashcam:secret\n")
    login.chmod(0o644)
    with pytest.raises(config.ConfigError, match="holds Prefect's password but others may read it; run: chmod 600"):
        config.prefect_login()
