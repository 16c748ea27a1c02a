"""A disk that fails at one place of a clip, for Python's reads and for FFmpeg's."""

import errno
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import pytest

PAGE = 4096


class _BadPage(io.FileIO):
    """Reads as the file does, but for the page at ``place``, where ``number`` is what the system says."""

    def __init__(self, path: Path, place: int, number: int) -> None:
        super().__init__(path)
        self._place, self._number = place, number

    def readinto(self, buffer: Any) -> int | None:
        here, wanted = self.tell(), len(buffer)
        if here < self._place + PAGE and here + wanted > self._place:
            if here >= self._place:
                raise av.error.OSError(self._number, os.strerror(self._number))  # as PyAV raises it, and an OSError
            with memoryview(buffer)[: self._place - here] as before:
                return super().readinto(before)
        return super().readinto(buffer)


@contextmanager
def failing_disk(path: Path, place: int, number: int = errno.EIO, *, only_ffmpeg: bool = False) -> Iterator[None]:
    """While it lasts, whoever reads the page of ``path`` that begins at ``place`` gets that error."""
    opened_by_path, opened_by_av = Path.open, av.open

    def by_path(self: Path, mode: str = "r", *args: Any, **named: Any) -> Any:
        if self != path or mode != "rb":
            return opened_by_path(self, mode, *args, **named)
        return io.BufferedReader(_BadPage(path, place, number))

    def by_av(file: Any, *args: Any, **named: Any) -> Any:
        return opened_by_av(io.BufferedReader(_BadPage(path, place, number)) if file == str(path) else file, **named)

    with pytest.MonkeyPatch.context() as patch:
        if not only_ffmpeg:
            patch.setattr(Path, "open", by_path)
        patch.setattr(av, "open", by_av)
        yield
