"""What is wrong with a file is said in plain words, each damage by its own, in milliseconds, and nothing is decoded."""

import io
import os
import struct
import time
from itertools import pairwise
from pathlib import Path

import av
import pytest

from dashcam.media import boxes, validity
from dashcam.media.decode import FrameReader
from dashcam.media.probe import probe
from tests.gps.made import drive, transport
from tests.media.clips import FPS, faststart, mp4, with_hole
from tests.media.made import regular, write_clip

SECONDS = 6
LAST_YEAR = time.time() - 365 * 86400


def written(tmp_path: Path, data: bytes, name: str = "2026_0628_133416_000001F.MP4") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    os.utime(path, (LAST_YEAR, LAST_YEAR))
    return path


def shifted_clock(tmp_path: Path) -> Path:
    """An MP4 whose frame times jump by 20,000 s after 2 of 4 s."""
    pts = [at + (20_000 * 90_000 if at >= 2 * 90_000 else 0) for at in regular(4)]
    path = write_clip(tmp_path / "jump.mp4", pts)
    os.utime(path, (LAST_YEAR, LAST_YEAR))
    return path


def open_ended(data: bytes) -> bytes:
    """As a camera writes while it records: no index yet, the size of mdat not filled in."""
    top = {found.kind: found for found in boxes.walk(io.BytesIO(data), 0, len(data))}
    start = top[b"mdat"].start
    return data[:start] + struct.pack(">I", 0) + data[start + 4 : top[b"moov"].start]


@pytest.mark.parametrize(
    ("data", "kind", "says"),
    [
        (b"", "empty", "is empty (0 bytes)"),
        (bytes(300_000), "zeros", "300,000 zero bytes and nothing else"),
        (b"shopping list\n" * 500, "not_video", "is not a video file as far as can be seen"),
        (os.urandom(50_000), "not_video", "is not a video file"),
        (b"\xff\xd8\xff\xe0" + os.urandom(5000), "not_video", "is a picture, no video"),
        (b"PK\3\4" + bytes(100), "not_video", "is an archive, no video"),
        (mp4()[:-2000], "no_moov", "has no index (moov), the camera lost power"),
        (open_ended(mp4()), "no_moov", "has no index (moov)"),
        (with_hole(mp4(), 0, 30), "hole", "holds no picture, its frames are all zeros"),
        (faststart(mp4())[:1500], "cut", "none of its 30 frames is in the file"),
    ],
    ids=[
        "empty",
        "zeros",
        "text",
        "junk",
        "jpeg",
        "zip",
        "cut before its index",
        "power cut",
        "all a hole",
        "only the index",
    ],
)
def test_what_shows_no_picture_to_anybody(tmp_path: Path, data: bytes, kind: str, says: str) -> None:
    fatal = validity.look(written(tmp_path, data)).fatal
    assert fatal is not None
    assert fatal.kind == kind
    assert says in fatal.words


def test_a_whole_clip_has_no_problem(tmp_path: Path) -> None:
    found = validity.look(written(tmp_path, mp4()))
    assert found == validity.Validity("mp4", (), 30, pytest.approx(3), pytest.approx(3))
    assert validity.look(written(tmp_path, transport(drive()), "a.TS")).problems == ()


