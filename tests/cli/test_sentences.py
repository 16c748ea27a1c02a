"""What a person can mend is one sentence and exit status 1, from every process of a site: nobody reads a traceback."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dashcam import NO_USE_TRYING
from dashcam.cli import app, reach
from dashcam.cli.output import sentence_of
from tests.cli.running import NOBODY_LISTENS, REPOSITORY, settings, start

NO_NAME = """
import pwd
def nobody(uid):
    raise KeyError(f"getpwuid(): uid not found: {uid}")
pwd.getpwuid = nobody
"""


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode in (1, NO_USE_TRYING), done.stderr
    assert "Traceback" not in done.stderr and done.stdout == ""
    (sentence,) = done.stderr.strip().splitlines()
    return sentence


@pytest.mark.parametrize("command", ["dashcam.cli worker", "dashcam.cli setup", "dashcam.cli server", "app.main"])
def test_a_mistake_in_the_sites_file(tmp_path: Path, command: str) -> None:
    folder = settings(tmp_path, {"server": {"port": 99999}})
    said = one_sentence(start(command, DASHCAM_CONFIG=str(folder)))
    assert f"{folder}/config.json: server.port is 99999, but must be less than or equal to 65535." in said


def test_a_mistake_in_the_file_of_a_workers_device(tmp_path: Path) -> None:
    folder = settings(tmp_path, device={"detector_sise": 640})
    for command in ("dashcam.cli worker", "flows.worker gpu"):
        said = one_sentence(start(command, DASHCAM_CONFIG=str(folder), PREFECT_API_URL=NOBODY_LISTENS))
        assert "devices/me.json: detector_sise is not a known key; did you mean 'detector_size'?" in said


def test_a_worker_without_a_token(tmp_path: Path) -> None:
    said = one_sentence(start("dashcam.cli worker", DASHCAM_CONFIG=str(settings(tmp_path))))
    assert said == "me has no token: set DASHCAM_TOKEN, or DASHCAM_TOKEN_FILE to a file of mode 0600."


def test_a_worker_without_prefect(tmp_path: Path) -> None:
    folder = str(settings(tmp_path))
    said = one_sentence(start("flows.worker gpu", DASHCAM_CONFIG=folder))
    assert said.startswith("PREFECT_API_URL is not set: start this with `dashcam worker`")
    never = {"PREFECT_API_URL": NOBODY_LISTENS, "PREFECT_CLIENT_MAX_RETRIES": "0", "DASHCAM_TOKEN": "x"}
    for command in ("flows.worker gpu", "flows.setup"):
        said = one_sentence(start(command, DASHCAM_CONFIG=folder, **never))
        assert said.startswith(f"Prefect at {NOBODY_LISTENS} does not run: nothing listens there. Start it, or correct")


def test_a_user_id_without_a_name_and_a_home(tmp_path: Path) -> None:
    """As `setpriv --reuid 12345`, and most containers, have it; the processes that are started know no more."""
    folder = str(settings(tmp_path))
    (tmp_path / "sitecustomize.py").write_text(NO_NAME)
    nameless = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{tmp_path}:lib:.", "TMPDIR": str(tmp_path)}
    nameless |= {"DASHCAM_CONFIG": folder, "DASHCAM_DEVICE": "me"}

    def as_nobody(command: str) -> subprocess.CompletedProcess[str]:
        started = [sys.executable, "-m", *command.split()]
        return subprocess.run(started, env=nameless, cwd=REPOSITORY, capture_output=True, text=True, check=False)

    assert "This user has no home folder: name a data folder" in one_sentence(as_nobody("dashcam.cli up"))
    assert "/nope cannot be read" in one_sentence(as_nobody("dashcam.cli bench heavy /nope"))
    assert "me has no token" in one_sentence(as_nobody("dashcam.cli worker"))


def test_the_web_process_knows_prefect_from_the_settings_alone(tmp_path: Path) -> None:
    """Without its address Prefect's client would start a temporary server at each dispatch."""
    database = f"sqlite:///{tmp_path / 'dashcam.db'}"
    server = {"prefect_url": NOBODY_LISTENS, "database_url": database}
    folder = settings(tmp_path, {"server": server})
    (folder / "token").write_text("secret")
    (folder / "token").chmod(0o600)
    code = "import app.main, os; app.main.configured(); print(os.environ['PREFECT_API_URL'])"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    told = subprocess.run(
        [sys.executable, "-c", code],
        env=environment | {"DASHCAM_CONFIG": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == NOBODY_LISTENS


@pytest.mark.parametrize(
    "command",
    [
        "device list",
        "device pause gpu-pc",
        "trips",
        "clock",
        "export gpx --trip 1",
        "again 0123456789abcdef",
        "retention --dry-run",
        "backup",
        "scrub --list",
    ],
)
def test_a_command_whose_main_server_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    url = NOBODY_LISTENS.removesuffix("/api")
    monkeypatch.setenv("DASHCAM_CONFIG", str(settings(tmp_path, {"server": {"url": url}})))
    monkeypatch.setenv("DASHCAM_DEVICE", "me")
    monkeypatch.setenv("DASHCAM_TOKEN", "a token")
    monkeypatch.setattr(reach, "PATIENCE_S", 0.0)
    done = CliRunner().invoke(app, command.split())
    assert done.exit_code == 1, done.output
    said = f"dashcam: The main server at {url} does not run: nothing listens there. Start it, or correct server.url."
    assert said in done.output.splitlines()


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "The disk that holds this folder is full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded", "/nas/x"), "The quota on the disk that holds /nas/x is used up"),
        (OSError(errno.EROFS, "Read-only file system", "/nas/x"), "The disk that holds /nas/x is read-only"),
        (FileNotFoundError(errno.ENOENT, "No such file", "x.MP4"), "x.MP4 cannot be used (No such file)"),
    ],
)
def test_a_disk_that_says_no(error: OSError, says: str) -> None:
    said = sentence_of(error)
    assert said is not None and said.startswith(says)


def test_what_nobody_expected_is_no_sentence() -> None:
    assert sentence_of(ValueError("?")) is None and sentence_of(OSError("?")) is None
