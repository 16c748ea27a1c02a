"""Folders and files that are there whole or not at all, and the manifests that prove it.

A folder is built under a hidden name beside its final one, flushed to disk and renamed. Replacing one takes two
renames, so a crash leaves one of these, and ``sweep_temporaries`` puts each right:

===============================  =====================  ======================
crash                            on disk                after the sweep
===============================  =====================  ======================
while it is built or flushed     old, ``.part``         old
after the old was moved aside    ``.old``, ``.part``    old, put back
after the new was moved in       new, ``.old``          new
while the old was being removed  new, rest of ``.old``  new
===============================  =====================  ======================
"""

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import stat
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from dashcam import Explained
from dashcam.records import ClipRecord, Manifest, ManifestEntry
from dashcam.storage.layout import MANIFEST, RECORD

CHUNK = 1 << 20  # bytes read at a time

_TEMPORARY = re.compile(r"^\.(?P<name>.+)\.(?P<token>[0-9a-f]{12})\.(?P<kind>part|old)$", re.DOTALL)
_QUOTA = getattr(errno, "EDQUOT", errno.ENOSPC)
_STALE = getattr(errno, "ESTALE", errno.EIO)
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES}


class StorageError(Explained):
    """Reading or writing a store went wrong; the message is one plain sentence: what, which folder, what to do."""


class DiskFull(StorageError):
    """A disk has filled up while it was written to, ``where`` the write failed: it goes on when there is room."""

    def __init__(self, message: str, where: Path) -> None:
        super().__init__(message)
        self.where = where


