"""A folder or file is there whole or not at all, whatever happens in between; a manifest tells every difference."""

import errno
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashcam.chaos.disks import mounted, unavailable
from dashcam.records import Manifest, ManifestEntry
from dashcam.storage import bundle, layout
from dashcam.storage.bundle import StorageError
from dashcam.storage.roots import StoreMissing, Stores
from tests.storage.made import manifest_of

OLD = {"video_lowres.mp4": b"old video", "plates/p1.jpg": b"old crop"}
NEW = {"video_lowres.mp4": b"a new video", "plates/p2.jpg": b"new crop", "frames/p2.jpg": b"new frame"}


def fill(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def publish(final: Path, files: dict[str, bytes]) -> None:
    with bundle.new_folder(final) as temporary:
        fill(temporary, files)


def killed_after(steps: int, action: Callable[[], None]) -> bool:
    """Runs ``action`` in a process of its own that dies at file operation number ``steps``; True when it died."""
    child = os.fork()
    if child == 0:
        left = steps

        def die(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal left
            if event in ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir"):
                left -= 1
                if left < 0:
                    os._exit(9)

        try:
            sys.addaudithook(die)
            action()
        except BaseException:
            os._exit(1)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, 9), "the action itself failed"
    return status == 9


@pytest.mark.parametrize("old", [None, OLD])
def test_publishing_leaves_the_new_folder_and_nothing_else(tmp_path: Path, old: dict[str, bytes] | None) -> None:
    if old:
        fill(tmp_path / "v1", old)
    publish(tmp_path / "v1", NEW)
    assert content(tmp_path / "v1") == NEW
    assert hidden(tmp_path) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork to kill a process at each of its steps")
def test_a_crash_at_any_step_leaves_the_old_or_the_new_whole(tmp_path: Path) -> None:
    outcomes = []
    for steps in range(200):
        parent = tmp_path / str(steps)
        parent.mkdir()
        final = fill(parent / "v1", OLD)
        died = killed_after(steps, lambda final=final: publish(final, NEW))
        if final.exists():
            assert content(final) in (OLD, NEW), "half a folder under the final name"
        bundle.sweep_temporaries(parent)
        assert content(final) in (OLD, NEW)
        assert hidden(parent) == []
        outcomes.append(content(final) == NEW)
        if not died:
            break
    assert outcomes[0] is False and outcomes[-1] is True
    assert outcomes == sorted(outcomes), "once the new folder was in, it stayed"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork to kill a process at each of its steps")
def test_a_crash_between_the_two_renames_is_undone_by_the_sweep(tmp_path: Path) -> None:
    gone = 0
    for steps in range(200):
        parent = tmp_path / str(steps)
        parent.mkdir()
        final = fill(parent / "v1", OLD)
        died = killed_after(steps, lambda final=final: publish(final, NEW))
        if not final.exists():
            gone += 1
            assert bundle.sweep_temporaries(parent, "v1")
            assert content(final) == OLD
        if not died:
            break
    assert gone == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork to kill a process at each of its steps")
def test_a_crash_while_a_file_is_written_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    path = tmp_path / "candidates.json"
    path.write_bytes(b"old")
    steps = 0
    while killed_after(steps, lambda: bundle.write_file(path, b"new")):
        assert path.read_bytes() in (b"old", b"new")
        steps += 1
    bundle.sweep_temporaries(tmp_path)
    assert content(tmp_path) == {"candidates.json": b"new"}
    assert steps >= 2


def test_an_error_while_filling_leaves_the_old_folder_and_no_leftover(tmp_path: Path) -> None:
    final = fill(tmp_path / "v1", OLD)
    with pytest.raises(ValueError, match="broken decoder"), bundle.new_folder(final) as temporary:
        fill(temporary, NEW)
        raise ValueError("broken decoder")
    assert content(final) == OLD
    assert hidden(tmp_path) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_one_plain_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    final = fill(tmp_path / "v1", OLD)

    def full(handle: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", full)
    for action in (lambda: publish(final, NEW), lambda: bundle.write_file(tmp_path / "x.json", b"{}")):
        with pytest.raises(StorageError, match=r"The (disk|quota) .*: free some ") as refused:
            action()
        assert str(tmp_path) in str(refused.value) and "\n" not in str(refused.value)
    assert content(tmp_path) == {f"v1/{name}": data for name, data in OLD.items()}
    assert hidden(tmp_path) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork to give up rights")
def test_no_right_to_write_is_one_plain_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.getuid() == 0:
                os.setuid(65534)
            bundle.write_file(tmp_path / "x.json", b"{}")
        except StorageError as error:
            os.write(write, str(error).encode())
        os._exit(0)
    os.close(write)
    said = os.read(read, 4096).decode()
    os.waitpid(child, 0)
    os.close(read)
    tmp_path.chmod(0o755)
    assert "No right to use" in said and str(tmp_path) in said and "give this user access" in said


def test_when_the_new_folder_cannot_be_moved_in_the_old_one_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    final = fill(tmp_path / "v1", OLD)
    rename = Path.rename

    def refuse_the_second(path: Path, target: Path) -> Path:
        if path.name.endswith(".part"):
            raise OSError(errno.EIO, "the NAS went away")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse_the_second)
    with pytest.raises(OSError, match="went away"):
        publish(final, NEW)
    assert content(final) == OLD
    assert hidden(tmp_path) == []


def test_every_file_and_folder_is_on_disk_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: set[int] = set()
    fsync, rename = os.fsync, Path.rename

    def note(handle: int) -> None:
        fsync(handle)
        flushed.add(os.fstat(handle).st_ino)

    def checked(path: Path, target: Path) -> Path:
        assert {place.stat().st_ino for place in [path, *path.rglob("*")]} <= flushed
        flushed.clear()
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", note)
    monkeypatch.setattr(Path, "rename", checked)
    publish(tmp_path / "v1", NEW)
    assert tmp_path.stat().st_ino in flushed, "the new name itself is flushed too"


def test_a_file_is_on_disk_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[int] = []
    named: list[Path] = []
    fsync, replace = os.fsync, Path.replace

    def note(handle: int) -> None:
        fsync(handle)
        flushed.append(os.fstat(handle).st_ino)

    def checked(path: Path, target: Path) -> Path:
        assert flushed == [path.stat().st_ino]
        named.append(target)
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", note)
    monkeypatch.setattr(Path, "replace", checked)
    bundle.write_file(tmp_path / "candidates.json", b"new")
    assert named == [tmp_path / "candidates.json"], "renamed, which is done whole or not at all"
    assert flushed[1:] == [tmp_path.stat().st_ino], "the new name itself is flushed too"


def test_a_folder_elsewhere_is_never_published_by_copying(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(ValueError, match="not in the same folder"):
        bundle.publish_folder(tmp_path / "a", tmp_path / "b" / "v1")


def test_a_new_attempt_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    final, other = tmp_path / "v1", bundle.temporary_beside(tmp_path / "v2")
    fill(bundle.temporary_beside(final), OLD)
    with bundle.new_folder(final) as temporary:
        fill(temporary, NEW)
    assert content(final) == NEW
    assert hidden(tmp_path) == [other.name]


def test_the_sweep_spares_other_names_and_what_may_still_be_written(tmp_path: Path) -> None:
    mine, other = bundle.temporary_beside(tmp_path / "v1"), bundle.temporary_beside(tmp_path / "v2")
    (tmp_path / ".hidden").write_bytes(b"a user's own")
    (tmp_path / "v3.part").write_bytes(b"a download")
    assert bundle.sweep_temporaries(tmp_path, "v1", older_than_s=3600) == []
    assert bundle.sweep_temporaries(tmp_path, "v1") == [mine.name]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([other.name, ".hidden", "v3.part"])
    assert bundle.sweep_temporaries(tmp_path / "nowhere") == []


def test_of_two_folders_moved_aside_the_newer_comes_back(tmp_path: Path) -> None:
    for age, token in ((100, "a" * 12), (50, "b" * 12)):
        folder = tmp_path / f".v1.{token}.old"
        fill(folder, {"age": str(age).encode()})
        os.utime(folder, (1_000_000 - age, 1_000_000 - age))
    bundle.sweep_temporaries(tmp_path)
    assert content(tmp_path) == {"v1/age": b"50"}


names = st.text(alphabet="abc ü'é漢", min_size=1, max_size=6)


@given(files=st.dictionaries(st.builds("{}/{}".format, names, names), st.binary(max_size=64), min_size=1, max_size=4))
def test_a_manifest_lists_every_byte_and_has_one_form(tmp_path_factory: Any, files: dict[str, bytes]) -> None:
    folder = fill(tmp_path_factory.mktemp("bundle"), files)
    manifest = manifest_of(folder)
    assert [entry.path for entry in manifest.files] == sorted(files)
    assert bundle.verify(folder, manifest) == []
    bundle.write_file(folder / layout.MANIFEST, bundle.manifest_bytes(manifest))
    again = bundle.read_manifest(folder)
    assert again == manifest and bundle.manifest_bytes(again) == bundle.manifest_bytes(manifest)
    assert manifest_of(folder) == manifest


def test_a_file_is_forgotten_before_it_is_hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was just written lies in memory; a copy is proven by what the disk gives back."""
    asked: list[tuple[int, int, int, int]] = []

    def forget(handle: int, start: int, length: int, advice: int) -> None:
        asked.append((os.lseek(handle, 0, os.SEEK_CUR), start, length, advice))

    monkeypatch.setattr(os, "posix_fadvise", forget)
    digest = bundle.hash_file(fill(tmp_path, {"a": b"a copy"}) / "a")
    assert digest == hashlib.sha256(b"a copy").hexdigest()
    assert asked == [(0, 0, 0, os.POSIX_FADV_DONTNEED)]  # before the first byte was read, the whole of it


def test_verifying_names_each_difference(tmp_path: Path) -> None:
    fill(tmp_path, {"same": b"1", "gone": b"2", "short": b"333", "turned": b"4"})
    manifest = manifest_of(tmp_path)
    (tmp_path / "gone").unlink()
    fill(tmp_path, {"short": b"3", "turned": b"5", "new/one": b"6"})
    assert bundle.verify(tmp_path, manifest) == [
        "gone is missing",
        "short has 1 bytes instead of 3",
        "turned has other content than the manifest says",
        "new/one is not in the manifest",
    ]
    assert bundle.verify(tmp_path / "nowhere", manifest) == [f"{tmp_path / 'nowhere'} is not there"]


def test_a_manifest_that_points_outside_reads_nothing_there(tmp_path: Path) -> None:
    fill(tmp_path, {"secret": b"1"})
    (tmp_path / "v1").mkdir()
    entry = ManifestEntry(path="../secret", size=1, sha256="0" * 64)
    manifest = Manifest(video_id="v1", source="clip.MP4", source_sha256="0" * 64, files=[entry])
    assert bundle.verify(tmp_path / "v1", manifest) == ["../secret is missing"]


def test_a_link_in_a_bundle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plates").symlink_to("/etc")
    with pytest.raises(StorageError, match="neither a file nor a folder"):
        bundle.tree(tmp_path)


@pytest.mark.parametrize("text", [None, b"", b"{}", b"\xff\xfe", b'{"version": 2}'])
def test_a_manifest_that_is_missing_or_damaged_is_a_plain_sentence(tmp_path: Path, text: bytes | None) -> None:
    if text is not None:
        (tmp_path / layout.MANIFEST).write_bytes(text)
    with pytest.raises(StorageError, match=r"manifest"):
        bundle.read_manifest(tmp_path)


def test_a_folder_that_was_swept_away_or_unmounted_is_not_made_anew_by_the_next_file(tmp_path: Path) -> None:
    """Else half a bundle gets its name, or lies where nothing is mounted: chaos in one process, seeds 5064 and 5121 of
    28 November."""
    (tmp_path / "source").write_bytes(b"1")
    for name in ("a", "plates/a"):
        with pytest.raises(FileNotFoundError):
            bundle.copy_file(tmp_path / "source", tmp_path / ".v1.0123456789ab.part", name)
    assert {one.name for one in tmp_path.iterdir()} == {"source"}


def test_nothing_is_written_below_a_mount_point_that_was_unmounted_while_the_folder_was_made(tmp_path: Path) -> None:
    """The folder can be made there like anywhere; chaos in one process, `indoor-unmounted`."""
    marker = tmp_path / "nas" / ".dashcam-store"
    marker.parent.mkdir()
    marker.touch()
    stores = Stores({"indoor_nas": marker.parent}, {"indoor_nas": marker.name})

    def unmounted_meanwhile() -> object:
        marker.unlink()
        return stores.path("indoor_nas:heavy_output/v1")

    final = stores.path("indoor_nas:heavy_output/v1")
    with pytest.raises(StoreMissing), bundle.new_folder(final, unmounted_meanwhile) as folder:
        (folder / "file").write_bytes(b"1")
    assert not [path for path in marker.parent.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (errno.ENOSPC, "is full: free some space there"),
        (errno.EDQUOT, "The quota on the disk that holds"),
        (errno.EROFS, "is read-only: mount it for writing"),
        (errno.EACCES, "No right to use"),
        (errno.EPERM, "No right to use"),
        (errno.ESTALE, "is stale, its server has lost it: mount it again"),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_what_a_disk_says_is_one_sentence_that_names_the_place(
    tmp_path: Path, code: int, says: str, named: bool
) -> None:
    file = tmp_path / "store/file"
    error = OSError(code, os.strerror(code), *([str(file)] if named else []))
    with pytest.raises(StorageError, match=says) as told, bundle.explained(tmp_path / "store"):
        raise error
    assert str(file if named else tmp_path / "store") in str(told.value)


def test_what_is_not_the_disks_fault_passes_unchanged(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), bundle.explained(tmp_path):
        raise FileNotFoundError(errno.ENOENT, "no such file", "clip.MP4")


def test_a_store_that_is_read_only_says_so(tmp_path: Path) -> None:
    """A real one: a file system with errors is set read-only, and so is a share without the right to write."""
    if why := unavailable():
        pytest.skip(why)
    with mounted({tmp_path / "store": 1}):
        subprocess.run(["mount", "-o", "remount,ro", tmp_path / "store"], check=True)
        with pytest.raises(StorageError, match=r"store.* is read-only"), bundle.new_folder(tmp_path / "store/v1"):
            pass
        with pytest.raises(StorageError, match=r"store.* is read-only"):
            bundle.write_file(tmp_path / "store/file", b"x")
