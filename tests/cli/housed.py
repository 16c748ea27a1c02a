"""The command at work on a house with clips, beside a real main server."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.cli.running import settings, start
from tests.flows.main_server import TOKEN, MainServer
from tests.upkeep.household import MARKER, House


@pytest.fixture
def house(tmp_path: Path, engine: Engine) -> House:
    return House(tmp_path / "stores", engine)


@pytest.fixture
def server(house: House) -> Iterator[MainServer]:
    one = MainServer(house.engine, house.roots)
    one.system.site = house.here.site
    one.start()
    yield one
    one.stop()


def dashcam(server: MainServer, house: House, tmp_path: Path, words: str) -> subprocess.CompletedProcess[str]:
    site = {
        "server": {"url": server.url},
        "storage_paths": {
            "indoor_nas": {"base": str(house.roots["indoor_nas"]), "marker": MARKER},
            "shed_nas": {"archive_base": str(house.roots["shed_nas"]), "marker": MARKER},
        },
    }
    folder = tmp_path / "settings"
    if not folder.exists():
        settings(tmp_path, site)
    return start(f"dashcam.cli {words}", DASHCAM_CONFIG=str(folder), DASHCAM_TOKEN=TOKEN, COLUMNS="200")
