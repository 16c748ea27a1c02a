"""A store that can fail as a NAS does: a file system that passes everything on to a folder, until it is told not to.

It runs in a process of its own (`chaos.fragile_files`), and is told what to be by lines on its standard input. Needs
Linux, root, ``fusermount3`` and the extra ``chaos`` (mfusepy).
"""

import contextlib
import errno
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal, cast

from dashcam.chaos import disks

Ailment = Literal["eio", "full", "read-only", "stale", "hang", "bare"]
"""``bare``: an unmounted mount point, an empty folder that takes what is written; what was open stays open."""
Onset = Literal["read", "write", "any"]
NUMBERS: dict[Ailment, int] = {
    "eio": errno.EIO, "full": errno.ENOSPC, "read-only": errno.EROFS, "stale": errno.ESTALE
}  # fmt: skip


def unavailable() -> str:
    """Why no store can be made to fail here; empty where one can."""
    if why := disks.unavailable():
        return why
    if importlib.util.find_spec("mfusepy") is None:
        return "failing stores need mfusepy: install the extra chaos"
    if shutil.which("fusermount3") is None or not Path("/dev/fuse").exists():
        return "failing stores need fuse3 and /dev/fuse"
    return ""


class Fragile:
    """The file system at ``mount``, over ``folder``; used as a context manager. Raises ``OSError`` where it does not
    come up."""

    def __init__(self, folder: Path, mount: Path) -> None:
        self.folder, self.mount = folder, mount

    def __enter__(self) -> "Fragile":
        for one in (self.folder, self.mount):
            one.mkdir(parents=True, exist_ok=True)
        argv = [sys.executable, "-m", "dashcam.chaos.fragile_files", str(self.folder), str(self.mount)]
        pipe = subprocess.PIPE
        with self.folder.with_name(f"{self.folder.name}.log").open("ab") as log:
            self.process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=log, start_new_session=True)
        if self._answer() is None or not os.path.ismount(self.mount):
            self.__exit__()
            raise OSError(f"no file system came up at {self.mount}")
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self.heal()
        # lazily: what still has a file open there keeps it until it ends
        subprocess.run(["fusermount3", "-u", "-z", self.mount], check=False, capture_output=True)
        with contextlib.suppress(OSError):
            cast(Any, self.process.stdin).close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def be(self, trouble: Ailment, at: Onset = "any", after: int = 0) -> None:
        """From the ``after``-th operation of that kind on, until it is healed."""
        self._tell({"trouble": trouble, "at": at, "after": after})

    def heal(self) -> str:
        """The first operation that the trouble has met, in words; empty where it has met none."""
        return self._tell({"trouble": None})

    @property
    def met(self) -> str:
        return self._tell({})

    @property
    def strays(self) -> list[Path]:
        """What was written where nothing was mounted."""
        return [one for one in bare_of(self.folder).rglob("*") if one.is_file()]

    def _tell(self, word: dict[str, Any]) -> str:
        stdin = cast(Any, self.process.stdin)
        stdin.write((json.dumps(word) + "\n").encode())
        stdin.flush()
        if (answer := self._answer()) is None:
            raise OSError(f"the file system at {self.mount} has ended")
        return answer

    def _answer(self) -> str | None:
        line = cast(Any, self.process.stdout).readline()
        return json.loads(line) if line else None


def bare_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.bare")
