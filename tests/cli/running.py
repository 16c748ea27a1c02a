"""Commands in processes of their own, with settings of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

NOBODY_LISTENS = "http://127.0.0.1:9/api"
REPOSITORY = Path(__file__).resolve().parents[2]


def settings(tmp_path: Path, site: dict[str, Any] | None = None, device: dict[str, Any] | None = None) -> Path:
    """A folder with ``config.json`` and the file of a device that is called ``me``."""
    folder = tmp_path / "settings"
    (folder / "devices").mkdir(parents=True)
    site = {"server": {"prefect_url": NOBODY_LISTENS}} | (site or {})
    (folder / "config.json").write_text(json.dumps(site))
    (folder / "devices/me.json").write_text(json.dumps(device or {}))
    return folder


def start(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """``python -m`` with that, as the device ``me``; nothing of this machine's own settings counts."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "DASHCAM_"))}
    return subprocess.run(
        [sys.executable, "-m", *command.split()],
        env=mine | {"DASHCAM_DEVICE": "me"} | environment,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
