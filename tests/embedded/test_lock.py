"""One system on one data folder: the lock is held while it runs, and free again afterwards."""

from pathlib import Path

import pytest

from dashcam.embedded.home import Home, HomeUnusable
from dashcam.embedded.system import embedded_system


def test_a_second_system_on_the_same_folder_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with embedded_system(home, print), pytest.raises(HomeUnusable, match="just starting"):
        embedded_system(home, print).__enter__()
    with embedded_system(home, print) as system:
        assert system.owned
