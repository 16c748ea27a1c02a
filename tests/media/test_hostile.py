"""No file, however damaged or hostile, makes a reader hang, crash or eat the memory; it always ends with an outcome."""

import os
import random
import struct
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dashcam.gps import camm, gpmf, novatek, novatek_ts
from dashcam.gps.reading import Reading
from dashcam.media import boxes, validity
from dashcam.media.probe import UnreadableClip, probe
from tests.gps.made import box, drive, transport, with_track, write_clip
from tests.media.clips import faststart, mp4

READERS: Sequence[Callable[[Path], list[Reading]]] = (novatek.read, novatek_ts.read, gpmf.read, camm.read)
CPU_S, MEMORY = 5.0, 256 << 20
KINDS = [b"moov", b"trak", b"mdia", b"mdhd", b"minf", b"stbl", b"hdlr", b"gps ", b"free", b"mdat", b"ftyp", b"udta"]
SIZES = [0, 1, 2, 7, 8, 9, 15, 16, 255, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
unhurried = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hostile.MP4"


def survived(path: Path, data: bytes) -> validity.Validity:
    """All readers come to an end with something clear, in bounded time and memory."""
    path.write_bytes(data)
    os.utime(path, (0, 0))
    tracemalloc.start()
    began = time.process_time()
    found = validity.look(path)
    for read in READERS:
        for one in read(path):
            assert -90 <= one.lat <= 90
            assert -180 <= one.lon <= 180
    seconds, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < CPU_S
    assert peak < MEMORY
    assert found.fatal is None or found.fatal.words
    return found


def raw_box(kind: bytes, size: int, body: bytes, wide: int | None) -> bytes:
    """A box that says what it likes about its size."""
    if wide is not None:
        return struct.pack(">I4sQ", 1, kind, wide) + body
    return struct.pack(">I4s", size, kind) + body


honest = st.builds(lambda kind, body: box(kind, body), st.sampled_from(KINDS), st.binary(max_size=40))
lying = st.builds(
    raw_box,
    st.sampled_from(KINDS),
    st.sampled_from(SIZES),
    st.binary(max_size=40),
    st.none() | st.sampled_from([0, 1, 15, 16, 17, 1 << 31, 1 << 32, 1 << 62, (1 << 64) - 1]),
)
nested = st.recursive(
    honest | lying,
    lambda inner: st.builds(
        lambda kind, parts, size: (box if size is None else lambda k, b: raw_box(k, size, b, None))(
            kind, b"".join(parts)
        ),
        st.sampled_from(KINDS),
        st.lists(inner, max_size=4),
        st.none() | st.sampled_from(SIZES),
    ),
    max_leaves=12,
)


@unhurried
@given(st.lists(nested, max_size=5))
def test_any_boxes(path: Path, parts: list[bytes]) -> None:
    survived(path, box(b"ftyp", b"isom") + b"".join(parts))


class Clips(list[bytes]):
    def __repr__(self) -> str:
        return f"{len(self)} clips"


def clips(tmp_path: Path) -> Clips:
    """One of each kind, with positions."""
    made = [write_clip(tmp_path / "a.MP4", drive(3), layout=layout).read_bytes() for layout in ("A", "B", "variable")]
    sample = struct.pack("<HHdi2d7f", 0, 6, 1.4e9, 3, 52.0, 4.0, *[1.0] * 7)
    return Clips([*made, faststart(mp4(1)), transport(drive(3)), with_track(b"camm", [sample] * 3, 1.0)])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    return clips(tmp_path_factory.mktemp("whole"))


@unhurried
@given(st.data())
def test_real_clips_with_flipped_bytes(path: Path, whole: Clips, data: st.DataObject) -> None:
    """Mostly in the index, where it hurts."""
    clip = bytearray(data.draw(st.sampled_from(whole)))
    index = max(clip.rfind(b"moov"), 0)
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(index, len(clip) - 5) | st.integers(0, len(clip) - 5))
        clip[place : place + 4] = struct.pack(">I", data.draw(st.sampled_from(SIZES) | st.integers(0, 0xFFFFFFFF)))
    survived(path, bytes(clip))


