"""Child processes: started in a session of their own, restarted when they die, ended with everything they started."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psutil

from dashcam.embedded.forkserver import ForkedProcess, ForkServer, ForkServerGone
from dashcam.embedded.listening import LISTEN

STOP_PATIENCE_S = 8.0
RESTART_DELAY_S = 1.0
LONGEST_DELAY_S = 60.0
MOST_LOG_BYTES = 10_000_000
STEADY_S = 60.0
"""What has run so long and ends is started again at once."""


@dataclass
class Child:
    """One that runs a module (``argv`` is ``python -m MODULE ...``) is forked where there is a fork server."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    log_file: Path
    forks: "Forks | None" = None
    listen: socket.socket | None = None
    """What it serves on, each time that it is started."""
    early: bool = False
    """It needs little of what the fork server imports."""
    process: subprocess.Popen[bytes] | ForkedProcess | None = None
    not_before: float = 0.0
    restarts: int = field(default=0)
    """Since it last ran for `STEADY_S`."""
    began: float = 0.0

    def start(self) -> None:
        with self.log_file.open("ab") as log:
            if self.forks is not None and self.forks.alive:
                with contextlib.suppress(ForkServerGone):
                    server, module = self.forks.server, self.argv[2:]
                    self.process = server.start(
                        module, self.environment, log.fileno(), listen=self.listening, may_ask=True, early=self.early
                    )
                    return
            self.process = subprocess.Popen(self.argv, **self.surroundings(log))

    @property
    def listening(self) -> int | None:
        return self.listen.fileno() if self.listen is not None else None

    def surroundings(self, log: IO[bytes]) -> dict[str, Any]:
        """For ``Popen``."""
        usual = {
            "env": dict(self.environment),
            "stdin": subprocess.DEVNULL,
            "stdout": log,
            "stderr": subprocess.STDOUT,
            "start_new_session": True,
        }
        if self.listening is None:
            return usual
        given = {LISTEN: str(self.listening)}
        return usual | {"env": {**self.environment, **given}, "pass_fds": [self.listening]}

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def wait(self) -> int:
        """Its exit status, once it has ended by itself."""
        assert self.process is not None
        return self.process.wait()

    @property
    def status(self) -> int | None:
        """How it ended, as `subprocess` has it; None while it lives."""
        return self.process.returncode if self.process is not None else None

    @property
    def how_it_ended(self) -> str:
        if self.status is None:
            return "does not run"
        return f"was ended by {signal_name(-self.status)}" if self.status < 0 else f"ended with status {self.status}"

    def keep_alive(self) -> bool:
        """Start again what has ended, a little later each time it ends soon; tells whether it did."""
        if self.alive or time.monotonic() < self.not_before:
            return False
        if time.monotonic() - self.began > STEADY_S:
            self.restarts = 0
        self.restarts += 1
        self.not_before = time.monotonic() + min(RESTART_DELAY_S * 2**self.restarts, LONGEST_DELAY_S)
        if self.process is not None:
            end_tree([self.process.pid])  # what it started may still run without it
        self.start()
        self.began = time.monotonic()
        return True

    def trim_log(self) -> None:
        """Keep it small: what was said long ago goes into a second file, which is overwritten in turn. Whoever writes
        appends, and so goes on at the beginning."""
        with contextlib.suppress(OSError):
            if self.log_file.stat().st_size > MOST_LOG_BYTES:
                shutil.copyfile(self.log_file, self.log_file.with_suffix(".old.log"))
                os.truncate(self.log_file, 0)

    def last_words(self, lines: int = 5) -> str:
        """The end of its log, for an error message."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])
        return ""


@dataclass
class Forks(Child):
    """The fork server of the others."""

    def start(self) -> None:
        with self.log_file.open("ab") as log:
            self.server, self.process = ForkServer.begin(self.argv, **self.surroundings(log))


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def ask_to_end(children: Sequence[Child]) -> None:
    """Let each end what it has started itself, for a few seconds; see `end_all` for those that do not."""
    leaders = [child.process for child in children if child.process is not None]
    for leader in leaders:
        leader.terminate()
    wait_for(leaders)


def wait_for(leaders: Sequence[subprocess.Popen[bytes] | ForkedProcess]) -> None:
    deadline = time.monotonic() + STOP_PATIENCE_S
    for leader in leaders:
        with contextlib.suppress(subprocess.TimeoutExpired, TimeoutError):
            leader.wait(max(0.0, deadline - time.monotonic()))


def end_all(children: Sequence[Child]) -> None:
    """Ask all to end, then make them: nothing that was started here outlives this."""
    leaders = [child.process for child in children if child.process is not None]
    pids = [leader.pid for leader in leaders]
    for process in members(pids):
        with contextlib.suppress(psutil.Error):
            process.terminate()
    wait_for(leaders)
    end_tree(pids)
    for leader in leaders:
        leader.wait()


def end_tree(session_pids: Sequence[int]) -> None:
    """End every process of these sessions and all descendants: SIGTERM, a few seconds of patience, SIGKILL."""
    processes = members(session_pids)
    if not processes:
        return
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.send_signal(signal.SIGTERM)
    _, alive = psutil.wait_procs(processes, timeout=STOP_PATIENCE_S)
    for process in {*alive, *members(session_pids)}:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=STOP_PATIENCE_S)


def members(session_pids: Sequence[int]) -> list[psutil.Process]:
    """All living processes of the sessions, their descendants included, children before parents."""
    sessions = set(session_pids)
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid in sessions or (hasattr(os, "getsid") and os.getsid(process.pid) in sessions):
                found[process.pid] = process
                found |= {child.pid: child for child in process.children(recursive=True)}
    return sorted(found.values(), key=lambda process: -process.pid)
