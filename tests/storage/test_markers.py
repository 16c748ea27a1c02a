"""A marker is written once, where the store is seen or a person says so, and never into a bare mount point."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashcam.chaos.disks import unavailable
from dashcam.storage import markers
from dashcam.storage.markers import MARKER, NotSure, mark
from dashcam.storage.roots import StoreMissing, Stores


@pytest.fixture(autouse=True)
def fstab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This machine's own says nothing of these folders, whatever is in it."""
    file = tmp_path / "fstab"
    monkeypatch.setattr(markers, "FSTAB", file)
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "shed nas"
    folder.mkdir()
    return folder


@pytest.fixture
def disk(folder: Path) -> Iterator[Path]:
    """A real one of its own, mounted on the folder."""
    if why := unavailable():
        pytest.skip(why)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "dashcam-test", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=False)


def is_there(folder: Path) -> bool:
    try:
        return bool(Stores({"shed_nas": folder}, {"shed_nas": MARKER}).root("shed_nas"))
    except StoreMissing:
        return False


@pytest.mark.parametrize(
    "ours",
    ["raw/", "preproc/", "heavy_output/", ".dashcam/", "0123456789abcdef/manifest.json", "0123456789abcdef.json"],
)
def test_a_store_from_before_markers_is_marked_once_while_it_is_mounted(folder: Path, ours: str) -> None:
    (folder / "photos").mkdir()
    (folder / ours).parent.mkdir(exist_ok=True)
    (folder / ours).mkdir() if ours.endswith("/") else (folder / ours).write_text("{}")
    assert not is_there(folder)
    assert mark("shed_nas", folder)
    assert is_there(folder)
    written = (folder / MARKER).read_bytes()
    assert not mark("shed_nas", folder), "it has its marker"
    assert (folder / MARKER).read_bytes() == written


@pytest.mark.parametrize(
    ("holds", "says"),
    [
        ([], "is empty, and no disk is mounted there"),
        (["lost+found/", ".Trash-0/", "@eaDir/", "#recycle/"], "is empty, and no disk is mounted there"),
        (["photos/"], "holds 'photos' and nothing of ours"),
        (["raw"], "holds 'raw' and nothing of ours"),
        (["2026/manifest.txt"], "holds '2026' and nothing of ours"),
    ],
)
def test_what_may_be_a_bare_mount_point_or_another_folder_is_marked_on_a_persons_word_alone(
    folder: Path, holds: list[str], says: str
) -> None:
    for name in holds:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).mkdir() if name.endswith("/") else (folder / name).touch()
    with pytest.raises(NotSure) as asked:
        mark("shed_nas", folder)
    assert says in str(asked.value) and "dashcam setup --mark shed_nas" in str(asked.value)
    assert not is_there(folder)
    assert mark("shed_nas", folder, sure=True)
    assert is_there(folder)


def test_a_disk_that_is_mounted_with_nothing_on_it_is_marked(disk: Path) -> None:
    assert mark("shed_nas", disk)
    subprocess.run(["umount", disk], check=True)
    assert not is_there(disk), "the bare mount point has none"


def test_where_fstab_has_a_disk_that_is_not_mounted_nobody_marks(folder: Path, fstab: Path) -> None:
    """An earlier version archived into the bare mount point: it lies below the disk once that is mounted."""
    (folder / "raw").mkdir()
    place = str(folder).replace(" ", "\\040")
    fstab.write_text(f"# NAS\n#nas:/x /nowhere nfs\nnas:/shed {place} nfs defaults 0 0\n/dev/sda2 none swap sw 0 0\n")
    for sure in (False, True):
        with pytest.raises(StoreMissing, match=r"has a disk for .*shed nas, which is not mounted"):
            mark("shed_nas", folder / ".", sure=sure)
    fstab.write_text(f"/dev/sda1 / ext4\nnas:/other {place}-2 nfs\n")
    assert mark("shed_nas", folder)


def test_below_an_unmounted_disk_of_fstab_nobody_marks_either(folder: Path, fstab: Path) -> None:
    (folder / "archive/raw").mkdir(parents=True)
    fstab.write_text(f"nas:/shed {str(folder).replace(' ', chr(92) + '040')} nfs\n")
    with pytest.raises(StoreMissing, match=r"not mounted"):
        mark("shed_nas", folder / "archive", sure=True)


def test_a_folder_that_is_not_there_is_not_made(folder: Path) -> None:
    with pytest.raises(StoreMissing, match="is no folder on this device; mount it first"):
        mark("shed_nas", folder / "archive", sure=True)
    assert not (folder / "archive").exists()


def test_a_store_without_its_marker_says_what_to_do(folder: Path) -> None:
    with pytest.raises(StoreMissing) as missing:
        Stores({"shed_nas": folder}, {"shed_nas": MARKER}).path("shed_nas:v1")
    said = str(missing.value)
    assert f"{folder} has no {MARKER}, so nothing is mounted on it; mount it" in said
    assert "A store that is new is marked on the main server: dashcam setup --mark shed_nas" in said