@unhurried
@given(st.data())
def test_real_clips_cut_and_spliced(path: Path, whole: Clips, data: st.DataObject) -> None:
    parts = []
    for _ in range(data.draw(st.integers(1, 3))):
        clip = data.draw(st.sampled_from(whole))
        start = data.draw(st.integers(0, len(clip)))
        parts.append(clip[start : data.draw(st.integers(start, len(clip)))])
    survived(path, b"".join(parts))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_what_ffmpeg_makes_of_a_damaged_clip_is_an_outcome_too(path: Path, whole: Clips, data: st.DataObject) -> None:
    clip = bytearray(data.draw(st.sampled_from(whole)))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(max(clip.rfind(b"moov"), 0), len(clip) - 5))
        clip[place : place + 4] = struct.pack(">I", data.draw(st.integers(0, 0xFFFFFFFF)))
    path.write_bytes(bytes(clip))
    os.utime(path, (0, 0))
    try:
        found = probe(path)
    except UnreadableClip as refused:
        assert path.name in str(refused)
    else:
        assert found.frames > 0
        assert found.duration_s >= 0


def table(kind: bytes, count: int, entries: bytes) -> bytes:
    return box(kind, struct.pack(">II", 0, count), entries)


def index(stsz: bytes, stsc: bytes, stco: bytes, stts: bytes = b"") -> bytes:
    """A clip whose video track has these tables."""
    stbl = box(b"stbl", table(b"stsd", 1, box(b"avc1", bytes(78))), stsz, stsc, stco, stts)
    mdia = box(
        b"mdia", box(b"mdhd", struct.pack(">5I", 0, 0, 0, 1000, 9)), box(b"hdlr", bytes(8), b"vide"), box(b"minf", stbl)
    )
    return box(b"ftyp", b"isom") + box(b"mdat", bytes(100)) + box(b"moov", box(b"trak", mdia))


ONE_CHUNK = table(b"stsc", 1, struct.pack(">3I", 1, 0xFFFFFFFF, 1))
AT_40 = table(b"stco", 1, struct.pack(">I", 40))


@pytest.mark.parametrize(
    "data",
    [
        index(box(b"stsz", struct.pack(">3I", 0, 1, boxes.MAX_SAMPLES)), ONE_CHUNK, AT_40),
        index(box(b"stsz", struct.pack(">3I", 0, 0xFFFFFFFF, 0xFFFFFFFF)), ONE_CHUNK, AT_40),
        index(box(b"stsz", struct.pack(">3I", 0, 0xFFFFFFFF, 2)), ONE_CHUNK, table(b"co64", 1, b"\xff" * 8)),
        index(box(b"stsz", struct.pack(">3I", 0, 9, 4)), ONE_CHUNK, AT_40, table(b"stts", 2, b"\xff" * 16)),
        index(box(b"stsz", struct.pack(">3I", 0, 9, 4)), ONE_CHUNK, AT_40, table(b"ctts", 0xFFFFFFFF, b"\xff" * 16)),
        with_track(b"gpmd", [b""], 1.0).replace(b"stsz" + struct.pack(">3I", 0, 0, 1), b"stsz" + bytes(12)),
        box(b"ftyp") + box(b"moov", table(b"gps ", 0xFFFFFFFF, struct.pack(">II", 8, 0xFFFFFFFF) * 5000)),
        box(b"ftyp") + box(b"free") * 100_000,
        box(b"ftyp") + b"freeGPS " * 100_000,
        box(b"ftyp") + (b"\0\0\x40\0freeGPS " + b"ANE\0" * 2000) * 40,
        b"G" * 300_000,
        (b"G@\0\x10\0\0\1\xbf\xff\xff" + b"\xff" * 178) * 2000,
        (b"G@\0\x30" + b"\xff" * 184) * 2000,
    ],
    ids=[
        "two million frames of a byte", "four thousand million frames", "beyond the end of numbers", "endless frames",
        "huge count", "a track of nothing", "endless table", "a hundred thousand boxes", "nothing but marks",
        "nothing but letters", "nothing but sync", "private packets without end", "adaptation without end",
    ],
)  # fmt: skip
def test_bombs(path: Path, data: bytes) -> None:
    survived(path, data)


@example(seed=0)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1 << 32))
def test_noise_with_a_head(path: Path, seed: int) -> None:
    noise = random.Random(seed).randbytes(20_000)
    for head in (b"", box(b"ftyp", b"isom"), b"G", b"RIFF\0\0\0\0AVI ", b"\x1aE\xdf\xa3", b"\0\0\1\xba", b"FLV\1"):
        found = survived(path, head + noise)
        assert found.fatal is not None or found.container != "mp4"