@contextlib.contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turns what a disk says in ``folder`` into a ``StorageError``; other errors pass unchanged."""
    try:
        yield
    except OSError as error:
        if (sentence := disk_trouble(error, folder)) is None:
            raise
        if error.errno == errno.ENOSPC:
            raise DiskFull(sentence, Path(os.fsdecode(error.filename or folder))) from error
        raise StorageError(sentence) from error


def disk_trouble(error: OSError, folder: Path | str | None = None) -> str | None:
    """What is wrong with a disk, where, what to do; None for what is not the disk's fault. ``folder`` is where it was
    met, if the error names no file."""
    where = error.filename or folder or "this folder"
    match error.errno:
        case errno.ENOSPC:
            return f"The disk that holds {where} is full: free some space there and run it again."
        case code if code == _QUOTA:
            return f"The quota on the disk that holds {where} is used up: free some of it, or have it raised."
        case errno.EROFS:
            return f"The disk that holds {where} is read-only: mount it for writing; one with errors has to be checked."
        case errno.EACCES | errno.EPERM:
            return f"No right to use {where}: give this user access to it, or name another folder."
        case code if code == _STALE:
            return f"The mount of {where} is stale, its server has lost it: mount it again."
    return None


def temporary_beside(final: Path) -> Path:
    """Makes an empty hidden folder in the parent of ``final`` (made too if need be), so that renaming it is atomic."""
    with explained(final.parent):
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary = _beside(final, "part")
        temporary.mkdir()
    return temporary


@contextlib.contextmanager
def new_folder(final: Path, ensure: Callable[[], object] = lambda: None) -> Iterator[Path]:
    """A temporary folder to fill; published as ``final`` when the block ends well, removed when it does not.

    What an earlier attempt that was killed has left of it goes first. ``ensure`` raises when the store of ``final`` is
    not there: the temporary folder was then made below a bare mount point, and nothing is written into it.
    """
    sweep_temporaries(final.parent, final.name)
    temporary = temporary_beside(final)
    try:
        ensure()
        with explained(final.parent):
            yield temporary
        publish_folder(temporary, final)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def publish_folder(temporary: Path, final: Path) -> None:
    """Flushes ``temporary`` to disk and renames it to ``final``, replacing what is there.

    Safe against a crash at any point (see the module's table). On an error ``temporary`` is removed and the old
    ``final`` is in its place.
    """
    if temporary.parent != final.parent:
        raise ValueError(f"{temporary} and {final} are not in the same folder, so renaming would not be atomic")
    aside: Path | None = None
    try:
        with explained(final.parent):
            sync_tree(temporary)
            if os.path.lexists(final):
                aside = _beside(final, "old")
                final.rename(aside)
            temporary.rename(final)
            sync_folder(final.parent)
    except Exception:
        if aside and aside.exists() and not os.path.lexists(final):
            aside.rename(final)
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    if aside:
        _remove(aside)


def sweep_temporaries(parent: Path, name: str | None = None, older_than_s: float = 0) -> list[str]:
    """Cleans up after crashes in ``parent``; with ``name`` only what belongs to that file or folder.

    A folder that was moved aside and has no successor is put back. ``older_than_s`` spares what another process may
    still be writing. Returns the names it removed or put back.
    """
    found = temporaries(parent, name, older_than_s)
    for entry in found:
        sweep_one(entry)
    return [entry.name for entry in found]


def sweep_one(temporary: Path) -> None:
    """Removes one of `temporaries`, or puts it back."""
    if successor := put_back_as(temporary):
        temporary.rename(successor)
    else:
        _remove(temporary)
    sync_folder(temporary.parent)


def temporaries(parent: Path, name: str | None = None, older_than_s: float = 0) -> list[Path]:
    """What `sweep_temporaries` would remove or put back, the newest first."""
    if not parent.is_dir():
        return []
    found = [(entry, match) for entry in sorted(parent.iterdir()) if (match := _TEMPORARY.match(entry.name))]
    return [
        entry
        for entry, match in sorted(found, key=lambda pair: _changed(pair[0]), reverse=True)
        if name in (None, match["name"]) and time.time() - _changed(entry) >= older_than_s
    ]


def put_back_as(temporary: Path) -> Path | None:
    """The name that a folder gets back which was moved aside and has no successor; None for everything else."""
    match = _TEMPORARY.match(temporary.name)
    final = temporary.parent / match["name"] if match else None
    return final if match and final and match["kind"] == "old" and not os.path.lexists(final) else None


def let_go(folder: Path) -> None:
    """Removes a folder; cut off, it leaves what `sweep_temporaries` removes, never half of it under its name."""
    aside = _beside(folder, "part")
    with explained(folder.parent):
        folder.rename(aside)
        sync_folder(folder.parent)
        shutil.rmtree(aside)
    sync_folder(folder.parent)


def write_file(path: Path, data: bytes) -> None:
    """Writes a file that is there whole or not at all, flushed to disk; an old one is replaced."""
    with explained(path.parent):
        temporary = _beside(path, "part")
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def sync_tree(folder: Path) -> None:
    """Flushes every file and folder of a tree to disk, leaves first."""
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            with (Path(parent) / name).open("rb+" if os.name == "nt" else "rb") as file:
                os.fsync(file.fileno())
        sync_folder(Path(parent))


def sync_folder(folder: Path) -> None:
    """Flushes a folder's entries to disk, where the system can (Windows and some network mounts cannot)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(handle)


def hash_file(path: Path, on_bytes: Callable[[int], None] = lambda count: None) -> str:
    """SHA-256 of a file as hex, read from the disk rather than from memory where the system lets us."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        if sys.platform == "linux":
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while block := file.read(CHUNK):
            digest.update(block)
            on_bytes(len(block))
    return digest.hexdigest()


def copy_file(
    source: Path, folder: Path, name: str, on_bytes: Callable[[int], None] = lambda count: None
) -> ManifestEntry:
    """Copies a file to ``name`` in a folder, flushed to disk; by the entry, what was read, the copy can be proven.

    The folder itself is never made: where it is gone its store was unmounted, or another run has swept it away.
    """
    target = folder / name
    for below in reversed(target.relative_to(folder).parents[:-1]):
        (folder / below).mkdir(exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as read, target.open("xb") as write:
        while block := read.read(CHUNK):
            write.write(block)
            digest.update(block)
            size += len(block)
            on_bytes(len(block))
        write.flush()
        os.fsync(write.fileno())
    return ManifestEntry(path=name, size=size, sha256=digest.hexdigest())


def counted(total: int, progress: Callable[[float], None]) -> Callable[[int], None]:
    """Something to call with each number of bytes handled; it tells ``progress`` the fraction of ``total``."""
    done = 0

    def on_bytes(count: int) -> None:
        nonlocal done
        done += count
        progress(min(1.0, done / total) if total else 1.0)

    return on_bytes


def tree(folder: Path) -> dict[str, Path]:
    """Every file below ``folder`` by its relative posix path, sorted; ``StorageError`` for a link or a special file."""
    files = {}
    for parent, folders, names in os.walk(folder, onerror=_raise):
        for name in [*folders, *names]:
            path = Path(parent) / name
            mode = path.lstat().st_mode
            if stat.S_ISREG(mode):
                files[path.relative_to(folder).as_posix()] = path
            elif not stat.S_ISDIR(mode):
                raise StorageError(f"{path} is neither a file nor a folder; take it out of {folder}.")
    return dict(sorted(files.items()))


def manifest_bytes(manifest: Manifest) -> bytes:
    """The one byte form of a manifest: same content, same bytes."""
    return (json.dumps(manifest.model_dump(mode="json"), indent=1, sort_keys=True) + "\n").encode()


def read_manifest(folder: Path) -> Manifest:
    """``manifest.json`` of a folder; ``StorageError`` when there is none or it cannot be understood."""
    path = folder / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise StorageError(f"{folder} has no {MANIFEST}.") from None
    except ValueError as error:
        raise StorageError(f"{path} is not a manifest this version can read.") from error


def record_bytes(record: ClipRecord) -> bytes:
    """The one byte form of a clip's record: same content, same bytes."""
    text = json.dumps(record.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return (text + "\n").encode()


def read_record(folder: Path, manifest: Manifest) -> ClipRecord:
    """``record.json`` of an archive, proven by its manifest; ``StorageError`` where it has none, or another one."""
    said = next((entry for entry in manifest.files if entry.path == RECORD), None)
    if said is None:
        raise StorageError(f"{folder} is from before archives kept a {RECORD}.")
    path = folder / RECORD
    try:
        data = path.read_bytes()
        record = ClipRecord.model_validate_json(data)
    except FileNotFoundError:
        raise StorageError(f"{folder} has lost its {RECORD}.") from None
    except ValueError as error:
        raise StorageError(f"{path} is not a record this version can read.") from error
    if hashlib.sha256(data).hexdigest() != said.sha256 or record.video_id != manifest.video_id:
        raise StorageError(f"{path} is not the record that was written, by its {MANIFEST}.")
    return record


def verify(folder: Path, manifest: Manifest, on_bytes: Callable[[int], None] = lambda count: None) -> list[str]:
    """What differs between a folder and its manifest, in plain words; empty when every byte is as it should be."""
    if not folder.is_dir():
        return [f"{folder} is not there"]
    files = tree(folder)
    files.pop(MANIFEST, None)
    differences = []
    for entry in manifest.files:
        # only names that the walk itself found are opened: an entry like ../../x can never be
        path = files.pop(entry.path, None)
        if path is None:
            differences.append(f"{entry.path} is missing")
        elif (size := path.stat().st_size) != entry.size:
            differences.append(f"{entry.path} has {size} bytes instead of {entry.size}")
        elif hash_file(path, on_bytes) != entry.sha256:
            differences.append(f"{entry.path} has other content than the manifest says")
    return differences + [f"{name} is not in the manifest" for name in files]


def _beside(final: Path, kind: str) -> Path:
    return final.with_name(f".{final.name}.{uuid.uuid4().hex[:12]}.{kind}")


def _changed(path: Path) -> float:
    return path.lstat().st_mtime


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _raise(error: OSError) -> None:
    raise error
