"""Starting, watching and ending the embedded system; or finding the one that already runs on this data folder."""

import contextlib
import hashlib
import json
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
from filelock import FileLock, Timeout

from dashcam import Explained
from dashcam.embedded.home import Home, HomeUnusable, Ports, reserve_port
from dashcam.embedded.processes import Child, ask_to_end, end_all, end_tree
from dashcam.tasks.chain import POOLS
from dashcam.tasks.client import MainServerClient

APP_PORT, PREFECT_PORT = 8000, 4200
START_LIMIT_S = 120.0
REPOSITORY = Path(__file__).resolve().parents[3]

Say = Callable[[str], None]


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
    """The ports of children that are not started yet."""

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
        return httpx.Client(base_url=f"{self.prefect_url}/api", auth=(user, password), timeout=60)

    def start_app(self) -> None:
        """The web process alone: enough to answer what is known already."""
        if "app" not in self.children and self.owned:
            self.spawn("app", [sys.executable, "-m", "app.main"])
            if not self.home.deployed.exists():
                self.start_prefect()  # nothing is known on a new data folder, so workers will be asked for
            self.wait_for("app", f"{self.app_url}/api/v1/health")

    def start_workers(self) -> None:
        """Prefect's server and one worker per pool."""
        if not self.owned or any(f"worker-{pool}" in self.children for pool in POOLS):
            return
        self.say("Starting Prefect and the workers")
        self.start_prefect()
        self.wait_for("prefect", f"{self.prefect_url}/api/health")
        with self.deployment():
            for pool in POOLS:
                argv = ["-m", "flows.worker", pool, "--limit", limit_of(pool)]
                self.spawn(f"worker-{pool}", [sys.executable, *argv], pool)

    def start_prefect(self) -> None:
        if "prefect" not in self.children:
            argv = ["-m", "flows.prefect_server", "start", "--host", "127.0.0.1", "--port", str(self.ports.prefect)]
            self.spawn("prefect", [sys.executable, *argv])

    @contextmanager
    def deployment(self) -> Iterator[None]:
        """Pools, blocks and deployments are made beside what is done inside; once for these flows and addresses."""
        version = hashlib.sha256((REPOSITORY / "prefect.yaml").read_bytes() + repr(self.ports).encode()).hexdigest()
        done = self.home.deployed
        if done.exists() and done.read_text() == version:
            yield
            return
        self.say("Deploying the flows (once)")
        setup = Child(
            "setup",
            [sys.executable, "-m", "flows.setup"],
            self.home.environment(self.ports),
            self.home.logs / "setup.log",
        )
        setup.start()
        self.children["setup"] = setup
        yield
        if setup.wait():
            raise StartFailed(f"The flows could not be deployed to Prefect: see {setup.log_file}.")
        del self.children["setup"]
        done.write_text(version)

    def spawn(self, name: str, argv: list[str], pool: str = "server") -> None:
        environment = self.home.environment(self.ports, pool)
        child = Child(name, argv, environment, self.home.logs / f"{name}.log")
        if name in self.reserved:
            self.reserved.pop(name).close()
        child.start()
        self.children[name] = child
        self.note()

    def wait_for(self, name: str, url: str) -> None:
        child = self.children[name]
        deadline = time.monotonic() + START_LIMIT_S
        with httpx.Client(timeout=2) as http:
            while time.monotonic() < deadline:
                if not child.alive:
                    raise StartFailed(f"{name} ended while starting: {child.last_words(3)} (log: {child.log_file})")
                with contextlib.suppress(httpx.HTTPError):
                    if http.get(url).is_success:
                        return
                time.sleep(0.1)
        raise StartFailed(f"{name} did not answer within {START_LIMIT_S:.0f} s: see {child.log_file}.")

    def keep_alive(self) -> None:
        """Start again what has died; called now and then by whoever waits."""
        for child in self.children.values():
            if not child.alive:
                child.keep_alive()
                self.note()

    def note(self) -> None:
        """Write down what runs, for the next `dashcam` on this folder."""
        pids = {name: child.process.pid for name, child in self.children.items() if child.process}
        state = {"app": self.ports.app, "prefect": self.ports.prefect, "sessions": with_start_times(pids)}
        temporary = self.home.run_file.with_suffix(".tmp")
        temporary.write_text(json.dumps(state))
        temporary.replace(self.home.run_file)

    def stop(self) -> None:
        if self.owned:
            # the workers first: they stop their flows and give them back, for which they need the others
            workers = [child for name, child in self.children.items() if name.startswith("worker-")]
            ask_to_end(workers)
            end_all(workers)
            end_all([child for child in self.children.values() if child not in workers])
            for held in self.reserved.values():
                held.close()
            self.home.run_file.unlink(missing_ok=True)


@contextmanager
def embedded_system(home: Home, say: Say) -> Iterator[EmbeddedSystem]:
    """The system on this data folder: started here and ended on leaving, or the one that is running already.

    Nothing is started yet on entry; see `EmbeddedSystem.start_app` and `start_workers`.
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
    return EmbeddedSystem(home, Ports(state["app"], state["prefect"]), say, owned=False)


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


def limit_of(pool: str) -> str:
    """One clip at a time where a device is the bottleneck; the server's runs are short and many."""
    return "3" if pool == "server" else "1"
