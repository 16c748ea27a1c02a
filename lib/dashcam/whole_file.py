"""Small files that power may go in the middle of: there with all that is in them, or as they were."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def write(file: Path, content: bytes, mode: int = 0o600) -> None:
    """In place of what is there. With its rights from its first moment."""
    with complete(file, content, mode) as scratch:
        scratch.replace(file)


def make(file: Path, content: bytes) -> None:
    """For its owner alone, unless there is one already: the first to be made stays."""
    with complete(file, content, 0o600) as scratch, suppress(FileExistsError):
        os.link(scratch, file)


@contextmanager
def complete(file: Path, content: bytes, mode: int) -> Iterator[Path]:
    """Beside it, on the disk."""
    file.parent.mkdir(parents=True, exist_ok=True)
    scratch = file.with_name(f".{file.name}.{secrets.token_hex(6)}.part")
    try:
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        yield scratch
    finally:
        scratch.unlink(missing_ok=True)
