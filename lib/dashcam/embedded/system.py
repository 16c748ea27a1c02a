"""Starting, watching and ending the embedded system; or finding the one that already runs on this data folder."""

import contextlib
import json
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psutil
from filelock import FileLock, Timeout

from dashcam import Explained, Say
from dashcam.embedded import forkserver
from dashcam.embedded.home import Home, HomeUnusable, Ports
from dashcam.embedded.keeper import Keeper
from dashcam.embedded.listening import reserve_port
from dashcam.embedded.processes import Child, Forks, ask_to_end, end_all, end_tree
from dashcam.tasks.chain import POOLS
from dashcam.tasks.client import MainServerClient

APP_PORT, PREFECT_PORT = 8000, 4200
PATIENCE_S = 30.0
"""After so long a start is spoken of; a busy machine takes its time, so only what has ended has failed."""
ENDING_S = 20.0
LOOK_S = 0.5
WARM = ("app.main", "app.dispatcher")
"""Imported by the fork server for the system's processes, beside what the flows need."""


class StartFailed(Explained):
    """A part of the system did not come up; the message says which, and where its log is."""


@dataclass
class EmbeddedSystem:
    """A running system. ``owned`` is false when another `dashcam` runs it: then it is only used, never ended."""

    home: Home
    ports: Ports
    say: Say
    owned: bool = True
    children: dict[str, Child] = field(default_factory=dict)
    reserved: dict[str, socket.socket] = field(default_factory=dict)
    """The sockets of the children that serve, by their names."""
    forks: Forks | None = None
    began: float = field(default_factory=time.monotonic)
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    coming: set[str] = field(default_factory=lambda: {"prefect", "worker"})
    """What has not been seen to answer yet."""
    looked: float = 0.0

    def __post_init__(self) -> None:
        self.keeper = Keeper(self.children, self.say, self.note)
        self.keeper.unproven.add("app")

    @property
    def app_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.app}"

    @property
    def prefect_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.prefect}"

    def client(self) -> MainServerClient:
        return MainServerClient(self.app_url, self.home.token_file.read_text().strip(), patience_s=60)

    def prefect_api(self) -> httpx.Client:
        """Prefect's REST API, logged in."""
        user, _, password = self.home.prefect_login.partition(":")
        return httpx.Client(base_url=f"{self.prefect_url}/api", auth=(user, password), timeout=60, verify=False)

    def start_app(self) -> None:
        """The web process alone: enough to answer what is known already."""
        if "app" not in self.children and self.owned:
            self.spawn("app", module("app.main"))
            self.wait_for_app()

    def start(self) -> None:
        """All of it at once, each part waiting for what it needs; returns when the app answers."""
        if not self.owned or "worker" in self.children:
            return
        if lost := self.home.lost():
            self.say(lost)
        if forkserver.available() and "app" not in self.children:
            self.step("Starting: web interface, Prefect and the workers")
            self.forks = Forks(
                "forkserver", module("flows.forkserver", *WARM), self.environment(), self.log("forkserver")
            )
            self.begin("forkserver", self.forks)
        address = ("--host", "127.0.0.1", "--port", str(self.ports.prefect))
        self.spawn("prefect", module("flows.prefect_server", "start", *address), early=True)
        if "app" not in self.children:
            self.spawn("app", module("app.main"))
        self.spawn("worker", module("flows.worker", *POOLS, "--set-up", str(self.home.deployed)))
        self.wait_for_app()

    def spawn(self, name: str, argv: list[str], early: bool = False) -> None:
        listen = self.reserved.get(name)
        self.begin(name, Child(name, argv, self.environment(), self.log(name), self.forks, listen, early))

    def begin(self, name: str, child: Child) -> None:
        """From here on it is kept alive."""
        with self.keeper.lock:
            child.start()
            self.children[name] = child
            self.note()
        self.keeper.start()

    def environment(self) -> dict[str, str]:
        return self.home.environment(self.ports)

    def log(self, name: str) -> Path:
        return self.home.logs / f"{name}.log"

    def step(self, what: str) -> None:
        self.say(f"{time.monotonic() - self.began:5.1f} s  {what}")

    def wait_for_app(self) -> None:
        """However long a busy machine takes. Raises `StartFailed` when it cannot run here."""
        said = time.monotonic()
        with httpx.Client(timeout=2, verify=False) as http:
            while not answers(http, f"{self.app_url}/api/v1/health"):
                if self.keeper.hopeless is not None:
                    raise StartFailed(self.keeper.hopeless)
                if time.monotonic() - said > PATIENCE_S:
                    said = time.monotonic()
                    self.step(f"Still waiting for the web interface to start; its log is {self.log('app')}")
                time.sleep(0.1)
        self.keeper.unproven.discard("app")
        self.step(f"The web interface answers at {self.app_url}")

    def look(self) -> None:
        """Say what has come up since."""
        if not self.coming or time.monotonic() - self.looked < LOOK_S:
            return
        self.looked = time.monotonic()
        with httpx.Client(timeout=2, verify=False) as http:
            if "prefect" in self.coming and answers(http, f"{self.prefect_url}/api/health"):
                self.coming.remove("prefect")
                self.step(f"Prefect answers at {self.prefect_url}")
        if "worker" in self.coming and self.workers_are_there():
            self.coming.remove("worker")
            self.step("The workers are ready")

    def workers_are_there(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            heard = [datetime.fromisoformat(one["last_seen"]) for one in self.client().devices()]
            return sum(moment > self.began_at for moment in heard) >= len(POOLS)
        return False

    def wait_for_all(self) -> None:
        while self.coming:
            self.look()
            time.sleep(0.1)

    def note(self) -> None:
        """Write down what runs, for the next `dashcam` on this folder."""
        pids = {name: child.process.pid for name, child in self.children.items() if child.process}
        state = {"app": self.ports.app, "prefect": self.ports.prefect, "sessions": with_start_times(pids)}
        temporary = self.home.run_file.with_suffix(".tmp")
        temporary.write_text(json.dumps(state))
        temporary.replace(self.home.run_file)

    def wait_for_ending_runs(self) -> None:
        """A clip is through some seconds before the run that finished it has told Prefect so: stopped before that, the
        run would be Crashed for ever. At most `ENDING_S`."""
        alive = {"state": {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]}}}
        deadline = time.monotonic() + ENDING_S
        with contextlib.suppress(httpx.HTTPError), self.prefect_api() as prefect:
            while time.monotonic() < deadline:
                if prefect.post("/flow_runs/count", json={"flow_runs": alive}).raise_for_status().json() == 0:
                    return
                time.sleep(0.1)

    def stop(self) -> None:
        if self.owned:
            self.keeper.stop()
            # the workers first: they stop their flows and give them back, for which they need the others
            worker = [child for name, child in self.children.items() if name == "worker"]
            forks = [child for name, child in self.children.items() if name == "forkserver"]
            ask_to_end(worker)
            end_all(worker)
            end_all([child for child in self.children.values() if child not in (*worker, *forks)])
            end_all(forks)
            for held in self.reserved.values():
                held.close()
            self.home.run_file.unlink(missing_ok=True)


