"""The real embedded system as a person runs it, a second device beside it, and the ways to lay hands on its parts."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx
import psutil

from dashcam import Say, sqlite
from dashcam.chaos import ahead
from dashcam.chaos.fragile import Fragile
from dashcam.chaos.wire import Wire
from dashcam.config.pools import DEVICE_TYPE_OF
from dashcam.embedded.home import Home, Ports, device_name
from dashcam.embedded.processes import end_tree
from dashcam.embedded.system import session_is
from dashcam.storage import layout
from dashcam.tasks.chain import POOLS
from dashcam.tasks.client import MainServerClient, ServerRefused
from dashcam.tasks.model import InputRef

SECOND = "second"
START_S, STOP_S = 240.0, 90.0
"""Patience with a start; and systemd's with an end (``TimeoutStopSec``)."""
RESTART_S = 2.0
"""After so long a service manager starts again what has died."""
QUICK = {
    "global": {"task_retry_delay_seconds": 1},
    "dispatch": {"batch_linger_seconds": 0.5, "archive_linger_seconds": 1},
}
ALIVE = {"state": {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]}}}


@dataclass(frozen=True)
class LiveRun:
    """A flow run that Prefect believes to run, and its process."""

    run_id: str
    deployment_id: str
    flow: str
    task_ids: list[int]
    process: psutil.Process


