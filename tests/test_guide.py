"""The owner's guide: its samples, its settings and the four commands of its chapter 7 as they are printed."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

import migrations
from app.main import configured
from dashcam import config
from dashcam.config import Site
from dashcam.config.model import GlobalSettings
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
CHAPTER_4 = """sudo mkdir -p /etc/dashcam-processor/devices
sudo chown -R $USER:$USER /etc/dashcam-processor
cp config/config.json /etc/dashcam-processor/
cp config/devices/* /etc/dashcam-processor/devices/
"""
CHAPTER_5: dict[str, Any] = {
    "global": {
        "task_retry_delay_seconds": 300,
        "max_concurrent_tasks_per_device": 1,
        "storage_retention_days": {"raw_videos": 90, "preproc_data": 30, "heavy_output": 7},
    },
    "devices": {},
    "storage_paths": {
        "indoor_nas": {
            "base": "//nas-1/videos/",
            "raw": "raw/",
            "preproc": "preproc/",
            "heavy_output": "heavy_output/",
        },
        "shed_nas": {"archive_base": "//shed-nas/archive/"},
    },
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
    command = command.replace("/etc/dashcam-processor", str(settings)).replace("sudo ", "")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shell = ["bash", "-o", "pipefail", "-c", command]
    return subprocess.run(
        shell, cwd=REPOSITORY, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False
    )


def test_the_settings_folder_as_chapter_4_makes_it(server: MainServer, tmp_path: Path) -> None:
    settings = tmp_path / "etc/dashcam-processor"
    assert typed(CHAPTER_4.replace("$USER:$USER", str(os.getuid())), server, settings).returncode == 0
    assert config.check(settings) == []
    for file in (settings / "devices").iterdir():
        device = config.load_device(settings, file.stem)
        assert device.hostname == file.stem and device.pool == config.POOLS[device.device_type]
    assert json.loads((settings / "config.json").read_text()).items() >= CHAPTER_5.items()


def test_the_main_server_makes_its_database_when_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DASHCAM_TOKEN", "DASHCAM_TOKEN_FILE", "DASHCAM_DATABASE_URL", "DASHCAM_DEVICE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DASHCAM_CONFIG", str(tmp_path))
    file = tmp_path / "dashcam.db"
    (tmp_path / "config.json").write_text(json.dumps({"server": {"database_url": f"sqlite:///{file}"}}))
    (tmp_path / "token").touch(0o600)
    (tmp_path / "token").write_text(TOKEN)
    here = configured()
    assert file.exists() and not migrations.is_older(here.engine)
    here.engine.dispose()


def test_chapter_5_has_the_defaults_and_each_of_its_keys_counts(tmp_path: Path) -> None:
    assert Site.model_validate(CHAPTER_5).global_ == GlobalSettings()
    # an entry of `devices` is the same as a file
    site = CHAPTER_5 | {"devices": {"jetson-coral-1": JETSON, "rtx-4090-1": RTX}}
    (tmp_path / "config.json").write_text(json.dumps(site))
    jetson, rtx = (config.load_device(tmp_path, name) for name in ("jetson-coral-1", "rtx-4090-1"))
    assert (jetson.pool, rtx.pool) == ("jetson", "gpu")
    assert jetson.coral is not None and jetson.coral.delegate_device == "usb", "a path on the USB bus means any stick"
    assert rtx.gpu is not None and rtx.gpu.model_dump(include=RTX["gpu"].keys()) == RTX["gpu"]
    assert [one.max_concurrent_tasks for one in (jetson, rtx, config.load_device(tmp_path, "main-server"))] == [1, 1, 3]
    renamed = {"indoor_nas": CHAPTER_5["storage_paths"]["indoor_nas"] | {"raw": "clips/"}}
    (tmp_path / "config.json").write_text(json.dumps(site | {"storage_paths": renamed}))
    with pytest.raises(config.ConfigError, match="raw"):
        config.load_site(tmp_path)


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


def test_the_commands_that_our_page_gives_for_chapter_7(server: MainServer, tmp_path: Path) -> None:
    """The token is read from its file there."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    settings = settings_of_the_guide(tmp_path)
    (settings / "token").touch(0o600)
    (settings / "token").write_text(TOKEN)
    blocks = re.findall(r"```bash\n(.*?)```", chapter(7), re.DOTALL)
    asked = [typed(command, server, settings) for command in blocks]
    assert [done.returncode for done in asked] == [0, 0], asked
    assert "token" in json.loads(asked[0].stdout)["detail"]
    assert '"tasks": []' in asked[1].stdout and "are in order" in asked[1].stdout and "ok: " in asked[1].stdout


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


def chapter(number: int) -> str:
    """Of our page."""
    text = (REPOSITORY / "docs/guide.md").read_text(encoding="utf-8")
    return text.split(f"## Chapter {number}:")[1].split("\n## ")[0]


def lines_of(number: int) -> dict[str, str]:
    """What the guide says, and what is there."""
    rows = re.findall(r"^\| (.+?) \| (.+?) \|", chapter(number), re.MULTILINE)
    return {said: here for said, here in rows if said != "the guide" and not said.startswith("---")}


PROOFS = {
    "`mkdir -p /etc/dashcam-processor/devices`": "test_guide.py::test_the_settings_folder_as_chapter_4_makes_it",
    "`cp config/config.json /etc/dashcam-processor/`": "test_guide.py::test_the_settings_folder_as_chapter_4_makes_it",
    "`cp config/devices/* /etc/dashcam-processor/devices/`": "test_guide.py::test_the_samples_pass_as_they_are",
    "`git clone`, `cd dashcam-processor`": None,
    "the steps by hand, on each machine": "site/test_init.py::test_a_main_server_from_nothing_and_all_of_it_again",
    "`python3 -m venv venv`, `pip install -r requirements.txt`": "test_docs.py::test_make_targets_exist",
    "`python db/init_db.py`": "test_guide.py::test_the_main_server_makes_its_database_when_it_starts",
    "`uvicorn app.main:app --reload`": "test_docs.py::test_commands_and_their_options_exist",
    "`scripts/dashcam-server.service`": "site/test_units.py::test_units_are_installed_once_and_removed",
    "`pip3 install viofo-sync`, `/etc/viofosync.conf`": (
        "test_viofosync.py::test_a_release_is_named_and_clips_land_where_they_are_looked_for"
    ),
    "`scripts/ingestion_trigger.sh`": "test_ingestion_trigger.py::test_new_clips_are_told_and_only_once",
    "`systemctl enable viofosync`": "deploy/test_compose.py::test_each_service_has_an_image_and_only_what_is_there",
    "the Jetson's settings": "test_guide.py::test_the_guides_device_files_unchanged_start_a_worker_or_say_why_not",
    "`python workers/jetson_coral_worker.py --device-id jetson-coral-1`": (
        "config/test_config.py::test_environment_wins_over_device_file_over_site_file"
    ),
    "the RTX machine's settings": "test_guide.py::test_the_guides_device_files_unchanged_start_a_worker_or_say_why_not",
    "`pip install torch torchvision ultralytics easyocr`": "test_guide.py::test_the_extra_gpu_is_what_the_guide_names",
    "`python workers\\rtx_4090_worker.py --device-id rtx-4090-1`": (
        "cli/test_windows.py::test_everything_a_worker_and_its_flows_import_is_there_without_posix"
    ),
    "`mkdir -p /archive`, Samba's `[archive]`": (
        "cli/test_site.py::test_setup_marks_the_stores_that_it_sees_and_says_which_it_does_not"
    ),
    "`python workers/shed_nas_worker.py --device-id shed-nas-1`": (
        "config/test_config.py::test_each_device_type_serves_its_pool"
    ),
    "`global.task_retry_delay_seconds`": "tasks/test_table.py::test_a_failure_waits_longer_each_time_and_stays_pending",
    "`global.max_concurrent_tasks_per_device`": (
        "test_guide.py::test_chapter_5_has_the_defaults_and_each_of_its_keys_counts"
    ),
    "`global.storage_retention_days`": "upkeep/test_retention_rules.py::test_the_guides_days",
    "`devices`": "test_guide.py::test_chapter_5_has_the_defaults_and_each_of_its_keys_counts",
    "`storage_paths.indoor_nas.base` `//nas-1/videos/`": (
        "config/test_config.py::test_a_device_maps_a_store_to_its_own_mount_and_shares_are_not_mangled"
    ),
    "`raw`, `preproc`, `heavy_output`": "test_guide.py::test_chapter_5_has_the_defaults_and_each_of_its_keys_counts",
    "`storage_paths.shed_nas.archive_base`": (
        "config/test_config.py::test_a_device_maps_a_store_to_its_own_mount_and_shares_are_not_mangled"
    ),
    "`device_type`, `hostname`, `storage`": "config/test_config.py::test_each_device_type_serves_its_pool",
    "`coral.device_path`": "test_guide.py::test_chapter_5_has_the_defaults_and_each_of_its_keys_counts",
    "`gpu.device_id`, `gpu.max_batch_size`, `gpu.ocr_model`": "config/test_every_key.py::test_every_key_is_read",
    "`gpu.yolo_model_path`": "config/test_every_key.py::test_every_key_is_read",
}
"""For each line of chapters 4 and 5 the test that it is so; None where there is nothing of ours to test."""


def test_each_line_of_chapters_4_and_5_has_its_test() -> None:
    lines = lines_of(4) | lines_of(5)
    assert set(lines) == set(PROOFS)
    for proof in filter(None, PROOFS.values()):
        file, _, name = proof.partition("::")
        tree = ast.parse((REPOSITORY / "tests" / file).read_text(encoding="utf-8"))
        assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, proof


def test_the_extra_gpu_is_what_the_guide_names() -> None:
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]["gpu"]
    names = {re.split(r"[<>=\[]", one)[0] for one in extras}
    assert {"torch", "torchvision", "ultralytics", "easyocr"} <= names


def test_what_the_table_names_is_there() -> None:
    named = {
        path
        for number in (4, 5, 6)
        for here in lines_of(number).values()
        for path in re.findall(r"`((?:config|scripts|deploy)/[\w./-]*)`", here)
    }
    assert len(named) > 4
    assert [path for path in named if not (REPOSITORY / path).exists()] == []
