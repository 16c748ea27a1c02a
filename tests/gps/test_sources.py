"""Whatever the camera, the positions of a clip are found where it keeps them, and garbage is refused."""

import json
import os
import shutil
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import xor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashcam.gps import camm, exiftool, gpmf, novatek_ts, sidecar, sources
from dashcam.gps.export import Leg, gpx
from dashcam.gps.reading import Reading, reading, without_spikes
from dashcam.records import Fix
from tests.gps.made import SECONDS, START, drive, transport, with_track, write_clip
from tests.media.clips import mp4

NAME = "2026_0628_133416_000001F.MP4"
needs_exiftool = pytest.mark.skipif(
    shutil.which("exiftool") is None, reason="no exiftool here, the independent reader (apt install exiftool)"
)


def never() -> sources.Recorded:
    raise AssertionError("asked for the clip's time without need")


def span(start: datetime = START, seconds: float = SECONDS) -> Callable[[], sources.Recorded]:
    return lambda: sources.Recorded(start, seconds)


def clip(tmp_path: Path, data: bytes | None = None, name: str = NAME) -> Path:
    path = tmp_path / name
    path.write_bytes(mp4(SECONDS) if data is None else data)
    return path


@pytest.mark.parametrize(
    ("name", "source", "count"),
    [
        ("novatek-a119v3-real.TS", "novatek-ts", 10),
        ("gopro-max-real.mp4", "gpmf", 191),
        ("gopro-hero5-real.mp4", "gpmf", 36),
        ("novatek-freegps-stub.mp4", "novatek", 3),
        ("blackvue-real.gps", "sidecar", 8),
        ("sf_30km_h.gpx", "sidecar", 49),
    ],
)
def test_real_files_give_what_is_in_them(shared: Path, name: str, source: str, count: int) -> None:
    found = sources.read(shared / "data/gps" / name, span(seconds=0))
    assert (found.source, len(found.fixes)) == (source, count)
    assert all(a.t_s < b.t_s for a, b in zip(found.fixes, found.fixes[1:], strict=False))
    assert all(fix.speed_mps is None or fix.speed_mps < 40 for fix in found.fixes)


@needs_exiftool
def test_exiftool_agrees_on_the_real_transport_stream(shared: Path) -> None:
    path = shared / "data/gps/novatek-a119v3-real.TS"
    assert [same(one) for one in novatek_ts.read(path)] == [same(one) for one in exiftool.read(path)]


@needs_exiftool
def test_exiftool_agrees_on_the_first_fix_of_each_gopro_payload(shared: Path) -> None:
    """Its JSON keeps one fix a second of the eighteen (version 12)."""
    path = shared / "data/gps/gopro-max-real.mp4"
    ours = {(one.lat, one.lon) for one in gpmf.read(path)}
    theirs = [(one.lat, one.lon) for one in exiftool.read(path)]
    assert len(theirs) >= 11
    assert ours.issuperset(theirs)


def same(one: Reading) -> tuple[object, ...]:
    return one.utc, round(one.lat, 6), round(one.lon, 6), round(one.speed_mps or 0, 3), round(one.heading_deg or 0, 2)


@pytest.mark.parametrize(("prefix", "first_pts_s"), [(0, 1.4), (164, 1.4), (0, 2**33 / 90_000 - 2.5)])
def test_a_stream_nobody_lists_in_a_transport_stream(tmp_path: Path, prefix: int, first_pts_s: float) -> None:
    path = clip(tmp_path, transport(drive(), prefix=prefix, first_pts_s=first_pts_s), "20260628133416_000001A.TS")
    found = sources.read(path, never)
    assert found.source == "novatek-ts"
    assert [fix.t_s for fix in found.fixes] == pytest.approx([1, 2, 3, 4, 5], abs=0.01)
    assert [fix.utc for fix in found.fixes] == [one.utc for one in drive()[1:]]
    assert [fix.lat for fix in found.fixes] == pytest.approx([one.lat for one in drive()[1:]], abs=1e-5)


