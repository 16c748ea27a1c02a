"""A worker whose device names EasyOCR's weights runs with them as its second reader, in a flow run as at home."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from dashcam.embedded.home import device_name
from tests.system.conftest import running as running
from tests.system.running import Running

pytest.importorskip("easyocr", reason="the extra gpu is not installed: make test-torch")


@pytest.mark.timeout(600)
def test_easyocr_is_the_second_opinion_in_a_flow(running: Running, shared: Path, tmp_path: Path) -> None:
    weights = tmp_path / "easyocr"
    made = subprocess.run(
        [sys.executable, shared / "tools/easyocr_weights.py", weights], capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr[-500:]
    # a flow run loads its device's settings when it starts
    file = running.data / "config" / "devices" / f"{device_name('gpu')}.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"gpu": {"easyocr_folder": str(weights)}}))
    report, ended = running.process_clips(shared / "data" / "clips" / "london-street-hevc.mp4")
    assert ended.returncode == 0, ended.stderr
    assert {plate["text"] for plate in report["videos"][0]["plates"]} == {"LT23CGK", "DX17ZWH"}
    with closing(sqlite3.connect(running.data / "dashcam.db")) as database:
        ((told,),) = database.execute("SELECT result FROM task WHERE task_type = 'HEAVY_PROCESS_VIDEO'")
    assert "easyocr-english_g2" in json.loads(told)["models"]
