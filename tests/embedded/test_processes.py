"""Child processes end with everything they started, and come back when they die."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from dashcam.embedded.home import Home, HomeUnusable
from dashcam.embedded.listening import reserve_port
from dashcam.embedded.processes import Child, ask_to_end, end_all, members
from dashcam.embedded.system import embedded_system
from tests.embedded.test_forkserver import gone

STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
grandchild = deaf + "print('ready', flush=True); time.sleep(600)"
subprocess.Popen([sys.executable, "-c", grandchild], start_new_session=True)
time.sleep(600)
"""


def child_of(code: str, log: Path) -> Child:
    return Child("test", [sys.executable, "-c", code], {"PYTHONUNBUFFERED": "1"}, log)


def until(true: object, limit_s: float = 20) -> None:
    deadline = time.monotonic() + limit_s
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_nothing_that_was_started_survives_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even a grandchild in a session of its own that ignores SIGTERM (Prefect's flows are such)."""
    monkeypatch.setattr("dashcam.embedded.processes.STOP_PATIENCE_S", 0.5)
    child = child_of(STUBBORN, tmp_path / "log")
    child.start()
    until(lambda: "ready" in (tmp_path / "log").read_text())
    assert child.process is not None
    started = members([child.process.pid])
    assert len(started) == 2
    end_all([child])
    assert [process for process in started if process.is_running() and process.status() != psutil.STATUS_ZOMBIE] == []


CAREFUL = """
import signal, subprocess, sys, time
def stop(signum, frame):
    print("flow ended before" if flow.poll() is not None else "flow still there", flush=True)
    flow.kill()
    sys.exit()
signal.signal(signal.SIGTERM, stop)
flow = subprocess.Popen([sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(600)"])
while True:
    time.sleep(0.05)
"""


def test_a_child_that_is_asked_to_end_stops_what_it_started_itself(tmp_path: Path) -> None:
    """A worker must be the one that stops its flow: only then it can give the flow's clips back."""
    child = child_of(CAREFUL, tmp_path / "log")
    child.start()
    until(lambda: "ready" in (tmp_path / "log").read_text())
    ask_to_end([child])
    assert not child.alive
    assert child.last_words(1) == "flow still there"


def test_a_child_that_died_is_started_again(tmp_path: Path) -> None:
    child = child_of("print('here')", tmp_path / "log")
    child.start()
    until(lambda: not child.alive)

    def twice() -> bool:
        child.keep_alive()
        return (tmp_path / "log").read_text().count("here") >= 2

    until(twice)
    assert child.restarts >= 1
    assert child.last_words(1) == "here"


def test_two_systems_that_start_at_once_get_different_ports() -> None:
    """Prefect starts long after its port was chosen; another system must not choose it meanwhile."""
    with reserve_port(8700) as first, reserve_port(8700) as second:
        assert first.getsockname() != second.getsockname()
    with reserve_port(8700) as again:
        assert again.getsockname()[1] >= 8700


def test_a_data_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeUnusable, match=r"file/data cannot be written .*--data"):
        Home(tmp_path / "file" / "data").prepare()


def test_the_token_is_for_its_owner_only(tmp_path: Path) -> None:
    home = Home(tmp_path / "data")
    home.prepare()
    token = home.token_file.read_text()
    assert home.token_file.stat().st_mode & 0o077 == 0
    home.prepare()
    assert home.token_file.read_text() == token, "a second start keeps the token"


def test_what_a_killed_dashcam_left_is_ended_by_the_next(tmp_path: Path) -> None:
    """kill -9 of `dashcam up` cannot end its children; whoever comes next on that folder does."""
    home = Home(tmp_path / "data")
    code = f"""
import sys, os
from pathlib import Path
from dashcam.embedded.home import Home
from dashcam.embedded.system import embedded_system
with embedded_system(Home(Path({str(home.data)!r})), print) as system:
    system.spawn("sleeper", [sys.executable, "-c", "import time; time.sleep(600)"])
    os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    (sleeper,) = (
        process
        for process in psutil.process_iter(["cmdline", "environ"])
        if str(home.data) in (process.info["environ"] or {}).get("DASHCAM_CONFIG", "")
    )
    with embedded_system(home, print):
        until(lambda: gone(sleeper.pid))
