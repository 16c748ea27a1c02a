"""A run that fails before it comes to its clips is their failure, told once, and they wait before the next."""

import json
from pathlib import Path

import pytest

from dashcam.embedded.home import device_name
from dashcam.sample import short_clips
from dashcam.tasks.model import Task
from tests.system.running import Running, until
from tests.system.test_prefect_ui import heavy_task, ingest

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


def test_a_device_that_lacks_its_weights_is_heard_of_and_its_clips_go_on_when_it_is_mended(
    running: Running, tmp_path: Path
) -> None:
    file = running.data / "config" / "devices" / f"{device_name('gpu')}.json"
    whole = file.read_text()
    file.write_text(json.dumps(json.loads(whole) | {"detector_weights": str(tmp_path / "nowhere.onnx")}))
    (clip, later) = short_clips(tmp_path / "clips", 2, 1.0)
    try:
        video_id = ingest(running, clip)

        def failed() -> Task | None:
            task = heavy_task(running, video_id)
            return task if task and task.failures else None

        task = until(failed, "the failure is counted", 120)
        assert "failed" in task.last_error and "nowhere.onnx" in task.last_error
        # meanwhile the dispatcher sees the run that failed again and again
        until(lambda: heavy_task(running, ingest(running, later)), "another clip comes as far")
        again = heavy_task(running, video_id)
        assert again is not None and 1 <= again.failures <= again.attempts
    finally:
        file.write_text(whole)
    running.server.retry(task.task_id)
    until(lambda: (running.server.video(video_id) or {})["outcome"] == "processed", "the clip is through", 240)
