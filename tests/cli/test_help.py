"""What the command line promises: every command explains itself, and ends as scripts expect."""

import json
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from dashcam.cli import app
from tests.cli.running import NOBODY_LISTENS, settings, start


def commands() -> list[list[str]]:
    """Every command of every group."""
    found, waiting = [], [([], get_command(app))]
    while waiting:
        path, command = waiting.pop()
        below = getattr(command, "commands", {})
        waiting += [([*path, name], one) for name, one in below.items()]
        if not below:
            found.append(path)
    return sorted(found)


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_and_each_of_its_options_says_what_it_is_for(command: list[str]) -> None:
    here = get_command(app)
    for name in command:
        here = here.commands[name]  # type: ignore[attr-defined]
    assert here.help and here.help.rstrip().splitlines()[0].endswith((".", ":")), "a sentence"
    unexplained = [one.name for one in here.params if not getattr(one, "help", None)]
    assert unexplained == []
    assert CliRunner().invoke(app, [*command, "--help"]).exit_code == 0


@pytest.mark.parametrize("group", [[], ["bench"], ["evaluate"], ["device"]], ids=" ".join)
def test_a_group_alone_shows_its_help(group: list[str]) -> None:
    done = CliRunner().invoke(app, group)
    assert done.exit_code == 2
    assert "Usage:" in done.output


def test_one_name_is_one_option_in_every_command() -> None:
    """``--json`` and ``--data`` are defined once, and mean the same wherever they are."""
    helps: dict[str, set[str]] = {"--json": set(), "--data": set()}
    for command in commands():
        here = get_command(app)
        for name in command:
            here = here.commands[name]  # type: ignore[attr-defined]
        for one in here.params:
            for option in set(one.opts) & helps.keys():
                if command[0] != "evaluate" or option != "--data":  # of pictures, not of a system
                    helps[option].add(str(getattr(one, "help", "")))
    assert len(helps["--json"]) == 1
    assert len(helps["--data"]) == 2, "of those that start the system, and of those that ask one"


@pytest.mark.parametrize(
    "command", [["nonsense"], ["process"], ["bench", "heavy"], ["clock", "front"], ["worker", "x"]]
)
def test_wrong_use_ends_with_2(command: list[str]) -> None:
    assert CliRunner().invoke(app, command).exit_code == 2


def test_settings_without_a_mistake_are_in_order(tmp_path: Path) -> None:
    done = start("dashcam.cli check --settings-only", DASHCAM_CONFIG=str(settings(tmp_path)))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "The settings are in order\n")


def test_settings_of_another_machine_do_not_fit_this_one(tmp_path: Path) -> None:
    device = {"device_type": "rtx_4090", "storage": {"local_scratch": "D:\\dashcam_temp"}}
    site = {"storage_paths": {"indoor_nas": {"base": "//nas-1/videos/"}}}
    done = start("dashcam.cli check", DASHCAM_CONFIG=str(settings(tmp_path, site, device)), DASHCAM_TOKEN="x" * 32)
    scratch, store = done.stderr.splitlines()
    assert done.returncode == 1
    assert "D:\\dashcam_temp" in scratch and "path of another system" in scratch and "storage.local_scratch" in scratch
    assert "//nas-1/videos" in store and 'under "stores"' in store


def test_each_mistake_is_one_line_however_long(tmp_path: Path) -> None:
    site = {"server": {"port": 0, "url": "main-server", "prefect_url": NOBODY_LISTENS}, "dispatch": {"settle": 1}}
    done = start("dashcam.cli check", DASHCAM_CONFIG=str(settings(tmp_path, site)))
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 3
    assert all("config.json: " in line and line.endswith((".", "?")) for line in done.stderr.splitlines())


@pytest.mark.parametrize(
    "command", [["gps", "a.mp4"], ["bench", "preprocess", "a.mp4"], ["evaluate", "plates", "--data", "a"]]
)
def test_what_cannot_be_read_is_one_line_and_1(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 1
    assert done.stderr.strip().startswith("dashcam: ") and len(done.stderr.strip().splitlines()) == 1


def test_a_result_that_cannot_be_written_is_said_before_anything_starts(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app, ["process", str(tmp_path), "--json", str(tmp_path / "no/x.json"), "--data", str(tmp_path / "d")]
    )
    assert done.exit_code == 1
    assert "The result cannot be written to" in done.stderr
    assert not (tmp_path / "d").exists()


def test_a_data_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = CliRunner().invoke(app, ["up", "--data", str(tmp_path / "file")])
    assert done.exit_code == 1
    assert "cannot be written" in done.stderr and "give another one with --data" in done.stderr


def test_the_version_is_the_only_thing_on_standard_output() -> None:
    done = start("dashcam.cli version")
    assert done.returncode == 0
    assert json.loads(f'"{done.stdout.strip()}"').count(".") == 2
