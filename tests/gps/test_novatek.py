"""Positions of Novatek MP4s come back where and when they were, however they lie in the file; ExifTool agrees."""

import json
import shutil
import struct
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dashcam.gps.novatek import parse_block, read
from dashcam.gps.reading import Reading
from dashcam.sample.mux import GpsRecord, Layout, add_gps, block
from tests.gps.made import SECONDS, START, drive, variable_block, write_clip
from tests.media.clips import FPS, mp4

WAYS: list[dict[str, Any]] = [
    {"layout": "A"},
    {"layout": "B"},
    {"layout": "variable"},
    {"layout": "A", "blocks": "tail"},
    {"layout": "B", "blocks": "tail"},
    {"layout": "B", "blocks": "middle"},
    {"layout": "A", "table": "after udta"},
    {"layout": "B", "table": "after udta"},
    {"layout": "variable", "blocks": "tail", "table": "after udta"},
    {"layout": "B", "table": "none"},
    {"layout": "A", "blocks": "tail", "table": "none"},
    {"layout": "B", "hole": (1 << 32) + 4321},
    {"layout": "A", "hole": (1 << 32) + 4321, "table": "none"},
]


def clip(tmp_path: Path, **ways: Any) -> Path:
    return write_clip(tmp_path / "2026_0628_133416_000001F.MP4", drive(), **ways)


def assert_true(found: Sequence[Reading], count: int = SECONDS - 1) -> None:
    """Within a metre (float32 of DDMM.MMMM) and 10 ms of what was driven."""
    assert len(found) == count
    for one, truth in zip(found, drive()[1:], strict=False):
        assert one.utc == truth.utc
        assert one.t_s == pytest.approx((truth.utc - START).total_seconds(), abs=0.01)
        assert abs(one.lat - truth.lat) * 111_195 < 0.6
        assert abs(one.lon - truth.lon) * 67_900 < 0.6
        assert one.speed_mps == pytest.approx(truth.speed_mps, abs=1e-4)
        assert one.heading_deg == pytest.approx(truth.heading_deg, abs=1e-4)


def test_real_a119s_record() -> None:
    """Layout A, bytes quoted in ExifTool's source."""
    data = bytearray(0x60)
    data[:16] = bytes.fromhex("000080006672656547505320 4c000000")
    data[0x30:] = bytes.fromhex(
        "10000000 2d000000 14000000 11000000 0c000000 1f000000 414e4500 5d9aa945 ab1ee544 ec51f040 b85ea543 00000000"
    )
    reading = parse_block(bytes(data))
    assert reading is not None
    assert reading.utc == datetime(2017, 12, 31, 16, 45, 20, tzinfo=UTC)
    assert reading.lat == pytest.approx(54 + 27.2955 / 60, abs=1e-5)
    assert reading.lon == pytest.approx(18 + 32.9584 / 60, abs=1e-5)
    assert reading.speed_mps == pytest.approx(7.51 * 0.514444, abs=1e-3)
    assert reading.heading_deg == pytest.approx(330.74, abs=1e-2)


def test_real_a119v3_record() -> None:
    """Layout B, west of Greenwich."""
    data = bytearray(0x60)
    data[:16] = bytes.fromhex("000040006672656547505320 f0030000")
    data[0x10:0x3C] = bytes.fromhex(
        "05000000 2f000000 03000000 13000000 09000000 1b000000 414e5700 25d19945 f1474046 6666d241 85eb8341"
    )
    reading = parse_block(bytes(data))
    assert reading is not None
    assert reading.utc == datetime(2019, 9, 27, 5, 47, 3, tzinfo=UTC)
    assert reading.lat == pytest.approx(49 + 22.1432 / 60, abs=1e-4)
    assert reading.lon == pytest.approx(-(123 + 5.9854 / 60), abs=1e-4)
    assert reading.speed_mps == pytest.approx(26.3 * 0.514444, abs=1e-3)


