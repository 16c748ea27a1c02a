"""Positions of Viofo-like clips: both layouts, with and without table, and ExifTool says the same."""

import json
import shutil
import struct
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dashcam.gps.novatek import parse_block, read_fixes
from dashcam.sample.mux import GpsRecord, Layout, add_gps, block
from tests.media.clips import FPS, mp4

START = datetime(2026, 6, 28, 11, 34, 16, tzinfo=UTC)
SECONDS = 6


def records() -> list[GpsRecord]:
    """Six seconds of a drive; the first record is void, as before the receiver has found its satellites."""
    return [
        GpsRecord(
            START + timedelta(seconds=i), 52.3702 + i * 1e-4, 4.8952 + i * 2e-4, 7.5 + i, (355 + 3 * i) % 360, i > 0
        )
        for i in range(SECONDS)
    ]


def clip(tmp_path: Path, layout: Layout = "B", after_udta: bool = False) -> Path:
    path = tmp_path / "2026_0628_133416_000001F.MP4"
    path.write_bytes(add_gps(mp4(SECONDS), records(), FPS, layout, after_udta))
    return path


def assert_all_read(path: Path, count: int = SECONDS - 1) -> None:
    fixes = read_fixes(path)
    assert len(fixes) == count
    for fix, truth in zip(fixes, records()[1:], strict=False):
        assert fix.utc == truth.utc
        assert fix.t_s == pytest.approx((truth.utc - START).total_seconds())
        assert abs(fix.lat - truth.lat) * 111_195 < 0.6  # float32 of DDMM.MMMM
        assert abs(fix.lon - truth.lon) * 67_900 < 0.6
        assert fix.speed_mps == pytest.approx(truth.speed_mps, abs=1e-4)
        assert fix.heading_deg == pytest.approx(truth.heading_deg, abs=1e-4)


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


@pytest.mark.parametrize("layout", ["A", "B"])
@pytest.mark.parametrize("after_udta", [False, True])
def test_fixes_come_back_at_their_second(tmp_path: Path, layout: Layout, after_udta: bool) -> None:
    assert_all_read(clip(tmp_path, layout, after_udta))


def test_the_table_is_not_needed(tmp_path: Path) -> None:
    path = clip(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"gps \0\0\1\1", b"free\0\0\1\1"))
    assert_all_read(path)


def test_a_table_that_points_nowhere_is_not_believed(tmp_path: Path) -> None:
    path = clip(tmp_path)
    data = bytearray(path.read_bytes())
    place = data.find(b"gps \0\0\1\1")
    data[place + 8 : place + 12] = b"\xff\xff\xff\xff"
    data[place + 12 : place + 12 + 8 * SECONDS] = b"\xff\xff\xff\xf0" * 2 * SECONDS
    path.write_bytes(bytes(data))
    assert_all_read(path)


def test_positions_survive_a_power_cut(tmp_path: Path) -> None:
    """No moov, so no table and no packets: the blocks that were written are found, numbered second by second."""
    path = clip(tmp_path)
    data = path.read_bytes()
    cut = data.rfind(b"freeGPS ") - 4
    path.write_bytes(data[:cut])
    assert_all_read(path, SECONDS - 2)


def test_clip_without_gps_has_no_fixes(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(mp4())
    assert read_fixes(path) == []
    path.write_bytes(b"")
    assert read_fixes(path) == []


@pytest.mark.parametrize("layout", ["A", "B"])
def test_blocks_do_not_touch_the_pictures(tmp_path: Path, layout: Layout) -> None:
    path = clip(tmp_path, layout)
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
def test_exiftool_reads_the_same(tmp_path: Path, layout: Layout) -> None:
    if shutil.which("exiftool") is None:
        pytest.skip("no exiftool here: the independent reader of GPS records is missing (apt install exiftool)")
    path = clip(tmp_path, layout)
    wanted = "$GPSDateTime,$GPSLatitude#,$GPSLongitude#,$GPSSpeed#,$GPSTrack#"
    done = subprocess.run(
        ["exiftool", "-q", "-q", "-ee", "-d", "%s", "-p", f'{{"v": "{wanted}"}}', str(path)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    theirs = [json.loads(line)["v"].split(",") for line in done.stdout.splitlines()]
    ours = read_fixes(path)
    assert len(theirs) == len(ours) == SECONDS - 1
    for fix, (_, lat, lon, speed, track) in zip(ours, theirs, strict=True):
        assert fix.lat == pytest.approx(float(lat), abs=1e-7)
        assert fix.lon == pytest.approx(float(lon), abs=1e-7)
        assert fix.speed_mps is not None
        assert fix.speed_mps * 3.6 == pytest.approx(float(speed), rel=1e-4)
        assert fix.heading_deg == pytest.approx(float(track), abs=1e-3)


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
    data = bytearray(block(records()[1], layout))
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
    if reading is None:  # only the point 0, 0 is taken for "no position"
        assert abs(lat) < 1e-5
        assert abs(lon) < 1e-5
        return
    assert reading.lat == pytest.approx(lat, abs=2e-5)
    assert reading.lon == pytest.approx(lon, abs=4e-5)
    assert reading.speed_mps == pytest.approx(speed, abs=1e-4)
