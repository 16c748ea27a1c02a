"""Fixtures that more than one room uses."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

import migrations
from dashcam.database import open_engine

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared data folder; tests that need it are skipped, loudly, where it is not."""
    folder = Path(os.environ.get("DASHCAM_SHARED") or REPOSITORY.parent / "shared")
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder}: set DASHCAM_SHARED")
    return folder


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A new SQLite database, made by the migrations."""
    engine = open_engine(f"sqlite:///{tmp_path / 'dashcam.db'}")
    migrations.upgrade(engine)
    yield engine
    engine.dispose()
