"""A worker whose device names EasyOCR's weights asks it about doubtful tracks, in a flow run as at home."""

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dashcam import sqlite
from dashcam.embedded.home import device_name
from dashcam.records import HeavyResult
from dashcam.sample import Truth
from tests.system.conftest import running as running
from tests.system.running import Running

pytest.importorskip("easyocr", reason="the extra gpu is not installed: make test-torch")


def results(running: Running) -> list[HeavyResult]:
    with closing(sqlite.driver().connect(running.data / "dashcam.db")) as database:
        told = database.execute("SELECT result FROM task WHERE task_type = 'HEAVY_PROCESS_VIDEO'").fetchall()
    return [HeavyResult.model_validate_json(result) for (result,) in told]


def plates(video: dict[str, Any]) -> set[str]:
    return {plate["text"] for plate in video["plates"]}


@pytest.mark.timeout(600)
def test_easyocr_is_the_second_opinion_in_a_flow(running: Running, shared: Path, drive: Path, tmp_path: Path) -> None:
    weights = tmp_path / "easyocr"
    made = subprocess.run(
        [sys.executable, shared / "tools/easyocr_weights.py", weights], capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr[-500:]
    # a flow run loads its device's settings when it starts
    file = running.data / "config" / "devices" / f"{device_name('gpu')}.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"gpu": {"easyocr_folder": str(weights)}}))
    truth = Truth.model_validate_json((drive / "truth.json").read_text())
    (rear,) = (clip for clip in truth.clips if "R." in clip.file)
    london = shared / "data" / "clips" / "london-street-hevc.mp4"
    report, ended = running.process_clips(london, drive / rear.file)
    assert ended.returncode == 0, ended.stderr
    found = {Path(video["file"]).name: plates(video) for video in report["videos"]}
    assert found[london.name] == {"LT23CGK", "DX17ZWH"}
    drawn = {plate.text for plate in rear.plates}
    # of one far plate our own reads say 6 and 8: EasyOCR makes nothing of it, and so it stays unconfirmed
    assert found[rear.file] <= drawn and len(found[rear.file]) >= len(drawn) - 1
    told = results(running)
    assert all("easyocr-english_g2" in result.models for result in told)
    readers = {read.reader for result in told for sighting in result.sightings for read in sighting.reads}
    assert readers == {None, "easyocr-english_g2"}, "the drawn rear clip has plates that the first reader doubts"