def module(*argv: str) -> list[str]:
    return [sys.executable, "-m", *argv]


def answers(http: httpx.Client, url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return http.get(url).is_success
    return False


@contextmanager
def embedded_system(home: Home, say: Say) -> Iterator[EmbeddedSystem]:
    """The system on this data folder: started here and ended on leaving, or the one that is running already.

    Nothing is started yet on entry; see `EmbeddedSystem.start` and `start_app`.
    """
    home.prepare()
    try:
        held = FileLock(home.lock_file).acquire(timeout=0)
    except Timeout:
        yield running_system(home, say)
        return
    with held:
        end_leftovers(home)
        reserved = {"app": chosen(APP_PORT, "WebUI", say), "prefect": chosen(PREFECT_PORT, "Prefect", say)}
        ports = Ports(**{name: held.getsockname()[1] for name, held in reserved.items()})
        home.write_settings(ports)
        system = EmbeddedSystem(home, ports, say, reserved=reserved)
        try:
            yield system
        finally:
            system.stop()


def running_system(home: Home, say: Say) -> EmbeddedSystem:
    try:
        state = json.loads(home.run_file.read_text())
    except (OSError, ValueError) as error:
        raise HomeUnusable(f"Another dashcam is just starting on {home.data}: try again in a minute.") from error
    say(f"Using the system that runs on {home.data} already")
    return EmbeddedSystem(home, Ports(state["app"], state["prefect"]), say, owned=False, coming=set())


def end_leftovers(home: Home) -> None:
    """What a killed `dashcam` left running on this folder would share the database with us: end it."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        sessions = json.loads(home.run_file.read_text())["sessions"]
        end_tree([pid for pid, started in sessions.values() if session_is(pid, started)])
    home.run_file.unlink(missing_ok=True)


def with_start_times(pids: dict[str, int]) -> dict[str, tuple[int, float]]:
    """Process ids are reused; together with their start they are not."""
    started = {}
    for name, pid in pids.items():
        with contextlib.suppress(psutil.Error):
            started[name] = (pid, psutil.Process(pid).create_time())
    return started


def session_is(pid: int, started: float) -> bool:
    """Whether the session that ``pid`` led is still ours: its leader lives with that start, or has died."""
    try:
        return abs(psutil.Process(pid).create_time() - started) < 1
    except psutil.NoSuchProcess:
        return True  # the kernel does not reuse a session's id while members live


def chosen(wanted: int, what: str, say: Say) -> socket.socket:
    held = reserve_port(wanted)
    port = held.getsockname()[1]
    if port != wanted:
        say(f"Port {wanted} is taken; {what} uses {port}")
    return held
