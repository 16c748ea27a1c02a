"""Of every disk a reserve stays free; what would not fit is said in one sentence: what is free, what is needed."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashcam.chaos.disks import full, mounted, unavailable
from dashcam.storage import room
from dashcam.storage.room import Need, reserve, shortage

MB = 1_000_000
GIB = 1 << 30


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A real one of 32 MiB."""
    if why := unavailable():
        pytest.skip(why)
    with mounted({tmp_path / "disk": 32}):
        yield tmp_path / "disk"


@pytest.mark.parametrize(
    ("total", "stays"), [(0, 0), (100 * MB, 5 * MB), (20 * GIB, GIB), (4000 * GIB, GIB), (10 * GIB, GIB // 2)]
)
def test_a_twentieth_stays_free_and_at_most_a_gibibyte(total: int, stays: int) -> None:
    assert reserve(total) == stays


@given(st.integers(1, 1 << 50), st.integers(0, 1 << 50), st.lists(st.integers(0, 1 << 45), min_size=1, max_size=4))
def test_what_fits_leaves_the_reserve_and_what_does_not_would_not(total: int, free: int, sizes: list[int]) -> None:
    free = min(free, total)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(total, total - free, free))
        said = shortage(Need("store a", Path("/"), size) for size in sizes)
    assert (said is None) == (free - sum(sizes) >= reserve(total))


def test_a_disk_that_does_not_tell_its_size_has_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room.shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(0, 0, 0))
    assert shortage([Need("store a", Path("/"), MB)]) is None


def test_a_real_disk_is_told_of_with_what_is_needed_and_where(disk: Path) -> None:
    assert shortage([Need("store shed_nas", disk, 20 * MB)]) is None
    said = shortage([Need("store shed_nas", disk, 200 * MB)])
    assert said == (
        f"No room in store shed_nas ({disk}): 34 MB are free, about 200 MB more are needed, and 2 MB have to stay "
        "free. Make room there, and it goes on by itself."
    )
    with full(disk):
        said = shortage([Need("the database", disk)])
        assert said is not None and "(" + str(disk) + "): 0 MB are free and 2 MB have to stay free" in said


def test_what_lies_on_one_disk_counts_together(disk: Path, tmp_path: Path) -> None:
    for name in ("nas", "scratch"):
        (disk / name).mkdir()
    both = [Need("store indoor_nas", disk / "nas", 20 * MB), Need("the scratch", disk / "scratch", 20 * MB)]
    said = shortage(both)
    assert said is not None and "store indoor_nas" in said and "and the scratch" in said and "40 MB" in said
    assert all(shortage([one]) is None for one in both)
    assert shortage([both[0], Need("the scratch", tmp_path, 20 * MB)]) is None
