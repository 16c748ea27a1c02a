"""Keys and settings survive that power goes while they are written."""

import os
import stat
from pathlib import Path

import pytest

from dashcam import whole_file
from dashcam.evidence import signing


class PowerIsGone(Exception):
    pass


@pytest.fixture
def power_goes(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Before what is written is on the disk."""

    def gone(_: int) -> None:
        raise PowerIsGone

    monkeypatch.setattr(os, "fsync", gone)
    return monkeypatch


def test_the_old_one_stays_until_the_new_one_is_on_the_disk(tmp_path: Path, power_goes: pytest.MonkeyPatch) -> None:
    file = tmp_path / "settings"
    file.write_bytes(b"old")
    with pytest.raises(PowerIsGone):
        whole_file.write(file, b"new")
    assert file.read_bytes() == b"old" and list(tmp_path.iterdir()) == [file]
    power_goes.undo()
    whole_file.write(file, b"new")
    assert file.read_bytes() == b"new" and stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_first_key_stays(tmp_path: Path) -> None:
    file = tmp_path / "new folder" / "key"
    for content in (b"first", b"second"):
        whole_file.make(file, content)
    assert file.read_bytes() == b"first" and stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_no_half_of_a_key_to_sign_with_is_left_where_power_went(tmp_path: Path, power_goes: pytest.MonkeyPatch) -> None:
    with pytest.raises(PowerIsGone):
        signing.key_of(tmp_path / "key")
    power_goes.undo()
    one = signing.key_of(tmp_path / "key")
    assert signing.public(signing.key_of(tmp_path / "key")) == signing.public(one)
