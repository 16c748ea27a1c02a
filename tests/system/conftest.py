"""One embedded system for the whole session: real Prefect server, app and workers, as `dashcam up` starts them."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.system.running import DASHCAM, Running, until


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("system")
    with (folder / "up.log").open("wb") as log:
        process = subprocess.Popen([*DASHCAM, "up", "--data", str(folder / "data")], stdout=log, stderr=log)
    system = Running(folder / "data", process)
    log_text = (folder / "up.log").read_text
    until(lambda: "Serving" in log_text() or process.poll() is not None, "the embedded system is up", 240)
    assert process.poll() is None, log_text()
    yield system
    process.terminate()
    process.wait(60)
