"""A machine goes back to its owner within seconds, and what it was working on is neither lost nor counted as failed."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from dashcam.embedded.home import Home, Ports
from dashcam.sample import short_clips
from dashcam.tasks.model import Task
from tests.system.running import Running, dashcam, until
from tests.system.test_prefect_ui import heavy_task, ingest

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

YIELD_S = 5.0


def under_way(running: Running, video_id: str, device: str) -> Task | None:
    task = heavy_task(running, video_id)
    return task if task and task.device == device and (task.progress or 0) > 0.02 else None


@contextmanager
def second_device(running: Running, name: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another machine that works for the pool gpu."""
    environment = Home(running.data).environment(Ports(running.state["app"], running.state["prefect"]))
    environment |= {"DASHCAM_DEVICE": name, "DASHCAM_DEVICE_TYPE": "rtx_4090", "DASHCAM_SCRATCH": str(folder)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "flows.worker", "gpu"], env=environment, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def seconds_to_end(flow: list[psutil.Process], began: float) -> float:
    assert flow, "a flow is at work"
    until(lambda: not any(process.is_running() for process in flow), "the flow has ended", 20)
    took = time.monotonic() - began
    print(f"gave way in {took:.1f} s")  # for benchmarks/RESULTS.md, with pytest -rP
    return took


def assert_nothing_is_lost(running: Running, video_id: str, before: Task, why: str) -> None:
    """The run waits for a worker again, and its task is as it was."""

    def scheduled() -> dict[str, Any] | None:
        run: dict[str, Any] = running.ask_prefect("GET", f"/flow_runs/{before.flow_run_id}").json()
        return run if run["state_type"] == "SCHEDULED" else None

    assert why in until(scheduled, "the run is offered again", 10)["state"]["message"]
    assert list((running.data / "indoor_nas").rglob(".*.part")) == []
    task = heavy_task(running, video_id)
    assert (task.state, task.hold, task.not_before, task.last_error) == ("pending", None, None, None)
    assert (task.flow_run_id, task.attempts, task.failures) == (before.flow_run_id, 1, 0)


def test_a_device_yields_within_five_seconds_and_another_takes_over(running: Running, tmp_path: Path) -> None:
    (clip,) = short_clips(tmp_path / "long", 1, 120.0)
    video_id = ingest(running, clip)
    (name,) = (one["hostname"] for one in running.server.devices() if one["hostname"].endswith("-gpu"))
    before = until(lambda: under_way(running, video_id, name), "the heavy stage is in the middle of the clip", 240)
    worker, flow = running.worker(), running.flow_processes(before.flow_run_id)

    asked = time.monotonic()
    running.server.pause(name, None)
    assert seconds_to_end(flow, asked) < YIELD_S
    assert_nothing_is_lost(running, video_id, before, "paused")
    assert worker.is_running(), "it stays, to hear when it may work again"
    assert list((running.data / "scratch").rglob("clip-*")) == []

    with second_device(running, "spare", tmp_path) as spare:
        until(lambda: under_way(running, video_id, "spare"), "the other device has taken the clip", 120)
        flow = running.flow_processes(before.flow_run_id)
        stopped = time.monotonic()
        spare.terminate()
        assert seconds_to_end(flow, stopped) < YIELD_S
        assert spare.wait(10) == 0
    told = {one["hostname"]: one["drained"] for one in running.server.devices()}
    assert told["spare"] == "the worker was stopped"
    assert_nothing_is_lost(running, video_id, before, "the worker was stopped")

    listed = dashcam("device", "list", "--data", running.data).stdout
    assert "paused" in listed
    assert name in dashcam("device", "resume", name, "--data", running.data).stdout
    until(lambda: (running.server.video(video_id) or {})["outcome"] == "processed", "the clip is through", 240)
