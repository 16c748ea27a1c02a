"""Processes forked from one that has imported what they need: a start costs milliseconds instead of seconds of CPU.

The server (`serve`) is one process without threads: a fork copies a lock that another thread holds, and nobody ever
releases the copy. Who asks it (`ForkServer`) gets a process that is as good as a child of its own: it is signalled
through a pidfd, so never a stranger with the same number; its exit status comes back; and it is ended when who asked
for it has died. Linux only; elsewhere interpreters are started as ever.
"""

# typed for Windows too, where these calls do not exist and `available` says so
# mypy: disable-error-code="attr-defined"

import contextlib
import ctypes
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dashcam.embedded.listening import LISTEN

PR_SET_PDEATHSIG = 1
"""Linux's prctl(2)."""
GRACE_S = 5.0
"""From asking a process whose owner has died to end to ending it."""
REQUEST_BYTES = 1 << 20
DOOR = "DASHCAM_FORKSERVER"
"""Names the descriptor through which a forked process may ask for more."""

ChildMain = Callable[[], None]


def available() -> bool:
    return sys.platform == "linux"


class ForkServerGone(Exception):
    """It does not answer: start an interpreter instead."""


class ForkServer:
    """The way to a fork server."""

    def __init__(self, door: socket.socket) -> None:
        self.door = door
        self._asking = threading.Lock()

    @classmethod
    def begin(cls, argv: Sequence[str], **options: Any) -> "tuple[ForkServer, subprocess.Popen[bytes]]":
        """A new one, as this command with the number of a descriptor behind it; ``options`` as for ``Popen``."""
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = subprocess.Popen([*argv, str(theirs.fileno())], pass_fds=[theirs.fileno()], **options)
        return cls(mine), process

    @classmethod
    def inherited(cls) -> "ForkServer | None":
        """The one that forked this process, if it may ask for more."""
        number = os.environ.get(DOOR)
        return cls(socket.socket(fileno=int(number))) if number else None

    def start(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        log: int,
        *,
        listen: int | None = None,
        may_ask: bool = False,
        early: bool = False,
    ) -> "ForkedProcess":
        """``main`` of the module ``argv[0]``, in a session of its own, its output to the descriptor ``log``; it may
        serve on the socket ``listen``.

        Waits while the server still imports; ``early``, until it has what is imported first. Raises `ForkServerGone`.
        """
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        request = json.dumps({"argv": list(argv), "environment": dict(environment), "may_ask": may_ask, "early": early})
        try:
            with self._asking, theirs:
                handed = [log, theirs.fileno()] + ([] if listen is None else [listen])
                socket.send_fds(self.door, [request.encode()], handed)
            pid = json.loads(mine.recv(REQUEST_BYTES))["pid"]
            return ForkedProcess(pid, mine)
        except (OSError, ValueError) as error:
            mine.close()
            raise ForkServerGone(str(error)) from error


