"""Running the real command and looking into a running system."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from dashcam.embedded.home import Home
from dashcam.embedded.processes import members
from dashcam.tasks.client import MainServerClient

DASHCAM = [sys.executable, "-m", "dashcam.cli"]


def until(true: Callable[[], Any], what: str, limit_s: float = 120) -> Any:
    """Poll until ``true()`` is; fails with ``what`` at the deadline."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        if answer := true():
            return answer
        time.sleep(0.1)
    pytest.fail(f"not within {limit_s} s: {what}")


def dashcam(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    options = {"timeout": 580} | options
    return subprocess.run([*DASHCAM, *map(str, arguments)], capture_output=True, text=True, check=False, **options)


@dataclass
class Running:
    """A system in one data folder, and how to look into it."""

    data: Path
    process: subprocess.Popen[bytes]

    @property
    def state(self) -> dict[str, Any]:
        return json.loads((self.data / "running.json").read_text())

    @property
    def app_url(self) -> str:
        return f"http://127.0.0.1:{self.state['app']}"

    @property
    def server(self) -> MainServerClient:
        return MainServerClient(self.app_url, (self.data / "config" / "token").read_text())

    @property
    def prefect_login(self) -> tuple[str, str]:
        user, password = Home(self.data).prefect_login.split(":")
        return user, password

    def prefect(self, path: str, **body: Any) -> Any:
        return self.ask_prefect("POST", path, body).json()

    def ask_prefect(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """Prefect on SQLite answers 503 now and then when it is busy; its own client tries again, and so does this."""
        url = f"http://127.0.0.1:{self.state['prefect']}/api{path}"

        def answered() -> httpx.Response | None:
            answer = httpx.request(method, url, json=body, auth=self.prefect_login, timeout=60)
            return None if answer.status_code == 503 else answer.raise_for_status()

        answer: httpx.Response = until(answered, f"Prefect answers {method} {path}")
        return answer

    def deployment(self, flow: str) -> str:
        """Its id. Housekeeping is deployed half a minute after the system's start."""

        def found() -> str | None:
            known = self.prefect("/deployments/filter", deployments={"name": {"any_": [flow]}})
            return str(known[0]["id"]) if known else None

        return str(until(found, f"{flow} is deployed"))

    def flow_runs(self, flow: str) -> list[dict[str, Any]]:
        wanted = {"flows": {"name": {"any_": [flow]}}, "sort": "EXPECTED_START_TIME_ASC"}
        return self.prefect("/flow_runs/filter", **wanted)

    def worker(self) -> psutil.Process:
        """The one process that works for all pools."""
        pid, _ = self.state["sessions"]["worker"]
        return psutil.Process(pid)

    def flow_processes(self, flow_run_id: str | None) -> list[psutil.Process]:
        """That run's process on this machine, and what it has started."""
        run = self.ask_prefect("GET", f"/flow_runs/{flow_run_id}").json()
        return members([int(run["infrastructure_pid"])])

    def process_clips(self, *paths: Path) -> tuple[dict[str, Any], subprocess.CompletedProcess[str]]:
        """`dashcam process` on this system; its JSON and how it ended."""
        result = self.data.parent / f"result-{time.monotonic_ns()}.json"
        ended = dashcam("process", *paths, "--data", self.data, "--json", result)
        assert result.exists(), ended.stderr
        return json.loads(result.read_text()), ended
