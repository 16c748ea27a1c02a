"""A clip's facts are right, and what is no clip is refused in one plain sentence."""

import errno
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dashcam.media.probe import UnreadableClip, probe
from tests.media.clips import FPS, faststart, mp4
from tests.media.failing import failing_disk


def written(tmp_path: Path, data: bytes, name: str = "2026_0628_133416_000001F.MP4") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    os.utime(path, (0, 0))  # a file of long ago does not grow
    return path


def test_facts_of_a_clip(tmp_path: Path) -> None:
    found = probe(written(tmp_path, mp4()))
    assert (found.codec, found.width, found.height, found.frames) == ("h264", 128, 96, 3 * FPS)
    assert found.fps == pytest.approx(FPS)
    assert found.duration_s == pytest.approx(3)
    assert found.created == datetime(2026, 6, 28, 13, 34, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"shopping list\n" * 20, "is not a video file"),
        (mp4()[:-2000], "no index"),
        (faststart(mp4())[:1500], "is cut off: none of its 30 frames"),
    ],
)
def test_refusal_says_what_which_file_and_what_to_do(tmp_path: Path, data: bytes, says: str) -> None:
    path = written(tmp_path, data)
    with pytest.raises(UnreadableClip) as refused:
        probe(path)
    sentence = str(refused.value)
    assert says in sentence
    assert path.name in sentence
    assert "copy it from the card again" in sentence
    assert "\n" not in sentence
    assert path.read_bytes() == data


def test_facts_of_a_cut_clip_are_of_what_is_there(tmp_path: Path) -> None:
    data = faststart(mp4())
    found = probe(written(tmp_path, data[: len(data) * 2 // 3]))
    assert found.frames < 3 * FPS
    assert found.duration_s == pytest.approx(found.frames / FPS)
    assert found.damage.startswith("first ")


@pytest.mark.parametrize("number", [errno.EIO, errno.EHOSTDOWN])
def test_a_disk_that_fails_under_ffmpeg_is_not_a_bad_clip(tmp_path: Path, number: int) -> None:
    path = written(tmp_path, mp4())
    with pytest.raises(OSError, match=r".") as failed, failing_disk(path, 0, number, only_ffmpeg=True):
        probe(path)
    assert failed.value.errno == number


@pytest.mark.parametrize("name", ["a.ts", "b.avi", "c.mp4"])
def test_junk_under_any_extension_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableClip, match=name):
        probe(written(tmp_path, b"junk " * 1000, name))


def test_a_missing_file_is_not_a_bad_clip(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        probe(tmp_path / "gone.mp4")


def test_transport_stream_with_an_unlisted_gps_stream(shared: Path) -> None:
    found = probe(shared / "data/gps/novatek-a119v3-real.TS")
    assert (found.codec, found.frames) == ("hevc", 300)
    assert found.duration_s == pytest.approx(10, abs=0.05)


def test_real_hevc_clip(shared: Path) -> None:
    found = probe(shared / "data/clips/london-street-hevc.mp4")
    assert (found.codec, found.width, found.height, found.frames) == ("hevc", 1376, 1840, 146)
