"""The compose files as far as they go without Docker: their YAML, the commands in them, and Caddy's own word."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from dashcam.cli import app

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
FILES = sorted(DEPLOY.glob("*/*.yaml"))
MAIN = DEPLOY / "compose/main-server.yaml"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(DEPLOY)))
def test_each_service_has_an_image_and_only_what_is_there(file: Path) -> None:
    compose: dict[str, Any] = yaml.safe_load(file.read_text())
    for name, service in compose["services"].items():
        assert service["image"], name
        for other in service.get("depends_on", {}):
            assert other in compose["services"], f"{name} waits for {other}"
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            if source.startswith("./"):
                assert (file.parent / source).is_file(), source
            elif not source.startswith(("/", "${")):
                assert source in compose["volumes"], f"{name} has the volume {source}"


def test_the_main_servers_commands_are_ours() -> None:
    compose: dict[str, Any] = yaml.safe_load(MAIN.read_text())
    ours = {name: shlex.split(one["command"]) for name, one in compose["services"].items() if "command" in one}
    assert set(ours) == {"init", "prefect", "server", "worker"}
    for argv in ours.values():
        assert argv[0] == "dashcam"
        command = get_command(app).commands[argv[1]]  # type: ignore[attr-defined]
        known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
        assert {word for word in argv if word.startswith("--")} <= known


def test_each_variable_that_must_be_given_is_in_the_example() -> None:
    wanted = set(re.findall(r"\$\{(\w+)", MAIN.read_text()))
    example = (MAIN.parent / "main-server.env.example").read_text()
    assert wanted == set(re.findall(r"^(\w+)=", example, re.M))


def test_no_container_runs_with_more_than_it_needs() -> None:
    compose: dict[str, Any] = yaml.safe_load(MAIN.read_text())
    for name in ("prefect", "server", "worker"):
        service = compose["services"][name]
        assert service["cap_drop"] == ["ALL"] and service["read_only"] and "ports" not in service, name


def test_caddy_takes_its_file() -> None:
    if (caddy := shutil.which("caddy")) is None:
        pytest.skip("caddy is not installed (Debian: apt install caddy)")
    file = MAIN.parent / "Caddyfile"
    values = {
        "DASHCAM_ADDRESS": "dashcam.lan",
        "PREFECT_BASIC": "eDp5",
        "HOME": "/nonexistent",
        "PATH": os.environ["PATH"],
    }
    argv = [caddy, "validate", "--adapter", "caddyfile", "--config", str(file)]
    done = subprocess.run(argv, env=values, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
