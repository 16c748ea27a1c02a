"""The compose files as far as they go without Docker: their YAML, the commands in them, and Caddy's own word."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from dashcam.cli import app

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
FILES = sorted(DEPLOY.glob("*/*.yaml"))
MAIN = DEPLOY / "compose/main-server.yaml"
NAS = DEPLOY / "compose/nas.yaml"
OURS = {MAIN: {"init", "prefect", "server", "worker"}, NAS: {"join", "worker"}}
each_of_ours = pytest.mark.parametrize("file", OURS, ids=lambda file: file.stem)


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


def test_they_are_what_the_compose_specification_says() -> None:
    """By its JSON schema, which comes with check-jsonschema: nothing is asked of a network."""
    argv = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", *map(str, FILES)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_mistake_in_a_compose_file_would_be_seen(tmp_path: Path) -> None:
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(MAIN.read_text().replace("restart: unless-stopped", "restarts: unless-stopped"))
    argv = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(wrong)]
    assert subprocess.run(argv, capture_output=True, text=True, check=False).returncode == 1


@each_of_ours
def test_its_commands_are_ours(file: Path) -> None:
    compose: dict[str, Any] = yaml.safe_load(file.read_text())
    ours = {name: shlex.split(one["command"]) for name, one in compose["services"].items() if "command" in one}
    assert set(ours) == OURS[file]
    for argv in ours.values():
        assert argv[0] == "dashcam"
        command = get_command(app).commands[argv[1]]  # type: ignore[attr-defined]
        known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
        assert {word for word in argv if word.startswith("--")} <= known


@each_of_ours
def test_each_variable_that_must_be_given_is_in_the_example(file: Path) -> None:
    wanted = set(re.findall(r"\$\{(\w+)", file.read_text()))
    example = file.with_suffix(".env.example").read_text()
    assert wanted == set(re.findall(r"^(\w+)=", example, re.M))


@each_of_ours
def test_no_container_runs_with_more_than_it_needs(file: Path) -> None:
    compose: dict[str, Any] = yaml.safe_load(file.read_text())
    for name in OURS[file] - {"init"}:
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


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="changes owners, for which it has to be root")
def test_whoever_the_services_run_as_can_write_into_the_volumes(tmp_path: Path) -> None:
    """The command of the service ``volumes``, with its capabilities and no other, on folders as the image has them."""
    compose: dict[str, Any] = yaml.safe_load(MAIN.read_text())
    service = compose["services"]["volumes"]
    mounted = dict(one.split(":") for one in service["volumes"])
    for name in OURS[MAIN]:
        ours = compose["services"][name]
        assert ours["depends_on"]["volumes"] == {"condition": "service_completed_successfully"}, name
        assert {name for name in compose["volumes"] if any(one.startswith(f"{name}:") for one in ours["volumes"])} == (
            set(mounted)
        ), f"{name} writes into a volume that nobody has given to it"
    tmp_path.chmod(0o755)
    places = {}
    for name, place in mounted.items():
        places[place] = tmp_path / name
        (tmp_path / name / "inner").mkdir(parents=True)
        for folder in (tmp_path / name, tmp_path / name / "inner"):
            folder.chmod(0o700)
            os.chown(folder, 1000, 1000)
    said = [re.sub(r"\$\{\w+:-\d+\}", "1234", word) for word in service["entrypoint"]]
    argv = [str(places.get(word, word)) for word in said]
    caps = ",".join(["-all", *(f"+{one.lower()}" for one in service["cap_add"])])
    subprocess.run(["setpriv", f"--bounding-set={caps}", *argv], check=True)
    for folder in places.values():
        writes = ["setpriv", "--reuid=1234", "--regid=1234", "--clear-groups", "touch", "inner/it"]
        subprocess.run(writes, cwd=folder, check=True)
