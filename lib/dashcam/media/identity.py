"""What makes a clip the same clip, wherever it lies and whatever it is called."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

BLOCK = 64 * 1024
_BLOCKS = 8
_READ = 1024 * 1024


def video_id(path: Path) -> str:
    """16 hex characters that name the content: SHA-256 over the size and eight 64 KB blocks spread over the file.

    Files up to 512 KB are hashed whole. Not a proof of equality, `sha256` is that; it costs milliseconds on any file.
    Raises ``OSError`` when the file cannot be read.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        digest = hashlib.sha256(size.to_bytes(8, "big"))
        if size <= BLOCK * _BLOCKS:
            offsets, length = [0], size
        else:
            offsets, length = [(size - BLOCK) * index // (_BLOCKS - 1) for index in range(_BLOCKS)], BLOCK
        for offset in offsets:
            file.seek(offset)
            digest.update(file.read(length))
    return digest.hexdigest()[:16]


def sha256(path: Path, progress: Callable[[float], None] | None = None) -> str:
    """The SHA-256 of the whole file in hex, read in pieces; ``progress`` takes a fraction from 0 to 1."""
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        while piece := file.read(_READ):
            digest.update(piece)
            done += len(piece)
            if progress is not None:
                progress(min(1.0, done / max(size, 1)))
    return digest.hexdigest()