def test_what_a_file_holds_counts_not_its_name(tmp_path: Path) -> None:
    assert sources.read(clip(tmp_path, transport(drive())), never).source == "novatek-ts"
    assert sources.read(write_clip(tmp_path / "b.TS", drive()), never).source == "novatek"


def camm_sample(at: datetime, lat: float, lon: float, east: float, north: float) -> bytes:
    seconds = (at - datetime(1980, 1, 6, tzinfo=UTC)).total_seconds() + 18
    return struct.pack("<HHdi2d7f", 0, 6, seconds, 3, lat, lon, 12.0, 1.0, 1.0, east, north, 0.0, 0.2)


def camm_clip(tmp_path: Path) -> Path:
    samples = [
        camm_sample(START + timedelta(seconds=i), 52.37 + i * 1e-4, 4.89 + i * 1e-4, 7.0, 7.0) for i in range(SECONDS)
    ]
    return clip(tmp_path, with_track(b"camm", samples, 1.0))


def test_a_camm_track_is_read_with_speed_and_heading(tmp_path: Path) -> None:
    found = sources.read(camm_clip(tmp_path), never)
    assert (found.source, len(found.fixes)) == ("camm", SECONDS)
    assert [fix.t_s for fix in found.fixes] == pytest.approx(list(range(SECONDS)))
    fix = found.fixes[2]
    assert (fix.utc, fix.quality) == (START + timedelta(seconds=2), "3d")
    assert (fix.lat, fix.lon) == pytest.approx((52.3702, 4.8902))
    assert (fix.speed_mps, fix.heading_deg) == pytest.approx((9.8995, 45.0), abs=1e-3)


@needs_exiftool
def test_exiftool_reads_the_same_camm_track(tmp_path: Path) -> None:
    path = camm_clip(tmp_path)
    theirs = exiftool.read(path)
    ours = camm.read(path)
    assert [one.lat for one in theirs] == pytest.approx([one.lat for one in ours])
    assert [one.lon for one in theirs] == pytest.approx([one.lon for one in ours])


def test_a_camm_track_without_a_clock_takes_the_clips(tmp_path: Path) -> None:
    samples = [struct.pack("<HH3d", 0, 5, 52.0 + i * 1e-4, 4.0, 1.0) for i in range(3)]
    found = sources.read(clip(tmp_path, with_track(b"camm", samples, 1.0)), span())
    assert not found.has_clock
    assert [fix.utc for fix in found.fixes] == [START + timedelta(seconds=i) for i in range(3)]


def test_gpmf_as_hero_11_writes_it(tmp_path: Path) -> None:
    """GPS9 has the time of each fix in itself."""

    def item(key: bytes, kind: bytes, size: int, count: int, content: bytes) -> bytes:
        return struct.pack(">4s1sBH", key, kind, size, count) + content + bytes(-len(content) % 4)

    def payload(second: int) -> bytes:
        days, ms = (START - datetime(2000, 1, 1, tzinfo=UTC)).days, (11 * 3600 + 34 * 60 + 16 + second) * 1000
        fixes = b"".join(
            struct.pack(">7i2H", 523700000, 48900000 + 1000 * i, 2000, 9000, 9000, days, ms + i * 100, 150, 3)
            for i in range(10)
        )
        scales = struct.pack(">9i", 10_000_000, 10_000_000, 1000, 1000, 100, 1, 1000, 100, 1)
        stream = item(b"SCAL", b"l", 4, 9, scales) + item(b"GPS9", b"?", 32, 10, fixes)
        strm = item(b"STRM", b"\0", 1, len(stream), stream)
        return item(b"DEVC", b"\0", 1, len(strm), strm)

    found = sources.read(clip(tmp_path, with_track(b"gpmd", [payload(0), payload(1)], 1.0)), never)
    assert (found.source, len(found.fixes)) == ("gpmf", 20)
    assert found.fixes[13].t_s == pytest.approx(1.3)
    assert found.fixes[13].utc == START + timedelta(seconds=1.3)
    assert (found.fixes[13].lat, found.fixes[13].speed_mps) == pytest.approx((52.37, 9.0))


