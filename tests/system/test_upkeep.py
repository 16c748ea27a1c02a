"""The nightly flows on the real system: taken by its worker, with Prefect's own states for what came of them."""

import os
from typing import Any

import pytest

from tests.system.running import Running, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


def started(running: Running, flow: str) -> str:
    path = f"/deployments/{running.deployment(flow)}/create_flow_run"
    return str(running.prefect(path, state={"type": "SCHEDULED"})["id"])


def end_of(running: Running, run: str) -> Any:
    def ended() -> Any:
        state = running.ask_prefect("GET", f"/flow_runs/{run}").json()["state"]
        return state if state["type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED") else None

    return until(ended, "the run is through", 240)


def test_a_night_announces_what_would_go_and_sweeps_what_was_left_behind(running: Running) -> None:
    half = running.data / "archive/.0123456789abcdef.0123456789ab.part"
    half.mkdir()
    (half / "video_lowres.mp4").write_bytes(b"cut off")
    for path in (half / "video_lowres.mp4", half):
        os.utime(path, (1, 1))
    runs = {flow: started(running, flow) for flow in ("retention", "sweep")}
    told = {flow: end_of(running, run) for flow, run in runs.items()}
    assert told["sweep"]["type"] == "COMPLETED" and "1 things removed, 7 bytes" in told["sweep"]["message"]
    assert not half.exists()
    # on a new system no plan was announced before, and nothing goes until its owner has turned that on
    assert told["retention"]["type"] == "COMPLETED" and "Reported only" in told["retention"]["message"]
    assert "No plan was made between" in told["retention"]["message"]
    known = running.server.call("GET", "/retention")
    assert known["enabled"] is False and known["plan"]["plan"]["unattended"] is True


@pytest.mark.last
@pytest.mark.timeout(900)
def test_what_has_a_schedule_runs_by_itself(running: Running) -> None:
    """With SQLAlchemy 2.1 Prefect's scheduler failed with no more than a line in its log."""
    until(lambda: any(run["state_type"] == "COMPLETED" for run in running.flow_runs("scan")), "a scan is through", 420)
