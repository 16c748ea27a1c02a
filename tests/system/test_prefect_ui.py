"""What a person does in the Prefect UI, and what died without a word: tasks wait, come back, and are never lost."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from blocks.runs import crash_silent_runs
from dashcam.sample import short_clips
from tests.system.running import Running, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]


def ingest(running: Running, clip: Path) -> str:
    files = [{"device": "local", "path": str(clip).lstrip("/")}]
    (arrival,) = running.server.call("POST", "/ingest", json={"files": files, "vouched": True})
    return str(arrival["video_id"])


def heavy_task(running: Running, video_id: str) -> Any:
    for task in running.server.all_pending():
        if task.video_id == video_id and task.task_type == "HEAVY_PROCESS_VIDEO":
            return task
    return None


def pause(running: Running, pool: str, is_paused: bool) -> None:
    running.ask_prefect("PATCH", f"/work_pools/{pool}", {"is_paused": is_paused})


def test_a_paused_pool_keeps_its_tasks_and_a_cancelled_run_waits_for_try_again(
    running: Running, tmp_path: Path
) -> None:
    (clip,) = short_clips(tmp_path, 1, 1.5)
    pause(running, "gpu", True)
    try:
        video_id = ingest(running, clip)
        waiting = until(
            lambda: [run for run in running.flow_runs("heavy") if run["state_type"] == "SCHEDULED"], "a run waits", 240
        )
        cancelled = {"state": {"type": "CANCELLED"}, "force": True}
        running.prefect(f"/flow_runs/{waiting[0]['id']}/set_state", **cancelled)
        held = until(lambda: (task := heavy_task(running, video_id)) and task.hold, "the task is held", 60)
        assert "cancelled in Prefect" in held
    finally:
        pause(running, "gpu", False)
    task = heavy_task(running, video_id)
    assert task.state == "pending"
    running.server.retry(task.task_id)
    until(lambda: (running.server.video(video_id) or {})["outcome"] == "processed", "the clip is through", 240)


def test_reconcile_finds_what_died_without_a_word(running: Running) -> None:
    """A run that says it is Running, with nobody behind it, as a power cut leaves it."""
    url = f"http://127.0.0.1:{running.state['prefect']}/api"
    deployment = running.ask_prefect("GET", "/deployments/name/heavy/heavy").json()["id"]
    body = {"parameters": {"task_ids": []}, "tags": ["dashcam"], "state": {"type": "RUNNING"}}
    run_id = running.prefect(f"/deployments/{deployment}/create_flow_run", **body)["id"]

    def state() -> str:
        return str(running.ask_prefect("GET", f"/flow_runs/{run_id}").json()["state_type"])

    def reconcile(now: datetime) -> None:
        async def in_prefect() -> None:
            async with get_client() as client:
                await crash_silent_runs(client, now)

        with temporary_settings({PREFECT_API_URL: url, PREFECT_API_AUTH_STRING: ":".join(running.prefect_login)}):
            asyncio.run(in_prefect())

    reconcile(datetime.now(UTC))
    assert state() == "RUNNING", "a run that has just begun is left alone"
    reconcile(datetime.now(UTC) + timedelta(minutes=3))
    assert state() == "CRASHED"