GPX_HEAD = '<gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>'
GPX_TAIL = "</trkseg></trk></gpx>"


def gpx_points(start: datetime, count: int) -> str:
    return "".join(
        f'<trkpt lat="{52 + i * 1e-4}" lon="4.9"><time>{(start + timedelta(seconds=i)).isoformat()}</time></trkpt>'
        for i in range(count)
    )


SIDECARS = {
    ".gpx": GPX_HEAD + gpx_points(START, SECONDS) + GPX_TAIL,
    ".nmea": "".join(
        f"$GPRMC,1134{16 + i}.000,A,5200.{i:04d},N,00454.0000,E,010.0,090.0,280626,,,A\n" for i in range(6)
    ),
    ".gps": "".join(
        f"[{1782646456000 + 1000 * i}]$GPRMC,1134{16 + i}.000,A,5200.{i:04d},N,00454.0000,E,010.0,090.0,280626,,,A\r\n"
        for i in range(6)
    ),
    ".srt": "".join(
        f"{i + 1}\n00:00:0{i},000 --> 00:00:0{i + 1},000\n2026-06-28 11:34:{16 + i}.000\n"
        f"[latitude: 52.{i:06d}] [longitude: 4.900000]\n\n"
        for i in range(6)
    ),
    ".json": json.dumps(
        {"fixes": [{"t_s": i, "utc": f"2026-06-28T11:34:{16 + i}Z", "lat": 52 + i / 1e5, "lon": 5} for i in range(6)]}
    ),
}


@pytest.mark.parametrize("suffix", SIDECARS)
@pytest.mark.parametrize("whole_name", [False, True])
def test_a_file_beside_the_clip(tmp_path: Path, suffix: str, whole_name: bool) -> None:
    path = clip(tmp_path)
    beside = tmp_path / ((path.name if whole_name else path.stem) + suffix)
    beside.write_text(SIDECARS[suffix])
    (tmp_path / f"another{suffix}").write_text(SIDECARS[suffix].replace("52", "51"))
    found = sources.read(path, span())
    assert found.source == "sidecar"
    assert [fix.t_s for fix in found.fixes] == pytest.approx(list(range(6)))
    assert [fix.utc for fix in found.fixes] == [START + timedelta(seconds=i) for i in range(6)]
    assert all(fix.lat == pytest.approx(52, abs=1e-3) for fix in found.fixes)


@pytest.mark.parametrize("camera", ["NF", "NR", "NFS"])
def test_blackvues_cameras_share_the_positions_of_their_recording(tmp_path: Path, camera: str) -> None:
    path = clip(tmp_path).rename(tmp_path / f"20260628_133416_{camera}.mp4")
    (tmp_path / "20260628_133416_N.gps").write_text(SIDECARS[".gps"])
    assert len(sources.read(path, span()).fixes) == 6


def test_out_of_a_whole_days_track_the_clip_is_cut(tmp_path: Path) -> None:
    path = clip(tmp_path)
    day = GPX_HEAD + gpx_points(START - timedelta(seconds=100), 300) + GPX_TAIL
    path.with_suffix(".gpx").write_text(day)
    found = sources.read(path, span())
    assert [fix.t_s for fix in found.fixes] == list(range(SECONDS + 1))
    assert found.fixes[0].lat == pytest.approx(52 + 100e-4)


def test_positions_in_the_clip_are_nearer_the_truth_than_those_beside_it(tmp_path: Path) -> None:
    path = write_clip(tmp_path / NAME, drive())
    path.with_suffix(".gpx").write_text(SIDECARS[".gpx"])
    assert sources.read(path, never).source == "novatek"


def test_nmea_with_a_wrong_checksum_is_refused_among_right_ones(tmp_path: Path) -> None:
    file = tmp_path / "a.nmea"
    right = "$GPRMC,113416.000,A,5200.0001,N,00454.0000,E,010.0,090.0,280626,,,A"
    checksum = f"*{reduce(xor, right[1:].encode()):02X}\n"
    file.write_text(right + checksum + right.replace("5200", "5300") + checksum)
    assert [round(one.lat) for one in sidecar.read_file(file)] == [52]