@pytest.mark.parametrize("ways", WAYS, ids=lambda ways: " ".join(str(value) for value in ways.values()))
def test_fixes_come_back_where_and_when_they_were(tmp_path: Path, ways: dict[str, Any]) -> None:
    path = clip(tmp_path, **ways)
    assert path.stat().st_size > ways.get("hole", 0)
    assert_true(read(path))


def test_a_table_that_ends_where_its_offsets_do_is_not_the_whole_of_a_file_above_4_gb(tmp_path: Path) -> None:
    """Its offsets have 32 bits: some cameras leave out what lies behind, and all that is listed is right."""
    path = clip(tmp_path, hole=(1 << 32) + 4321, table_ends=1 << 32)
    assert_true(read(path))


def test_the_sample_drive_has_its_blocks_between_the_frames(tmp_path: Path) -> None:
    path = tmp_path / "a.MP4"
    path.write_bytes(add_gps(mp4(SECONDS), drive(), FPS))
    assert_true(read(path))


def test_a_table_that_points_nowhere_is_not_believed(tmp_path: Path) -> None:
    path = clip(tmp_path)
    data = bytearray(path.read_bytes())
    place = data.find(b"gps \0\0\1\1")
    data[place + 8 : place + 12] = b"\xff\xff\xff\xff"
    data[place + 12 : place + 12 + 8 * SECONDS] = b"\xff\xff\xff\xf0" * 2 * SECONDS
    path.write_bytes(bytes(data))
    assert_true(read(path))


def test_a_table_that_is_half_wrong_is_not_enough(tmp_path: Path) -> None:
    path = clip(tmp_path)
    data = bytearray(path.read_bytes())
    entries = data.find(b"gps \0\0\1\1") + 12
    for number in (2, 3):
        data[entries + 8 * number : entries + 8 * number + 4] = struct.pack(">I", 64)
    path.write_bytes(bytes(data))
    assert_true(read(path))


@pytest.mark.parametrize("layout", ["A", "B", "variable"])
def test_positions_survive_a_power_cut(tmp_path: Path, layout: Layout) -> None:
    """No moov, so no table and no packets: the blocks that were written are found, numbered second by second."""
    path = clip(tmp_path, layout=layout)
    data = path.read_bytes()
    path.write_bytes(data[: data.rfind(b"freeGPS ") - 4])
    assert_true(read(path), SECONDS - 2)


def test_a_damaged_block_keeps_the_time_of_those_behind_it(tmp_path: Path) -> None:
    path = clip(tmp_path, blocks="tail")
    data = bytearray(path.read_bytes())
    marks = [place for place in range(len(data)) if data[place : place + 8] == b"freeGPS "]
    data[marks[2] + 0x20 : marks[2] + 0x40] = bytes(0x20)
    path.write_bytes(bytes(data))
    assert [one.t_s for one in read(path)] == [1, 3, 4, 5]


