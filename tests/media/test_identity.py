"""A clip is the same clip wherever it lies."""

import hashlib
import time
from pathlib import Path

import pytest

from dashcam.media import identity


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_same_content_is_the_same_video_under_another_name(tmp_path: Path) -> None:
    data = bytes(range(256)) * 8000
    first, second = written(tmp_path / "a.mp4", data), written(tmp_path / "b.mp4", data)
    assert identity.video_id(first) == identity.video_id(second)
    assert len(identity.video_id(first)) == 16
    int(identity.video_id(first), 16)


@pytest.mark.parametrize("size", [0, 1, 65_536, 524_288, 524_289, 3_000_000])
@pytest.mark.parametrize("where", ["start", "end", "longer"])
def test_other_content_is_another_video(tmp_path: Path, size: int, where: str) -> None:
    data = bytearray(size)
    before = identity.video_id(written(tmp_path / "a", bytes(data)))
    if where == "longer" or size == 0:
        data += b"\0"
    else:
        data[0 if where == "start" else -1] = 1
    assert identity.video_id(written(tmp_path / "a", bytes(data))) != before


def test_every_byte_of_a_small_file_counts(tmp_path: Path) -> None:
    data = bytearray(identity.BLOCK * 8)
    before = identity.video_id(written(tmp_path / "a", bytes(data)))
    data[100_001] = 1
    assert identity.video_id(written(tmp_path / "a", bytes(data))) != before


def test_a_large_file_costs_milliseconds(tmp_path: Path) -> None:
    path = tmp_path / "large.mp4"
    with path.open("wb") as file:
        file.truncate(350_000_000)
    began = time.process_time()
    identity.video_id(path)
    assert time.process_time() - began < 0.1


def test_sha256_is_the_files_own_and_reports_progress(tmp_path: Path) -> None:
    data, parts = b"dashcam" * 400_000, list[float]()
    assert identity.sha256(written(tmp_path / "a", data), parts.append) == hashlib.sha256(data).hexdigest()
    assert parts == sorted(parts)
    assert parts[-1] == 1.0
