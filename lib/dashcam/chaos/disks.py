"""Small disks of their own for each part of a data folder, so that each can be full without the others."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

BALLAST = ".ballast"


def unavailable() -> str:
    """Why this machine gives us no disks; empty where it does."""
    if sys.platform != "linux":
        return "small disks need Linux"
    if os.geteuid() != 0:
        return "small disks are mounted by root only: run it with sudo"
    return "" if can_mount() else "this machine lets not even root mount disks, as most containers"


@cache
def can_mount() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        argv = ["mount", "-t", "tmpfs", "-o", "size=1m", "dashcam-chaos", folder]
        if subprocess.run(argv, check=False, capture_output=True).returncode != 0:
            return False
        subprocess.run(["umount", folder], check=True, capture_output=True)
        return True


@contextlib.contextmanager
def mounted(sizes_mb: Mapping[Path, int]) -> Iterator[None]:
    """A disk in memory at each of the folders (outer ones first), empty; gone on leaving."""
    done: list[Path] = []
    try:
        for folder, size in sizes_mb.items():
            folder.mkdir(parents=True, exist_ok=True)
            argv = ["mount", "-t", "tmpfs", "-o", f"size={size}m", "dashcam-chaos", str(folder)]
            subprocess.run(argv, check=True, capture_output=True)
            done.append(folder)
        yield
    finally:
        for folder in reversed(done):
            # lazily: what still has a file open there keeps it until it ends
            subprocess.run(["umount", "--lazy", str(folder)], check=False, capture_output=True)


@contextlib.contextmanager
def full(folder: Path) -> Iterator[None]:
    """No byte is free on the folder's disk."""
    ballast = folder / BALLAST
    try:
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(1 << 20))
        with ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(4096)):
                pass
        yield
    finally:
        ballast.unlink(missing_ok=True)
