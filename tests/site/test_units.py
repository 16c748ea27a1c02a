"""Services: what systemd and the task scheduler are told, judged by systemd itself."""

import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from dashcam.cli import app
from dashcam.site import units
from dashcam.site.steps import Steps

STORES = [Path("/mnt/nas 1"), Path("/mnt/shed")]


def unit(name: str) -> str:
    return units.systemd_unit(units.service(name), "root", Path("/etc/dashcam-processor"), STORES)


@pytest.mark.parametrize("name", list(units.SERVICES))
def test_systemd_takes_each_unit_and_calls_its_exposure_ok(name: str, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (Debian: apt install systemd)")
    file = tmp_path / units.service(name).unit
    file.write_text(unit(name))
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", file], capture_output=True, text=True)
    ours = [line for line in verified.stderr.splitlines() if file.name in line]
    assert ours == [], verified.stderr
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=40", "--no-pager", file],
        capture_output=True,
        text=True,
    )
    assert judged.returncode == 0, judged.stdout[-300:]
    assert " OK " in judged.stdout.splitlines()[-1], judged.stdout[-300:]


def test_a_unit_says_what_a_stop_and_an_end_mean() -> None:
    worker = unit("worker").splitlines()
    for line in (
        "Type=notify",
        "KillMode=mixed",
        "Restart=on-failure",
        "RestartPreventExitStatus=78",
        f"ExecStart={sys.executable} -m dashcam.cli worker",
        'ReadWritePaths=-/var/lib/dashcam-processor -"/mnt/nas 1" -/mnt/shed',
        "PrivateDevices=no",
    ):
        assert line in worker
    assert "Type=exec" in unit("prefect") and "PrivateDevices=yes" in unit("server")


def test_units_are_installed_once_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "SYSTEMD", tmp_path)
    monkeypatch.setattr(units, "systemd_runs", lambda: False)
    (tmp_path / "system").mkdir()
    said: list[str] = []
    wanted = [units.service("worker")]
    for _ in range(2):
        units.install(Steps(said.append), wanted, "root", Path("/etc/dashcam-processor"), STORES)
    assert sum(line.startswith("done     unit:") for line in said) == 1
    assert sum(line.startswith("there    unit:") for line in said) == 1
    assert "SystemMaxUse=200M" in (tmp_path / "journald@dashcam.conf").read_text()
    units.remove(Steps(said.append, dry_run=True), wanted)
    assert (tmp_path / "system/dashcam-worker.service").exists() and said[-1].startswith("would")
    units.remove(Steps(said.append), wanted)
    assert not (tmp_path / "system/dashcam-worker.service").exists()


def test_without_systemd_it_is_said_what_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "SYSTEMD", tmp_path / "none")
    said: list[str] = []
    units.install(Steps(said.append), [units.service("worker")], "root", tmp_path, [])
    assert said == ["there is no systemd here: run `dashcam worker` yourself"]


def test_a_windows_task_has_no_time_limit_and_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", r"C:\Program Files\dash & cam\python.exe")
    text = units.windows_task(units.service("worker"), Path("C:/ProgramData/dashcam-processor/logs"))
    space = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
    task = ElementTree.fromstring(text.partition("?>")[2])
    found = {one.tag.removeprefix(space): one.text for one in task.iter()}
    assert found["Command"] == r"C:\Program Files\dash & cam\pythonw.exe"
    assert (found["Arguments"] or "").startswith("-m dashcam.cli worker --log ")
    assert (found["ExecutionTimeLimit"], found["RunLevel"], found["Count"]) == ("PT0S", "LeastPrivilege", "999")


def test_a_service_that_is_none_is_one_sentence() -> None:
    done = CliRunner().invoke(app, ["unit", "show", "toaster"])
    assert done.exit_code == 1 and "there are prefect, server, https, worker" in " ".join(done.output.split())
