"""A file is looked at for what it is: whole, cut, without index, or no video, however hostile its sizes."""

import io
import struct
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashcam.media import boxes
from tests.media.clips import FPS, faststart, mp4


def box(kind: bytes, body: bytes = b"", size: int | None = None) -> bytes:
    return struct.pack(">I4s", len(body) + 8 if size is None else size, kind) + body


def checked(tmp_path: Path, data: bytes) -> boxes.Check:
    path = tmp_path / "clip.mp4"
    path.write_bytes(data)
    return boxes.check(path)


def test_a_whole_clip_is_ok(tmp_path: Path) -> None:
    assert checked(tmp_path, mp4()) == boxes.Check("ok", 3 * FPS, 3 * FPS)
    assert checked(tmp_path, faststart(mp4())) == boxes.Check("ok", 3 * FPS, 3 * FPS)


def test_a_clip_cut_before_its_index_has_no_moov(tmp_path: Path) -> None:
    assert checked(tmp_path, mp4()[:-2000]).state == "no_moov"
    assert checked(tmp_path, mp4()[: len(mp4()) // 2]).state == "no_moov"


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_clip_cut_behind_its_index_counts_the_frames_it_still_has(tmp_path: Path, share: float) -> None:
    data = faststart(mp4())
    found = checked(tmp_path, data[: round(len(data) * share)])
    assert found.state == "cut"
    assert found.frames == 3 * FPS
    assert abs(found.inside - share * 3 * FPS) <= 2


@pytest.mark.parametrize(
    ("data", "state"),
    [
        (b"", "empty"),
        (b"not a video, only its name says so\n" * 50, "not_video"),
        (bytes(4096), "not_video"),
        (b"\xff\xd8\xff\xe0 a jpeg" + bytes(400), "not_video"),
        (box(b"ftyp", b"isom") + box(b"mdat", bytes(100), size=0), "no_moov"),
        (box(b"ftyp", b"isom") + struct.pack(">I4sQ", 1, b"mdat", 1 << 62) + bytes(50), "no_moov"),
        (box(b"ftyp", b"isom") + box(b"free", size=4) + bytes(100), "no_moov"),
        (box(b"ftyp", b"isom") + box(b"moov", size=5000) + bytes(100), "no_moov"),
        (box(b"ftyp", b"isom") + box(b"moov"), "not_video"),
    ],
)
def test_what_is_no_whole_video_is_told_apart(tmp_path: Path, data: bytes, state: str) -> None:
    assert checked(tmp_path, data).state == state


def test_zero_length_boxes_end_the_walk() -> None:
    data = box(b"ftyp", b"isom") + box(b"free", size=7) + bytes(1000)
    assert [found.kind for found in boxes.walk(io.BytesIO(data), 0, len(data))] == [b"ftyp"]


def test_an_endless_row_of_tiny_boxes_is_left_soon() -> None:
    data = box(b"free") * (boxes.MAX_BOXES + 5000)
    assert len(list(boxes.walk(io.BytesIO(data), 0, len(data)))) == boxes.MAX_BOXES


def stbl(count: int, per_chunk: int = 1, same: int = 0) -> bytes:
    """A sample table that promises ``count`` frames and brings one entry of each table."""
    stsz = box(b"stsz", struct.pack(">III", 0, same, count) + struct.pack(">I", 10))
    stsc = box(b"stsc", struct.pack(">5I", 0, 1, 1, per_chunk, 1))
    return stsz + stsc + box(b"stco", struct.pack(">3I", 0, 1, 40))


@pytest.mark.parametrize(
    "table", [stbl(0xFFFFFFFF), stbl(0xFFFFFFFF, same=1), stbl(5), stbl(1_000_000, same=7), b"", stbl(1)[:20]]
)
def test_counts_that_do_not_fit_are_refused_and_cost_nothing(table: bytes) -> None:
    with pytest.raises(boxes.MalformedBox):
        boxes.samples(table)


def test_a_huge_samples_per_chunk_means_no_more_than_the_frames_there_are() -> None:
    assert boxes.samples(stbl(1, per_chunk=0xFFFFFFFF)).offsets.tolist() == [40]


@given(st.binary(max_size=400))
def test_any_bytes_are_walked_to_an_end(data: bytes) -> None:
    found = list(boxes.walk(io.BytesIO(data), 0, len(data)))
    assert all(0 <= one.start < one.body <= one.end <= len(data) for one in found)
    assert [one.start for one in found] == sorted({one.start for one in found})


@given(st.data())
def test_a_clip_with_damaged_index_is_judged_in_time(data: st.DataObject) -> None:
    clip = bytearray(mp4(1))
    moov = clip.rfind(b"moov")
    for _ in range(data.draw(st.integers(1, 6))):
        clip[data.draw(st.integers(moov, len(clip) - 1))] = data.draw(st.integers(0, 255))
    began = time.process_time()
    file = io.BytesIO(bytes(clip))
    content = boxes.read_moov(file, len(clip))
    try:
        found = boxes.video_samples(content) if content else None
    except boxes.MalformedBox:
        found = None
    assert found is None or found.offsets.size == found.sizes.size
    assert time.process_time() - began < 2
