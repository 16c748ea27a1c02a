"""What the chaos tests share: clips, engines, and what an undisturbed run makes of the clips."""

from pathlib import Path

import pytest

from dashcam.chaos import trial
from dashcam.chaos.trial import Undisturbed


@pytest.fixture(scope="session")
def workdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("chaos")


@pytest.fixture(scope="session")
def undisturbed(workdir: Path) -> Undisturbed:
    return trial.undisturbed(workdir)