def test_a_cut_clip_says_how_much_is_there(tmp_path: Path) -> None:
    data = faststart(mp4(SECONDS))
    found = validity.look(written(tmp_path, data[: len(data) * 2 // 3]))
    assert found.fatal is None
    assert [problem.kind for problem in found.problems] == ["cut"]
    assert found.damage.startswith(f"first {found.readable_s:.1f}".removesuffix(".0") + " of 6 s: the file is cut off")
    assert found.readable_s == pytest.approx(4, abs=0.3)
    facts = probe(tmp_path / "2026_0628_133416_000001F.MP4")
    assert (facts.damage, facts.frames) == (found.damage, found.frames)
    with FrameReader(tmp_path / "2026_0628_133416_000001F.MP4") as reader:
        assert abs(len(list(reader)) - found.frames) <= 1


@pytest.mark.parametrize(("name", "options"), [("a.avi", {}), ("a.mp4", {"movflags": "frag_keyframe+empty_moov"})])
def test_a_cut_without_an_index_to_compare_is_told_by_the_sizes(
    tmp_path: Path, name: str, options: dict[str, str]
) -> None:
    buffer = io.BytesIO()
    with (
        av.open(io.BytesIO(mp4(SECONDS))) as source,
        av.open(buffer, "w", format=name[2:], options=options) as out,
    ):
        stream = out.add_stream("mpeg4", rate=FPS, width=128, height=96, pix_fmt="yuv420p")
        stream.codec_context.gop_size = 5
        for frame in source.decode(video=0):
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    data = buffer.getvalue()
    assert validity.look(written(tmp_path, data, name)).problems == ()
    path = written(tmp_path, data[: len(data) * 2 // 3], name)
    assert [problem.kind for problem in validity.look(path).problems] == ["cut"]
    facts = probe(path)
    assert 30 <= facts.frames < SECONDS * FPS
    assert facts.duration_s == pytest.approx(facts.frames / FPS, abs=0.11)
    assert f"{path.stat().st_size:,}" in facts.damage


def test_a_hole_says_where_it_is(tmp_path: Path) -> None:
    found = validity.look(written(tmp_path, with_hole(mp4(SECONDS), 20, 35)))
    assert [problem.kind for problem in found.problems] == ["hole"]
    assert found.damage == "2 to 3.5 s of 6 s are blank (zeros in the file, a bad spot on the card)"
    facts = probe(tmp_path / "2026_0628_133416_000001F.MP4")
    assert facts.duration_s == pytest.approx(6)
    with FrameReader(tmp_path / "2026_0628_133416_000001F.MP4") as reader:
        assert len(list(reader)) >= SECONDS * FPS - 25
        assert reader.corrupt


def test_a_wrapped_clock_goes_on(tmp_path: Path) -> None:
    """The frames are read in order: six seconds, not the 95,443 of a naive difference."""
    for path, seconds in (
        (written(tmp_path, transport(drive(), first_pts_s=2**33 / 90_000 - 2), "a.TS"), 6),
        (shifted_clock(tmp_path), 4),
    ):
        found = validity.look(path)
        assert [problem.kind for problem in found.problems] == ["wrap"]
        assert "PTS wrap" in found.damage
        assert probe(path).duration_s == pytest.approx(seconds, abs=0.15)
        with FrameReader(path) as reader:
            times = [frame.t_s for frame in reader]
        assert len(times) == seconds * FPS
        steps = [b - a for a, b in pairwise(times)]
        assert max(steps) < 0.15
        assert min(steps) > 0.02


def test_a_transport_stream_counts_its_damaged_packets(tmp_path: Path) -> None:
    data = bytearray(transport(drive()))
    data[188 * 500 : 188 * 520] = bytes(188 * 20)
    found = validity.look(written(tmp_path, bytes(data), "a.TS"))
    assert [problem.kind for problem in found.problems] == ["lost"]
    assert found.damage.startswith("20 of ")
    assert probe(tmp_path / "a.TS").frames >= SECONDS * FPS - 2


@pytest.mark.parametrize(
    ("data", "name", "says"),
    [
        (transport(drive()), "a.MP4", "is an MPEG transport stream file although its name ends in .MP4"),
        (mp4(), "a.TS", "is an MP4 file although its name ends in .TS"),
    ],
)
def test_a_wrong_extension_is_said_and_does_no_harm(tmp_path: Path, data: bytes, name: str, says: str) -> None:
    path = written(tmp_path, data, name)
    found = validity.look(path)
    assert [problem.kind for problem in found.problems] == ["wrong_name"]
    assert says in found.damage
    facts = probe(path)
    assert facts.codec == "h264"
    assert facts.duration_s in (pytest.approx(3), pytest.approx(6, abs=0.1))


def test_a_file_that_grows_is_told_from_one_that_broke_off(tmp_path: Path) -> None:
    path = tmp_path / "a.MP4"
    path.write_bytes(open_ended(mp4()))

    def camera_goes_on(seconds: float) -> None:
        with path.open("ab") as file:
            file.write(bytes(5000))

    growing = validity.look(path, camera_goes_on).fatal
    assert growing is not None
    assert growing.kind == "growing"
    assert "still being written" in growing.words
    broken_off = validity.look(path, lambda seconds: None).fatal
    assert broken_off is not None
    assert broken_off.kind == "no_moov"


def test_a_damaged_index_is_tried_all_the_same(tmp_path: Path) -> None:
    data = mp4()
    place = data.index(b"stsc") + 8
    broken = data[:place] + struct.pack(">II", 1, 5) + data[place + 8 :]
    found = validity.look(written(tmp_path, broken))
    assert [problem.kind for problem in found.problems] == ["broken"]


def test_a_large_clip_is_looked_at_in_milliseconds(tmp_path: Path) -> None:
    """3 GB with 60 s of frames, sparse: only the index and the heads of the frames are read."""
    from tests.gps.made import write_clip as novatek

    path = novatek(tmp_path / "big.MP4", drive(60), hole=3 << 30)
    began = time.process_time()
    assert validity.look(path).problems == ()
    assert time.process_time() - began < 0.5