def test_a_gpx_that_defines_entities_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "a.gpx"
    file.write_text('<!DOCTYPE gpx [<!ENTITY a "b">]>' + SIDECARS[".gpx"])
    assert sidecar.read_file(file) == []


@given(text=st.text(max_size=300), suffix=st.sampled_from(sorted(SIDECARS)), place=st.integers(0, 400))
def test_any_sidecar_is_survived(tmp_path_factory: pytest.TempPathFactory, text: str, suffix: str, place: int) -> None:
    file = tmp_path_factory.getbasetemp() / f"any{suffix}"
    good = SIDECARS[suffix]
    file.write_text(good[:place] + text + good[place:], encoding="utf-8", errors="replace")
    assert all(abs(one.lat) <= 90 and abs(one.lon) <= 180 for one in sidecar.read_file(file))


def test_a_file_beside_the_clip_that_may_not_be_read_is_passed_over() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = clip(Path(folder))
        beside = path.with_suffix(".json")
        beside.write_text(SIDECARS[".json"])
        assert sources.read(path, span()).source == "sidecar"
        beside.chmod(0)
        with nobody():
            found = sources.read(path, never)
        assert found.fixes == []
        assert found.hint == f"{beside.name} beside it may not be read; allow it and process the clip again."
        path.chmod(0)
        with nobody(), pytest.raises(PermissionError):
            sources.read(path, never)


@contextmanager
def nobody() -> Iterator[None]:
    """As a user without root's right to read everything."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_without_exiftool_the_user_is_told_what_would_help(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = sources.read(clip(tmp_path), never)
    assert (found.source, found.fixes) == ("", [])
    assert "ExifTool is not installed" in found.hint


def test_a_jump_no_car_makes_is_left_out() -> None:
    track = [Reading(float(i), START, 52 + i * 1e-4, 4.9) for i in range(7)]
    spiked = [*track[:3], Reading(3.0, START, 53.0, 4.9), *track[4:]]
    assert without_spikes(spiked) == [*track[:3], *track[4:]]
    assert without_spikes(track) == track
    gap = [*track[:3], Reading(600.0, START, 52.2, 4.9), Reading(601.0, START, 52.2001, 4.9)]
    assert without_spikes(gap) == gap


@pytest.mark.parametrize(
    "said",
    [
        (0.0, START, 0.0, 0.0),
        (0.0, START, 90.1, 5.0),
        (0.0, START, 52.0, 180.5),
        (0.0, START, float("nan"), 5.0),
        (-1.0, START, 52.0, 5.0),
        (float("inf"), START, 52.0, 5.0),
        (None, None, 52.0, 5.0),
        (0.0, START.replace(year=1999), 52.0, 5.0),
        (0.0, START, 52.0, 5.0, 86.0),
        (0.0, START, 52.0, 5.0, float("nan")),
        (0.0, START, 52.0, 5.0, 10.0, 361.0),
    ],
)
def test_the_impossible_is_refused_not_repaired(said: tuple[float, datetime, float, float]) -> None:
    assert reading(*said) is None


def test_a_track_written_as_gpx_reads_back(tmp_path: Path) -> None:
    fixes = [
        Fix(t_s=i, utc=START + timedelta(seconds=i), lat=52 + i / 1e4, lon=4.9, speed_mps=8.25, heading_deg=91.5,
            quality=quality)
        for i, quality in enumerate(("2d", "3d", "3d", "fix", "fix", "2d"))
    ]  # fmt: skip
    path = clip(tmp_path)
    path.with_suffix(".gpx").write_text("".join(gpx([Leg("a <clip> & \x01more.MP4", "", "", fixes)])))
    again = sources.read(path, span()).fixes
    assert [fix.model_copy(update={"source": "sidecar"}) for fix in fixes] == again
