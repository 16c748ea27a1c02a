"""A port that was chosen stays the system's own, whoever serves on it, and however often that one dies."""

import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashcam.embedded import forkserver
from dashcam.embedded.keeper import Keeper
from dashcam.embedded.listening import reserve_port
from dashcam.embedded.processes import Child, Forks, end_all
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.timeout(60)
ENVIRONMENT = os.environ | {"PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'lib'}"}
FORK = "import socket, sys; from dashcam.embedded.forkserver import serve; import tests.embedded.forked; \
job = serve(socket.socket(fileno=int(sys.argv[1]))); job and job()"


@pytest.fixture
def held() -> Iterator[socket.socket]:
    with reserve_port(8700) as one:
        yield one


@pytest.fixture(params=["an interpreter", "forked"])
def child(request: pytest.FixtureRequest, held: socket.socket, tmp_path: Path) -> Iterator[Child]:
    forks = None
    if request.param == "forked":
        if not forkserver.available():
            pytest.skip("Linux only")
        forks = Forks("forks", [sys.executable, "-c", FORK], ENVIRONMENT, tmp_path / "forks.log")
        forks.start()
    argv = [sys.executable, "-m", "tests.embedded.forked", "serve"]
    child = Child("app", argv, ENVIRONMENT, tmp_path / "log", forks, held)
    child.start()
    yield child
    end_all([child, *([forks] if forks else [])])


def test_the_embedded_system_is_reached_from_this_machine_alone(held: socket.socket) -> None:
    assert held.getsockname()[0] == "127.0.0.1"
    with socket.socket() as elsewhere:  # another address of this machine, as a neighbour would ask it
        assert elsewhere.connect_ex(("127.0.0.2", held.getsockname()[1])) != 0


def call(held: socket.socket) -> socket.socket:
    return socket.create_connection(held.getsockname(), timeout=20)


def taken(port: int) -> bool:
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            stranger.bind(("127.0.0.1", port))
            stranger.listen()
        except OSError:
            return True
        return False


def test_nobody_gets_the_port_while_its_server_is_dead_and_who_calls_then_is_answered(
    child: Child, held: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashcam.embedded.keeper.LOOK_S", 0.05)
    assert taken(held.getsockname()[1]), "between its choice and its server's start"
    with call(held) as caller:
        first = caller.recv(100)
    assert child.process is not None and int(first) == child.process.pid
    child.process.kill()
    child.process.wait(20)
    assert taken(held.getsockname()[1])
    with call(held) as early:
        keeper = Keeper({"app": child}, lambda line: None, lambda: None)
        keeper.start()
        second = early.recv(100)
        keeper.stop()
    assert second and second != first


def test_a_port_that_is_taken_is_left_alone() -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        port = stranger.getsockname()[1]
        with reserve_port(port) as other:
            assert other.getsockname()[1] > port
    deadline = time.monotonic() + 5
    while taken(port):
        assert time.monotonic() < deadline
