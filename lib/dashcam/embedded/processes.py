"""Child processes: started in a session of their own, restarted when they die, ended with everything they started."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

STOP_PATIENCE_S = 8.0
RESTART_DELAY_S = 1.0


@dataclass
class Child:
    name: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    log_file: Path
    process: subprocess.Popen[bytes] | None = None
    not_before: float = 0.0
    restarts: int = field(default=0)

    def start(self) -> None:
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                self.argv,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def wait(self) -> int:
        """Its exit status, once it has ended by itself."""
        assert self.process is not None
        return self.process.wait()

    def keep_alive(self) -> None:
        """Start again what has ended, a little later each time it ends."""
        if self.alive or time.monotonic() < self.not_before:
            return
        if self.process is not None:
            self.restarts += 1
            end_tree([self.process.pid])  # what it started may still run without it
        self.not_before = time.monotonic() + RESTART_DELAY_S * min(2**self.restarts, 60)
        self.start()

    def last_words(self, lines: int = 5) -> str:
        """The end of its log, for an error message."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])
        return ""


def ask_to_end(children: Sequence[Child]) -> None:
    """Let each end what it has started itself, for a few seconds; see `end_all` for those that do not."""
    leaders = [child.process for child in children if child.process is not None]
    for leader in leaders:
        leader.terminate()
    deadline = time.monotonic() + STOP_PATIENCE_S
    for leader in leaders:
        with contextlib.suppress(subprocess.TimeoutExpired):
            leader.wait(max(0.0, deadline - time.monotonic()))


def end_all(children: Sequence[Child]) -> None:
    """Ask all to end, then make them: nothing that was started here outlives this."""
    pids = [child.process.pid for child in children if child.process is not None]
    end_tree(pids)
    for child in children:
        if child.process is not None:
            child.process.wait()


def end_tree(session_pids: Sequence[int]) -> None:
    """End every process of these sessions and all descendants: SIGTERM, a few seconds of patience, SIGKILL."""
    processes = members(session_pids)
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
