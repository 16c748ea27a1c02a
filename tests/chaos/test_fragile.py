"""A store that fails as it is told to, and a clock that is set for one program: both as those who use them see it."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashcam.chaos import ahead, fragile
from dashcam.chaos.fragile import NUMBERS, Fragile

LARGE = bytes(300_000)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fragile]:
    if why := fragile.unavailable():
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("nas")
    with Fragile(folder / "disk", folder / "nas") as there:
        (there.mount / "clip").write_bytes(LARGE)
        yield there
    assert not (folder / "nas").is_mount()


def test_what_is_well_is_a_folder_as_any(store: Fragile) -> None:
    inside = store.mount / "a" / "b"
    inside.mkdir(parents=True)
    (inside / "new").write_text("said")
    (inside / "new").rename(inside / "other")
    assert (store.folder / "a" / "b" / "other").read_text() == "said"
    (inside / "other").unlink()
    inside.rmdir()
    assert {one.name for one in store.mount.iterdir()} == {"a", "clip"}


@pytest.mark.parametrize(("trouble", "reads", "writes"), [
    ("eio", False, False), ("full", True, False), ("read-only", True, False), ("stale", False, False),
])  # fmt: skip
def test_a_store_in_trouble_says_so_with_its_number(
    store: Fragile, trouble: fragile.Ailment, reads: bool, writes: bool
) -> None:
    def attempt(does: object) -> bool:
        try:
            does()  # type: ignore[operator]
        except OSError as error:
            assert error.errno == NUMBERS[trouble]
            return False
        return True

    store.be(trouble)
    assert attempt((store.mount / "clip").read_bytes) is reads
    assert attempt(lambda: (store.mount / "more").write_bytes(LARGE)) is writes
    assert store.heal() != ""
    assert (store.mount / "clip").read_bytes() == LARGE


def test_trouble_sets_in_in_the_midst_of_a_file(store: Fragile) -> None:
    store.be("eio", "read", 1)
    with (store.mount / "clip").open("rb", buffering=0) as file:
        assert file.read(4096)
        with pytest.raises(OSError, match="Input/output"):
            while file.read(65536):
                pass
    assert store.heal() == "read clip"


def test_where_nothing_is_mounted_strays_are_seen_and_the_store_is_untouched(store: Fragile) -> None:
    store.be("bare")
    assert list(store.mount.iterdir()) == []
    (store.mount / "stray").write_text("lost")
    store.heal()
    assert [one.name for one in store.strays] == ["stray"]
    assert not (store.mount / "stray").exists()
    store.strays[0].unlink()


def test_what_hangs_goes_on_when_it_is_healed(store: Fragile) -> None:
    store.be("hang")
    names: list[str] = []
    reader = threading.Thread(target=lambda: names.extend(one.name for one in store.mount.iterdir()))
    reader.start()
    while not store.met:
        pass
    assert not names
    store.heal()
    reader.join(60)
    assert "clip" in names


def test_a_program_goes_by_its_own_clock_and_waits_as_long_as_ever(tmp_path: Path) -> None:
    if why := ahead.unavailable():
        pytest.skip(why)
    clock = tmp_path / "clock"
    says = "import time; print(int(time.time())); time.sleep(0.01); input(); print(int(time.time()))"
    pipe, environment = subprocess.PIPE, os.environ | ahead.environment(clock)
    with subprocess.Popen(
        [sys.executable, "-uc", says], env=environment, stdin=pipe, stdout=pipe, text=True
    ) as program:
        assert program.stdin is not None and program.stdout is not None
        before = int(program.stdout.readline())
        ahead.set_clock(clock, -86_400)
        program.stdin.write("\n")
        program.stdin.close()
        after = int(program.stdout.readline())
    assert -86_400 <= after - before < -86_400 + 3_600
