"""No library of ours reports to its maker: nothing leaves the house unless its owner asks for it."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY

TELLING = {"ORT_DISABLE_TELEMETRY", "DO_NOT_TRACK", "CI", "XDG_CACHE_HOME", "ORT_RUNNING_UNIT_TESTS"}


def said(code: str, home: Path) -> str:
    """What a process prints that knows nothing of this one's environment and home."""
    environment = {name: value for name, value in os.environ.items() if name not in TELLING}
    environment |= {"HOME": str(home), "PYTHONPATH": f"{REPOSITORY / 'lib'}{os.pathsep}{REPOSITORY}"}
    argv = [sys.executable, "-c", code]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=True).stdout.strip()


def test_onnx_runtime_notes_nothing_to_report(tmp_path: Path) -> None:
    """Where it reports, it gives the machine a number and keeps a database of what it has to say."""
    for package in ("dashcam", "training"):
        said(f"import {package}, onnxruntime", tmp_path)
    assert not list((tmp_path / ".cache").glob("**/*onnxruntime*"))


def test_prefects_client_reports_nothing(tmp_path: Path) -> None:
    enabled = "import dashcam; from prefect._internal.analytics.enabled import is_telemetry_enabled as e; print(e())"
    assert said(enabled, tmp_path) == "False"


def test_what_the_fork_server_forks_reports_nothing(tmp_path: Path) -> None:
    asked = "import os, flows.forkserver; print(os.environ['ORT_DISABLE_TELEMETRY'], os.environ['DO_NOT_TRACK'])"
    assert said(asked, tmp_path) == "1 1"