def test_clip_without_gps_has_no_fixes(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(mp4())
    assert read(path) == []
    path.write_bytes(b"")
    assert read(path) == []


@pytest.mark.parametrize("layout", ["A", "B"])
def test_blocks_do_not_touch_the_pictures(tmp_path: Path, layout: Layout) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(add_gps(mp4(SECONDS), drive(), FPS, layout))
    plain = tmp_path / "plain.mp4"
    plain.write_bytes(mp4(SECONDS))
    pictures = []
    for one in (path, plain):
        with av.open(str(one)) as container:
            container.streams.video[0].codec_context.options = {"err_detect": "explode"}
            pictures.append([(frame.pts, bytes(frame.planes[0])) for frame in container.decode(video=0)])
    assert len(pictures[0]) == SECONDS * FPS
    assert pictures[0] == pictures[1]


@pytest.mark.parametrize("layout", ["A", "B"])
@pytest.mark.parametrize("blocks", ["between", "tail"])
def test_exiftool_reads_the_same(tmp_path: Path, layout: Layout, blocks: str) -> None:
    if shutil.which("exiftool") is None:
        pytest.skip("no exiftool here: the independent reader of GPS records is missing (apt install exiftool)")
    path = clip(tmp_path, layout=layout, blocks=blocks)
    wanted = "$GPSDateTime,$GPSLatitude#,$GPSLongitude#,$GPSSpeed#,$GPSTrack#"
    done = subprocess.run(
        ["exiftool", "-q", "-q", "-ee", "-p", f'{{"v": "{wanted}"}}', str(path)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    theirs = [json.loads(line)["v"].split(",") for line in done.stdout.splitlines()]
    ours = read(path)
    assert len(theirs) == len(ours) == SECONDS - 1
    for one, (at, lat, lon, speed, track) in zip(ours, theirs, strict=True):
        assert f"{one.utc:%Y:%m:%d %H:%M:%SZ}" == at
        assert one.lat == pytest.approx(float(lat), abs=1e-7)
        assert one.lon == pytest.approx(float(lon), abs=1e-7)
        assert one.speed_mps is not None
        assert one.speed_mps * 3.6 == pytest.approx(float(speed), rel=1e-4)
        assert one.heading_deg == pytest.approx(float(track), abs=1e-3)


def test_the_last_record_that_makes_sense_counts_in_a_block_of_unknown_layout() -> None:
    truth = drive()[1]
    data = bytearray(variable_block(truth, place=0x120))
    data[0x80:0xAC] = data[0x120:0x14C]
    data[0x80 + 28 : 0x80 + 32] = struct.pack("<f", 1234.5)  # an older record elsewhere
    found = parse_block(bytes(data))
    assert found is not None
    assert found.lat == pytest.approx(truth.lat, abs=1e-5)


def test_encrypted_records_of_akaso_are_not_taken_for_the_equator() -> None:
    data = bytearray(block(drive()[1], "A"))
    data[0x4C:0x50] = bytes(4)
    assert parse_block(bytes(data)) is None


@pytest.mark.parametrize(
    ("offset", "value"),
    [
        (24, b"V"),  # void
        (25, b"X"),  # no hemisphere
        (16, struct.pack("<I", 13)),  # month
        (20, struct.pack("<I", 31)),  # 31 June
        (0, struct.pack("<I", 24)),  # hour
        (28, struct.pack("<f", 5260.5)),  # 60.5 minutes
        (28, struct.pack("<f", 9100.0)),  # 91 degrees
        (28, struct.pack("<f", float("nan"))),
        (32, struct.pack("<f", 18100.0)),
        (36, struct.pack("<f", 400.0)),  # knots
        (36, struct.pack("<f", -1.0)),
        (40, struct.pack("<f", 361.0)),
        (28, bytes(8)),  # 0, 0
    ],
)
@pytest.mark.parametrize("layout", ["A", "B"])
def test_impossible_records_are_refused(layout: Layout, offset: int, value: bytes) -> None:
    data = bytearray(block(drive()[1], layout))
    assert parse_block(bytes(data)) is not None
    base = {"A": 0x30, "B": 0x10}[layout]
    data[base + offset : base + offset + len(value)] = value
    assert parse_block(bytes(data)) is None


@given(st.binary(min_size=0, max_size=200))
def test_any_block_gives_a_possible_fix_or_none(data: bytes) -> None:
    for block_ in (data, b"\0\0\x40\0freeGPS " + data):
        reading = parse_block(block_)
        assert reading is None or (abs(reading.lat) <= 90 and abs(reading.lon) <= 180)


@example(1.9999999999999858, 0.0, 0.0, 0.0, "A")
@given(st.floats(-89, 89), st.floats(-179, 179), st.floats(0, 80), st.floats(0, 359.9), st.sampled_from("AB"))
def test_what_is_written_is_read(lat: float, lon: float, speed: float, heading: float, layout: Layout) -> None:
    reading = parse_block(block(GpsRecord(START, lat, lon, speed, heading), layout))
    if reading is None:  # only latitude 0 is taken for "no position"
        assert abs(lat) < 1e-5
        return
    assert reading.lat == pytest.approx(lat, abs=2e-5)
    assert reading.lon == pytest.approx(lon, abs=4e-5)
    assert reading.speed_mps == pytest.approx(speed, abs=1e-4)
