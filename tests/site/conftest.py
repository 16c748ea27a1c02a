"""A machine that knows nothing of a site yet."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where its settings will lie."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "DASHCAM_"))}
    monkeypatch.setattr(os, "environ", mine)
    monkeypatch.setenv("DASHCAM_CONFIG", str(tmp_path / "etc"))
    monkeypatch.setenv("DASHCAM_DEVICE", "jetson-1")
    return tmp_path / "etc"
