"""A forked process is as good as a child: its words, its end, its status, and never longer than who asked for it."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from dashcam.embedded import forkserver
from dashcam.embedded.forkserver import ForkedProcess, ForkServer, ForkServerGone
from tests.conftest import REPOSITORY

pytestmark = [
    pytest.mark.skipif(not forkserver.available(), reason="Linux only"),
    pytest.mark.timeout(60),
]

SERVE = """
import socket, sys
from dashcam.embedded.forkserver import serve
import tests.embedded.forked
{before}
job = serve(socket.socket(fileno=int(sys.argv[1])), {imports})
if job is not None:
    job()
"""
JOB = "tests.embedded.forked"
LONG_IMPORTS = """
import time
from pathlib import Path

def imports(done):
    yield
    while not done.exists():
        time.sleep(0.02)
        yield
"""


class Server:
    def __init__(self, folder: Path, before: str = "", imports: str = "()") -> None:
        self.log = folder / "log"
        self.environment = os.environ | {"PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'lib'}"}
        argv = [sys.executable, "-c", SERVE.format(before=before, imports=imports)]
        with (folder / "server.log").open("wb") as errors:
            self.client, self.process = ForkServer.begin(argv, env=self.environment, cwd=REPOSITORY, stderr=errors)

    def start(self, *arguments: str, may_ask: bool = False, early: bool = False, **environment: str) -> ForkedProcess:
        with self.log.open("ab") as log:
            asked = {"may_ask": may_ask, "early": early}
            return self.client.start([JOB, *arguments], self.environment | environment, log.fileno(), **asked)

    def said(self) -> str:
        return until(lambda: self.log.exists() and self.log.read_text(), "it has said something")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    one = Server(tmp_path)
    yield one
    one.process.kill()
    one.process.wait()


def until(true: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if answer := true():
            return answer
        time.sleep(0.02)
    pytest.fail(f"not within 20 s: {what}")


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_it_has_the_environment_and_the_log_it_was_given(server: Server) -> None:
    process = server.start("say", "COLOUR", COLOUR="green")
    assert process.wait(20) == 0
    assert server.said().startswith("green")
    assert server.start("say", "COLOUR").wait(20) == 0
    assert "None" in server.said(), "nothing of another process is left"


def test_its_status_comes_back(server: Server) -> None:
    assert server.start("exit", "3").wait(20) == 3
    killed = server.start("stay")
    killed.kill()
    assert killed.wait(20) == -signal.SIGKILL
    asked = server.start("stay")
    server.said()
    assert asked.poll() is None
    asked.terminate()
    assert asked.wait(20) == -signal.SIGTERM


def test_its_number_is_nobody_elses_until_its_end_is_known(server: Server) -> None:
    process = server.start("exit", "0")
    until(lambda: gone(process.pid), "it has ended")
    assert psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE, "unreaped: its number cannot be reused"
    assert process.wait(20) == 0
    until(lambda: not psutil.pid_exists(process.pid), "it is reaped")
    process.kill()  # a signal to a number that is free again reaches nobody


def test_what_it_has_left_running_ends_with_it(server: Server) -> None:
    process = server.start("stay with a child")
    child = int(server.said())
    process.kill()
    process.wait(20)
    until(lambda: gone(child), "its child has ended")


def test_it_ends_when_who_asked_for_it_has_died(server: Server) -> None:
    process = server.start("stay")
    server.said()
    process.channel.close()  # as the kernel does when a process is killed
    until(lambda: gone(process.pid), "it has ended")
    assert server.start("exit", "0").wait(20) == 0, "the server goes on"


def test_what_does_not_want_to_end_is_ended(server: Server) -> None:
    process = server.start("deaf")
    server.said()
    process.channel.close()
    until(lambda: gone(process.pid), "it has ended")


def test_one_that_may_ask_gets_processes_of_its_own_and_takes_them_along(server: Server, tmp_path: Path) -> None:
    worker = server.start("ask for one", str(tmp_path / "flow.log"), may_ask=True)
    flow = int(server.said())
    assert psutil.Process(flow).ppid() == server.process.pid
    worker.kill()
    worker.wait(20)
    until(lambda: gone(flow), "what it asked for has ended")


@pytest.mark.parametrize("number", [signal.SIGTERM, None], ids=["told", "door closed"])
def test_the_server_ends_what_it_has_forked(server: Server, number: int | None) -> None:
    process = server.start("stay")
    server.said()
    if number is None:
        server.client.door.close()
    else:
        server.process.send_signal(number)
    assert server.process.wait(20) == 0
    assert gone(process.pid)


def test_without_its_server_a_process_is_ended_and_no_other_begins(server: Server) -> None:
    process = server.start("stay")
    server.said()
    server.process.kill()
    assert process.wait(20) == -signal.SIGKILL
    until(lambda: gone(process.pid), "it has ended")
    with pytest.raises(ForkServerGone):
        server.start("exit", "0")


def test_what_it_has_forked_dies_with_it_though_nobody_asks(server: Server, tmp_path: Path) -> None:
    """A flow whose worker was killed as well would go on beside the one that takes its place."""
    worker = server.start("ask for one", str(tmp_path / "flow.log"), may_ask=True)
    flow = int(server.said())
    server.process.kill()
    until(lambda: gone(worker.pid) and gone(flow), "both have ended")


def test_a_process_with_threads_forks_nobody(tmp_path: Path) -> None:
    waiting = "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()"
    server = Server(tmp_path, before=waiting)
    with pytest.raises(ForkServerGone):
        server.start("exit", "0")
    assert server.process.wait(20) != 0
    assert "has threads" in (tmp_path / "server.log").read_text()


def test_what_the_flows_import_starts_no_thread(tmp_path: Path) -> None:
    """Else the real fork server would refuse to serve: whatever a library does when it is imported."""
    argv = [sys.executable, "-m", "flows.forkserver", "app.main", "app.dispatcher"]
    server, process = ForkServer.begin(argv, cwd=REPOSITORY)
    with server.door, (tmp_path / "log").open("wb") as log:
        one = server.start([JOB, "exit", "4"], os.environ, log.fileno())
        assert one.wait(20) == 4
    assert process.wait(20) == 0


def test_while_it_imports_it_forks_for_those_alone_who_need_little(tmp_path: Path) -> None:
    done = tmp_path / "done"
    server = Server(tmp_path, LONG_IMPORTS, f"imports(Path({str(done)!r}))")
    with ThreadPoolExecutor() as beside:
        later = beside.submit(server.start, "exit", "4")
        assert server.start("exit", "3", early=True).wait(20) == 3
        assert not later.done()
        done.touch()
        assert later.result(20).wait(20) == 4
    server.process.terminate()
    assert server.process.wait(20) == 0


def test_told_to_end_while_it_imports_it_ends(tmp_path: Path) -> None:
    server = Server(tmp_path, LONG_IMPORTS, "imports(Path('/nowhere'))")
    early = server.start("stay", early=True)
    server.process.terminate()
    assert server.process.wait(20) == 0
    until(lambda: gone(early.pid), "what it has forked has ended")
