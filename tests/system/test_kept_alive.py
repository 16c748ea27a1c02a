"""kill -9 of any part of a running `dashcam process`: the job goes on and ends with everything processed."""

import json
import subprocess
from collections import Counter
from pathlib import Path

import psutil
import pytest

from dashcam import sqlite
from dashcam.sample import short_clips
from dashcam.tasks.chain import STAGES
from tests.system.running import DASHCAM, Running, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


def test_each_part_that_is_killed_comes_back_and_every_clip_is_processed(tmp_path: Path) -> None:
    clips = short_clips(tmp_path / "clips", 6, 8.0)
    data, result = tmp_path / "data", tmp_path / "result.json"
    argv = [*DASHCAM, "process", tmp_path / "clips", "--data", data, "--json", result]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(list(map(str, argv)), stdout=log, stderr=log)
    running = Running(data, process)
    said = (tmp_path / "log").read_text
    try:
        until(lambda: "The workers are ready" in said() or process.poll() is not None, "the system is up", 120)
        ports = running.state["app"], running.state["prefect"]
        killed = []
        for part in ("app", "prefect", "worker", "forkserver", "app"):
            pid, _ = running.state["sessions"][part]
            killed.append(psutil.Process(pid))
            killed[-1].kill()
            until(lambda: running.state["sessions"][part][0] != pid, f"{part} is started again")  # noqa: B023
            until(running.server.all_pending, "the app answers, and the job is not over yet")
        assert process.wait(200) == 0, said()
        assert (running.state if (data / "running.json").exists() else None) is None
    finally:
        process.terminate()
        process.wait(60)
    for part in ("The web interface", "Prefect", "The worker", "The fork server"):
        assert f"{part} was ended by SIGKILL, and is started again" in said()
    assert "times in a row" not in said()
    assert str(ports[0]) in said(), "the same port again"
    videos = json.loads(result.read_text())["videos"]
    assert Counter(video["outcome"] for video in videos) == {"processed": len(clips)}
    with sqlite.driver().connect(f"file:{data / 'dashcam.db'}?mode=ro", uri=True) as database:
        tasks = Counter(database.execute("SELECT task_type, state FROM task").fetchall())
    assert tasks == {(str(task_type), "complete"): len(clips) for task_type in STAGES}
    assert not [one for one in killed if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
