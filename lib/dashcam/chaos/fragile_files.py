"""The file system of `chaos.fragile`, a process of its own: ``python -m dashcam.chaos.fragile_files FOLDER MOUNT``."""

# file handles as Linux has them; `dashcam chaos` refuses to run on Windows
# mypy: disable-error-code="attr-defined,misc,no-any-return"

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mfusepy  # type: ignore[import-untyped]

from dashcam.chaos.fragile import NUMBERS, bare_of

DATA = {"read", "write"}
CHANGES = {"write", "create", "mkdir", "rename", "link", "symlink", "truncate", "unlink", "rmdir"}
GROWS = {"write", "create", "mkdir", "link", "symlink"}
KEPT = ("st_mode", "st_nlink", "st_size", "st_uid", "st_gid", "st_dev", "st_ino", "st_blocks")
SIZES = ("f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_favail", "f_ffree", "f_files", "f_flag", "f_frsize",
         "f_namemax")  # fmt: skip


class Files(mfusepy.Operations):
    """Each operation of the folder's, if ``asked`` lets it."""

    use_ns = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now: dict[str, Any] = {"trouble": None}
        self.count, self.met = 0, ""
        self.well = threading.Event()
        self.well.set()
        self.one = threading.Lock()

    def become(self, word: dict[str, Any]) -> None:
        with self.one:
            if word:
                self.now, self.count = word, 0
            if word.get("trouble"):
                self.met = ""
        (self.well.clear if self.now["trouble"] == "hang" else self.well.set)()

    def asked(self, operation: str, path: str) -> Path:
        """Where it really is. Raises what the trouble says."""
        with self.one:
            trouble, now = self.now["trouble"], self.now
            if trouble is not None:
                self.count += now["at"] in (operation, "any")
            strikes = trouble is not None and self.count > now["after"] and concerns(trouble, operation, path)
            if strikes:
                self.met = self.met or f"{operation} {Path(path).name or 'the root'}"
        if strikes and trouble == "bare":
            return bare_of(self.folder) / path[1:]
        if strikes and trouble == "hang":
            self.well.wait()
        elif strikes:
            raise OSError(NUMBERS[trouble], f"made to fail: {operation}")
        return self.folder / path[1:]

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        at = self.asked("getattr", path)
        status = os.fstat(fh) if fh is not None else at.lstat()
        known = {name: getattr(status, name) for name in KEPT}
        return known | {f"st_{one}time": getattr(status, f"st_{one}time_ns") for one in "amc"}

    def readdir(self, path: str, fh: int) -> Iterator[str]:
        return iter([".", "..", *(one.name for one in self.asked("readdir", path).iterdir())])

    def open(self, path: str, flags: int) -> int:
        return os.open(self.asked("open", path), flags)

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        return os.open(self.asked("create", path), os.O_RDWR | os.O_CREAT | os.O_TRUNC, mode)

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        self.asked("read", path)
        return os.pread(fh, size, offset)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        self.asked("write", path)
        return os.pwrite(fh, data, offset)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        at = self.asked("truncate", path)
        os.truncate(fh if fh is not None else at, length)
        return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        self.asked("fsync", path)
        os.fsync(fh)
        return 0

    def fsyncdir(self, path: str, datasync: int, fh: int) -> int:
        self.asked("fsyncdir", path)
        return 0

    def release(self, path: str, fh: int) -> int:
        os.close(fh)
        return 0

    def mkdir(self, path: str, mode: int) -> int:
        self.asked("mkdir", path).mkdir(mode)
        return 0

    def rmdir(self, path: str) -> int:
        self.asked("rmdir", path).rmdir()
        return 0

    def unlink(self, path: str) -> int:
        self.asked("unlink", path).unlink()
        return 0

    def rename(self, old: str, new: str) -> int:
        self.asked("rename", old).replace(self.asked("rename", new))
        return 0

    def link(self, target: str, source: str) -> int:
        self.asked("link", target).hardlink_to(self.asked("link", source))
        return 0

    def symlink(self, target: str, source: str) -> int:
        self.asked("symlink", target).symlink_to(source)
        return 0

    def readlink(self, path: str) -> str:
        return str(self.asked("readlink", path).readlink())

    def chmod(self, path: str, mode: int) -> int:
        self.asked("chmod", path).chmod(mode)
        return 0

    def chown(self, path: str, uid: int, gid: int) -> int:
        os.lchown(self.asked("chown", path), uid, gid)
        return 0

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> int:
        at = self.asked("utimens", path)
        os.utime(at, ns=times or (time.time_ns(),) * 2, follow_symlinks=False)
        return 0

    def statfs(self, path: str) -> dict[str, int]:
        found = os.statvfs(self.asked("statfs", path))
        return {name: getattr(found, name) for name in SIZES}


def concerns(trouble: str, operation: str, path: str) -> bool:
    match trouble:
        case "eio":
            return operation in DATA or operation == "fsync"
        case "full":
            return operation in GROWS
        case "read-only":
            return operation in CHANGES
        case "stale":
            return path != "/" or operation != "getattr"
    return True


def listen(files: Files, mount: Path) -> None:
    """Standard input says what to be; with its end everything ends."""
    while not mount.is_mount():
        time.sleep(0.02)
    print(json.dumps("up"), flush=True)
    for line in sys.stdin:
        files.become(json.loads(line))
        print(json.dumps(files.met), flush=True)
    files.become({"trouble": None})
    subprocess.run(["fusermount3", "-u", "-z", mount], check=False, capture_output=True)
    os._exit(0)


def serve(folder: Path, mount: Path) -> None:
    files = Files(folder)
    bare_of(folder).mkdir(exist_ok=True)
    threading.Thread(target=listen, args=(files, mount), daemon=True).start()
    options = {"attr_timeout": 0, "entry_timeout": 0, "hard_remove": True, "default_permissions": True}
    mfusepy.FUSE(files, str(mount), foreground=True, fsname="dashcam-chaos", **options)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), Path(sys.argv[2]))
