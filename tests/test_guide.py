"""The owner's guide: its samples, its settings and the four commands of its chapter 7 as they are printed."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from dashcam import config
from tests.cli.running import start
from tests.conftest import REPOSITORY
from tests.flows.main_server import TOKEN, MainServer

JETSON = {
    "storage": {"local_scratch": "/tmp/jetson_scratch", "max_concurrent_tasks": 1},
    "coral": {"device_path": "/dev/bus/usb/001/003"},
}
RTX: dict[str, Any] = {
    "gpu": {"device_id": 0, "max_batch_size": 2, "yolo_model_path": "./models/yolov8n.pt", "ocr_model": "en"},
    "storage": {"local_scratch": "D:\\dashcam_temp", "max_concurrent_tasks": 1},
}
CHAPTER_7 = {
    "server": "curl http://localhost:8000/api/v1/tasks | python -m json.tool",
    "device": """curl -X POST "http://main-server:8000/api/v1/devices/heartbeat" \\
     -H "Content-Type: application/json" \\
     -d '{"hostname": "jetson-coral-1", "device_type": "jetson_coral"}'""",
    "settings": "python scripts/validate_config.py /etc/dashcam-processor/",
    "health": "python scripts/health_check.py --server http://main-server:8000",
}


@pytest.fixture
def server(engine: Engine, tmp_path: Path) -> Iterator[MainServer]:
    one = MainServer(engine, {"indoor_nas": tmp_path})
    one.start()
    yield one
    one.stop()


def settings_of_the_guide(tmp_path: Path, **devices: dict[str, Any]) -> Path:
    """Chapter 4: copy the samples; then the device's file is written anew."""
    folder = tmp_path / "etc/dashcam-processor"
    shutil.copytree(REPOSITORY / "config", folder)
    for name, content in devices.items():
        (folder / "devices" / f"{name.replace('_', '-')}.json").write_text(json.dumps(content))
    return folder


def typed(command: str, server: MainServer, settings: Path) -> subprocess.CompletedProcess[str]:
    """In a shell, at this test's addresses and folder; `python` is this one."""
    for host in ("localhost", "main-server"):
        command = command.replace(f"http://{host}:8000", server.url)
    command = command.replace("/etc/dashcam-processor/", f"{settings}/")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shell = ["bash", "-o", "pipefail", "-c", command]
    return subprocess.run(
        shell, cwd=REPOSITORY, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False
    )


def with_token(command: str) -> str:
    return command.replace("curl ", f'curl -H "Authorization: Bearer {TOKEN}" ', 1)


def test_the_samples_pass_as_they_are() -> None:
    assert config.check(REPOSITORY / "config") == []
    types = {json.loads(file.read_text())["device_type"] for file in (REPOSITORY / "config/devices").glob("*.json")}
    assert types == set(config.POOLS)


def test_the_four_commands_of_chapter_7(server: MainServer, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    settings = settings_of_the_guide(tmp_path)
    for name in ("server", "device"):
        done = typed(CHAPTER_7[name], server, settings)
        assert done.returncode == 0 and "token" in json.loads(done.stdout)["detail"], done
    tasks = typed(with_token(CHAPTER_7["server"]), server, settings)
    assert json.loads(tasks.stdout) == {"tasks": [], "total": 0}
    beat = typed(with_token(CHAPTER_7["device"]), server, settings)
    assert (beat.returncode, beat.stdout) == (0, "null")
    checked = typed(CHAPTER_7["settings"], server, settings)
    assert checked.returncode == 0 and "are in order" in checked.stdout, checked
    well = typed(CHAPTER_7["health"], server, settings)
    assert well.returncode == 0 and f"ok: {server.url} answers" in well.stdout, well


def test_the_wrappers_end_with_1_and_a_sentence(server: MainServer, tmp_path: Path) -> None:
    settings = settings_of_the_guide(tmp_path, rtx_4090_1=RTX | {"gpus": {}})
    checked = typed(CHAPTER_7["settings"], server, settings)
    assert checked.returncode == 1 and "gpus is not a known key; did you mean 'gpu'?" in checked.stdout
    server.stop()
    gone = typed(CHAPTER_7["health"], server, settings)
    assert gone.returncode == 1 and "Nothing answers at" in gone.stdout and "Start the main server" in gone.stdout


@pytest.mark.parametrize(
    ("device", "content", "sentence"),
    [
        ("jetson-coral-1", JETSON, r"(LiteRT|libedgetpu|network for the Coral|no stick).*(install|make|plug)"),
        ("rtx-4090-1", RTX, r"D:\\dashcam_temp.*is a path of another system.*Correct storage\.local_scratch"),
    ],
    ids=["jetson", "rtx"],
)
def test_the_guides_device_files_unchanged_start_a_worker_or_say_why_not(
    tmp_path: Path, device: str, content: dict[str, Any], sentence: str
) -> None:
    """Here there is neither a Coral nor Windows."""
    settings = settings_of_the_guide(tmp_path, **{device: content})
    assert config.check(settings) == []
    for command in ("worker", "check"):
        done = start(f"dashcam.cli {command}", DASHCAM_CONFIG=str(settings), DASHCAM_DEVICE=device)
        assert done.returncode == 1
        said = [line for line in done.stderr.splitlines() if re.search(sentence, line, re.IGNORECASE)]
        assert len(said) == 1 and "Traceback" not in done.stderr, done.stderr


def test_what_the_table_names_is_there() -> None:
    text = (REPOSITORY / "docs/guide.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| (.+?) \|", text, re.MULTILINE)
    named = {path for _, here in rows for path in re.findall(r"`((?:config|scripts|deploy)/[\w./-]*)`", here)}
    assert len(named) > 4
    assert [path for path in named if not (REPOSITORY / path).exists()] == []