@dataclass
class Driven:
    """``folder`` is empty or does not exist yet; ``weights`` is the detector's file, which faults may touch."""

    folder: Path
    wire: Wire
    weights: Path
    say: Say
    up_process: subprocess.Popen[bytes] | None = None
    second_process: subprocess.Popen[bytes] | None = None
    second_ports: Ports | None = None
    second_died: float | None = None
    nas: dict[str, Fragile] = field(default_factory=dict)
    """The stores, where they can be made to fail."""
    own_clocks: bool = False
    """The clocks of the system and of the second device can be set, each by its file (`clock`)."""
    fell: list[str] = field(default_factory=list)
    """What ``dashcam up`` said when it ended although nobody had asked it to."""

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def home(self) -> Home:
        return Home(self.data)

    @property
    def stores(self) -> dict[str, Path]:
        return {layout.INDOOR: self.home.indoor_nas, layout.SHED: self.home.archive, "local": Path("/")}

    def disk(self, store: str) -> Path:
        """Where the store's files lie in the end."""
        return self.nas[store].folder if store in self.nas else self.stores[store]

    def ref(self, path: Path) -> InputRef:
        """Of a clip on the indoor NAS."""
        return InputRef(device=layout.INDOOR, path=path.relative_to(self.stores[layout.INDOOR]).as_posix())

    def clock(self, whose: str) -> Path:
        return self.folder / f"clock-{whose}"

    def clock_environment(self, whose: str) -> dict[str, str]:
        return ahead.environment(self.clock(whose)) if self.own_clocks else {}

    @property
    def scratches(self) -> list[Path]:
        return [self.data / name / "dashcam-scratch" / pool for name in ("scratch", SECOND) for pool in POOLS]

    def prepare(self) -> None:
        """The settings that an owner would write: a hurry, the weights, and the second device."""
        devices = self.home.config / "devices"
        devices.mkdir(parents=True, exist_ok=True)
        (self.home.config / "config.json").write_text(json.dumps(QUICK))
        for pool in POOLS:
            mine: dict[str, Any] = {"detector_weights": str(self.weights), "threads": 1} if pool == "gpu" else {}
            (devices / f"{device_name(pool)}.json").write_text(json.dumps(mine))
            theirs = {"device_type": DEVICE_TYPE_OF[pool], "storage": {"local_scratch": str(self.data / SECOND)}}
            (devices / f"{SECOND}-{pool}.json").write_text(json.dumps(theirs | mine))

    def up(self) -> None:
        """``dashcam up``; returns at once."""
        environment = os.environ | {"DASHCAM_SERVER_URL": self.wire.url} | self.clock_environment("system")
        argv = [sys.executable, "-m", "dashcam.cli", "up", "--data", str(self.data)]
        with self.log("up").open("ab") as log:
            self.up_process = subprocess.Popen(argv, env=environment, **to(log))

    def down(self) -> float:
        """As ``systemctl stop`` does: SIGTERM, and SIGKILL after `STOP_S`. Gives how long it took."""
        began = time.monotonic()
        if self.up_process is not None:
            self.up_process.terminate()
            try:
                self.up_process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.kill_everything()
        self.up_process = None
        return time.monotonic() - began

    def kill_everything(self) -> None:
        """The plug is pulled, but for the second device."""
        supervisor = [self.up_process.pid] if self.up_process else []
        pids = [process.pid for process in self.sessions().values()]
        end_tree([*supervisor, *pids])
        if self.up_process is not None:
            self.up_process.wait()
        self.up_process = None

    def start_second(self) -> None:
        if (ports := self.ports) is None:
            return
        environment = (
            self.home.environment(ports)
            | {
                "DASHCAM_DEVICE": SECOND,
                "DASHCAM_SERVER_URL": self.wire.url,
                "PREFECT_WORKER_QUERY_SECONDS": "2",
            }
            | self.clock_environment(SECOND)
        )
        with self.log(SECOND).open("ab") as log:
            argv = [sys.executable, "-m", "flows.worker", *POOLS]
            self.second_process = subprocess.Popen(argv, env=environment, **to(log))
        self.second_ports, self.second_died = ports, None

    def stop_second(self) -> None:
        if self.second_process is not None:
            end_tree([self.second_process.pid])
            self.second_process.wait()
        self.second_process = None

    def tend(self) -> None:
        """What service managers do: start again what has died, after `RESTART_S`."""
        if self.up_process is not None and self.up_process.poll() is not None:
            self.fell.append(f"dashcam up ended with status {self.up_process.returncode}: {self.last_words('up')}")
            self.up()
        if self.second_process is None or self.second_process.poll() is not None:
            self.second_died = self.second_died or time.monotonic()
            if time.monotonic() - self.second_died > RESTART_S:
                self.stop_second()
                self.start_second()
        elif self.ports not in (None, self.second_ports):  # the system came up on other ports: a site would be told
            self.stop_second()

    def wait_until_up(self, patience_s: float = START_S) -> None:
        """Raises ``TimeoutError``."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            self.tend()
            with contextlib.suppress(httpx.HTTPError, OSError, ServerRefused):
                if self.ports and len(self.server(5).devices()) >= 2 * len(POOLS):
                    return
            time.sleep(0.3)
        raise TimeoutError(f"dashcam up was not there after {patience_s:.0f} s: {self.last_words('up')}")

    def end(self) -> None:
        self.stop_second()
        self.kill_everything()

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def last_words(self, name: str) -> str:
        return " / ".join(self.log(name).read_text(errors="replace").splitlines()[-3:])

    @property
    def running(self) -> dict[str, Any]:
        """What ``dashcam up`` says of itself; nothing while it does not."""
        with contextlib.suppress(OSError, ValueError):
            state: dict[str, Any] = json.loads(self.home.run_file.read_text())
            return state
        return {}

    @property
    def ports(self) -> Ports | None:
        state = self.running
        return Ports(state["app"], state["prefect"]) if state else None

    def sessions(self) -> dict[str, psutil.Process]:
        found = {}
        for name, (pid, started) in self.running.get("sessions", {}).items():
            with contextlib.suppress(psutil.Error):
                if session_is(pid, started):
                    found[name] = psutil.Process(pid)
        return found

    def server(self, patience_s: float = 60) -> MainServerClient:
        """Past the wire: this is the owner's own command, on the main server. Raises ``OSError`` before it is there."""
        ports = self.ports
        if ports is None:
            raise ConnectionError("the system is not up")
        return MainServerClient(f"http://127.0.0.1:{ports.app}", self.home.token_file.read_text().strip(), patience_s)

    @contextlib.contextmanager
    def prefect(self) -> Iterator[httpx.Client]:
        """Raises ``OSError`` before it is there."""
        ports = self.ports
        if ports is None:
            raise ConnectionError("the system is not up")
        user, _, password = self.home.prefect_login.partition(":")
        url = f"http://127.0.0.1:{ports.prefect}/api"
        with httpx.Client(base_url=url, auth=(user, password), timeout=20, verify=False) as client:
            yield client

    def live_runs(self, flow: str | None = None) -> list[LiveRun]:
        """Those of which a process lives; none while Prefect does not answer."""
        found = []
        with contextlib.suppress(httpx.HTTPError, OSError, ValueError), self.prefect() as prefect:
            runs = prefect.post("/flow_runs/filter", json={"flow_runs": ALIVE}).raise_for_status().json()
            for run in runs:
                name, pid = run["name"].partition(" ")[0], run["infrastructure_pid"]
                if pid and run["parameters"].get("task_ids") and flow in (None, name):
                    with contextlib.suppress(psutil.Error):
                        task_ids = run["parameters"]["task_ids"]
                        found.append(LiveRun(run["id"], run["deployment_id"], name, task_ids, psutil.Process(int(pid))))
        return found

    def runs_alive(self) -> list[str]:
        """Names of the runs that have not ended, in Prefect's eyes. Raises ``httpx.HTTPError``, ``OSError``."""
        with self.prefect() as prefect:
            runs = prefect.post("/flow_runs/filter", json={"flow_runs": ALIVE}).raise_for_status().json()
        return [f"{run['name']} ({run['state']['type']})" for run in runs]

    def ask(self, question: str, *values: Any) -> list[Any]:
        """The main server's database, read beside it. Raises ``OSError`` while it cannot be."""
        driver = sqlite.driver()
        try:
            with contextlib.closing(driver.connect(f"file:{self.data / 'dashcam.db'}?mode=ro", uri=True)) as database:
                found: list[Any] = database.execute(question, values).fetchall()
        except driver.Error as error:
            raise OSError(str(error)) from error
        return found

    def completed(self) -> int:
        """How many tasks are."""
        return int(self.ask("SELECT count(*) FROM task WHERE state = 'complete'")[0][0])

    def unfinished(self, video_ids: Sequence[str]) -> set[str]:
        ended = {video_id for (video_id,) in self.ask("SELECT video_id FROM video WHERE outcome IS NOT NULL")}
        return set(video_ids) - ended


def to(log: IO[bytes]) -> dict[str, Any]:
    """For ``Popen``: a service of its own that writes there."""
    return {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": subprocess.STDOUT, "start_new_session": True}


def signalled(process: psutil.Process, number: signal.Signals) -> bool:
    """Whether it was there to be."""
    with contextlib.suppress(psutil.Error):
        process.send_signal(number)
        return True
    return False