class ForkedProcess:
    """Used like `subprocess.Popen`. Closing ``channel``, as the death of this process does, ends it."""

    def __init__(self, pid: int, channel: socket.socket) -> None:
        self.pid, self.channel = pid, channel
        self.returncode: int | None = None
        self._handle = os.pidfd_open(pid)  # the server reaps it only when it is told that its end is known here

    def poll(self) -> int | None:
        with contextlib.suppress(BlockingIOError):
            self._hear(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Raises ``TimeoutError``."""
        self._hear(timeout)
        assert self.returncode is not None
        return self.returncode

    def _hear(self, timeout: float | None) -> None:
        if self.returncode is not None:
            return
        self.channel.settimeout(timeout)
        told = self.channel.recv(REQUEST_BYTES)
        if told:
            self.returncode = json.loads(told)["status"]
        else:  # the server is gone: nobody could tell how it ends
            self._signal(signal.SIGKILL)
            self.returncode = -signal.SIGKILL
        self.channel.close()
        os.close(self._handle)

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        """Nobody, once its end is known."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)


@dataclass
class _Child:
    pid: int
    channel: socket.socket
    wanted: bool = True
    """Whether who asked for it is still there."""
    ended: bool = False
    kill_at: float | None = None


@dataclass
class _Server:
    door: socket.socket
    children: dict[int, _Child] = field(default_factory=dict)
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    wake: socket.socket = field(init=False)
    ending: bool = False
    importing: bool = True
    held: list[tuple[dict[str, Any], list[int]]] = field(default_factory=list)
    """Asked for while it imports, to be forked when it has all; with their descriptors."""
    libc: Any = field(default_factory=lambda: ctypes.CDLL(None))

    def run(self, imports: Iterable[None]) -> ChildMain | None:
        woken, self.wake = socket.socketpair()
        for end in (woken, self.wake):
            end.setblocking(False)
        signal.set_wakeup_fd(self.wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.signal(signal.SIGTERM, self.end)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.selector.register(woken, selectors.EVENT_READ, lambda: woken.recv(4096) and None)
        self.selector.register(self.door, selectors.EVENT_READ, lambda: self.answer(self.door))
        for _ in imports:
            if (job := self.look(0)) is not None:
                return job
        self.importing = False
        while self.held:
            if (job := self.fork(*self.held.pop(0))) is not None:
                return job
        while not self.ending or self.children:
            if (job := self.look(self.patience())) is not None:
                return job
        return None

    def look(self, patience: float | None) -> ChildMain | None:
        for key, _ in self.selector.select(patience):
            job: ChildMain | None = key.data()
            if job is not None:
                return job
        self.look_after_children()
        return None

    def end(self, *_: object) -> None:
        self.ending = True
        for child in self.children.values():
            self.unwanted(child)
        if self.importing:
            raise SystemExit  # nobody waits for the rest of it

    def answer(self, door: socket.socket) -> ChildMain | None:
        """Fork what is asked for, now or later; in the forked process, what it is to do."""
        try:
            message, descriptors, _, _ = socket.recv_fds(door, REQUEST_BYTES, 3)
        except OSError:
            message, descriptors = b"", []
        if not message:
            self.close_door(door)
            return None
        request = json.loads(message)
        if self.importing and not request["early"]:
            self.held.append((request, descriptors))
            return None
        return self.fork(request, descriptors)

    def fork(self, request: dict[str, Any], descriptors: list[int]) -> ChildMain | None:
        see_that_alone()
        gc.freeze()  # or the first collection in each process would copy every page that is shared
        log, channel, *listen = descriptors
        child = _Child(0, socket.socket(fileno=channel))
        theirs = self.new_door() if request["may_ask"] else None
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # the server's handler is not the child's
        server = os.getpid()
        try:
            child.pid = -1 if self.ending else os.fork()
        except OSError:  # who asks sees its channel closed
            child.pid = -1
        if child.pid == 0:
            self.end_with(server)
            child.channel.close()
            self.leave()
            return _become(request, log, theirs, listen)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        for descriptor in (log, *listen):
            os.close(descriptor)
        if theirs is not None:
            theirs.close()
        if child.pid < 0:
            child.channel.close()
            return None
        self.children[child.pid] = child
        self.selector.register(child.channel, selectors.EVENT_READ, lambda: self.forget(child))
        _tell(child, pid=child.pid)
        return None

    def end_with(self, server: int) -> None:
        """However the server ends, this process that it forked does too: nobody else would know of it."""
        if self.libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0 or os.getppid() != server:
            os.kill(os.getpid(), signal.SIGKILL)

    def leave(self) -> None:
        """Close what is the server's alone, in a process that was forked from it."""
        signal.set_wakeup_fd(-1)
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self.wake.close()
        self.selector.close()
        for _, descriptors in self.held:
            for descriptor in descriptors:
                os.close(descriptor)

    def close_door(self, door: socket.socket) -> None:
        self.selector.unregister(door)
        door.close()
        if door is self.door:
            self.end()

    def new_door(self) -> socket.socket:
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.selector.register(mine, selectors.EVENT_READ, lambda: self.answer(mine))
        return theirs

    def forget(self, child: _Child) -> None:
        """Who asked for it has closed the channel: it knows the end, or is dead."""
        self.selector.unregister(child.channel)
        child.channel.close()
        self.unwanted(child)

    def unwanted(self, child: _Child) -> None:
        child.wanted = False
        if not child.ended and child.kill_at is None:
            child.kill_at = time.monotonic() + GRACE_S
            _signal_group(child.pid, signal.SIGTERM)

    def look_after_children(self) -> None:
        for child in list(self.children.values()):
            if not child.ended:
                self.see_whether_ended(child)
            if not child.ended and child.kill_at is not None and time.monotonic() > child.kill_at:
                _signal_group(child.pid, signal.SIGKILL)
            if child.ended and (not child.wanted or self.ending):
                os.waitpid(child.pid, 0)
                del self.children[child.pid]

    def see_whether_ended(self, child: _Child) -> None:
        """Leaves it unreaped: its number is nobody else's until its end is known to who asked for it."""
        end = os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if end is None:
            return
        child.ended = True
        _signal_group(child.pid, signal.SIGKILL)  # what it has left running
        status = end.si_status if end.si_code == os.CLD_EXITED else -end.si_status
        if child.wanted:
            _tell(child, status=status)

    def patience(self) -> float | None:
        return (
            0.1 if self.ending or any(child.kill_at and not child.ended for child in self.children.values()) else None
        )


def serve(door: socket.socket, imports: Iterable[None] = ()) -> ChildMain | None:
    """Fork what is asked for through the door, until its other end is closed or SIGTERM comes; then what was forked is
    ended too. In a forked process it returns what that process is to do, in the server None in the end.

    What is to be imported before is imported by going through ``imports``, between whose steps it forks for those who
    need not wait for all of it. Garbage is not collected here: what is imported stays.
    """
    gc.disable()
    see_that_alone()
    return _Server(door).run(imports)


def see_that_alone() -> None:
    """Raises ``RuntimeError`` when this process has threads."""
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        raise RuntimeError("the fork server has threads: something that it imports starts one")


def _become(request: dict[str, object], log: int, door: socket.socket | None, listen: Sequence[int]) -> ChildMain:
    """The job is left to the caller, so that the process ends like any other."""
    gc.enable()
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    os.setsid()
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    environment, argv = request["environment"], request["argv"]
    assert isinstance(environment, dict) and isinstance(argv, list)
    os.environ.clear()
    given = [*zip([LISTEN], listen, strict=False), *([(DOOR, door.detach())] if door is not None else [])]
    os.environ.update(environment | {name: str(descriptor) for name, descriptor in given})
    sys.argv = argv
    return lambda: importlib.import_module(argv[0]).main()


def _tell(child: _Child, **what: int) -> None:
    with contextlib.suppress(OSError):
        child.channel.send(json.dumps(what).encode())


def _signal_group(pid: int, number: int) -> None:
    """Each forked process leads a session; before it does, it is signalled alone."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
