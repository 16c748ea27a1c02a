"""Fuzz target (atheris, libFuzzer) for the box walker, the validity check and the readers of positions.

    python -m tests.fuzz.containers CORPUS -max_total_time=60

The corpus folder is seeded with small files of each format when it is empty. A finding ends the run with its input
beside the corpus; ``python -m tests.fuzz.containers FILE`` runs that input again.
"""

import io
import os
import struct
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["dashcam.media", "dashcam.gps"], enable_loader_override=False):
    from dashcam.gps import camm, gpmf, novatek, novatek_ts, sidecar
    from dashcam.media import boxes, validity

from dashcam.sample.mux import GpsRecord, block
from tests.gps.made import START, box, variable_block
from tests.gps.made import transport as transport_stream

READERS = (novatek.read, novatek_ts.read, gpmf.read, camm.read)
LIMITS = ("-timeout=10", "-rss_limit_mb=1536", "-max_len=65536")


def look_at(data: bytes) -> None:
    """Raises for a walk that goes back, a position that is none, an outcome without words, and for any crash."""
    last = -1
    for found in boxes.walk(io.BytesIO(data), 0, len(data)):
        assert last < found.start < found.body <= found.end <= len(data)
        last = found.start
    FILE.write_bytes(data)
    os.utime(FILE, (0, 0))
    fatal = validity.look(FILE).fatal
    assert fatal is None or fatal.words
    readings = [one for read in READERS for one in read(FILE)]
    if len(data) < 4096:
        text = data.decode("utf-8", errors="replace")
        readings += [one for parse in sidecar.READERS.values() for one in parse(text) if one is not None]
    for one in readings:
        assert -90 <= one.lat <= 90
        assert -180 <= one.lon <= 180
        assert one.speed_mps is None or 0 <= one.speed_mps <= 85


def seeds() -> dict[str, bytes]:
    """The smallest files in which every reader has something to read."""
    record = GpsRecord(START, 52.37, 4.89, 8.0, 12.0)
    made = {}
    for name, one in (("a", block(record, "A")), ("b", block(record, "B")), ("variable", variable_block(record))):
        head = struct.pack(">I", 0x200) + one[4:0x200]
        gps = box(b"gps ", struct.pack(">4I", 0x101, 1, 16, 0x200))
        made[f"novatek-{name}"] = (
            box(b"ftyp", b"isom") + bytes(4) + head + box(b"moov", gps, track(b"vide", b"avc1", 16))
        )
    stream = transport_stream([record])
    made["transport"] = stream[: 188 * 40]
    place = struct.pack("<HHdi2d7f", 0, 6, 1.4e9, 3, 52.0, 4.0, *[1.0] * 7)
    made["camm"] = box(b"ftyp", b"isom") + box(b"mdat", place) + box(b"moov", track(b"meta", b"camm", len(place)))
    fixes = box_gpmf(b"SCAL", b"l", 4, struct.pack(">5i", 10**7, 10**7, 1000, 1000, 100))
    fixes += box_gpmf(b"GPSF", b"L", 4, struct.pack(">I", 3)) + box_gpmf(b"GPSU", b"U", 16, b"260628113416.000")
    fixes += box_gpmf(b"GPS5", b"l", 20, struct.pack(">5i", 523700000, 48900000, 0, 8000, 800))
    payload = box_gpmf(b"DEVC", b"\0", 1, box_gpmf(b"STRM", b"\0", 1, fixes))
    made["gpmf"] = box(b"ftyp", b"isom") + box(b"mdat", payload) + box(b"moov", track(b"meta", b"gpmd", len(payload)))
    made["nmea"] = b"[1782646456000]$GPRMC,113416.000,A,5200.0001,N,00454.0000,E,010.0,090.0,280626,,,A*6A\n"
    made["srt"] = b"1\n00:00:01,000 --> 00:00:02,000\n2026-06-28 11:34:16.000 [latitude: 52.1] [longitude: 4.9]\n\n"
    made["json"] = b'{"fixes": [{"t_s": 1, "utc": "2026-06-28T11:34:16Z", "lat": 52.1, "lon": 4.9}]}'
    return made


def box_gpmf(key: bytes, kind: bytes, size: int, content: bytes) -> bytes:
    return struct.pack(">4s1sBH", key, kind, size, len(content) // size) + content + bytes(-len(content) % 4)


def track(handler: bytes, format: bytes, size: int) -> bytes:
    """A track of one sample behind ftyp and the head of mdat."""
    stbl = box(
        b"stbl",
        box(b"stsd", struct.pack(">II", 0, 1), box(format, bytes(8))),
        box(b"stts", struct.pack(">IIII", 0, 1, 1, 1000)),
        box(b"stsc", struct.pack(">5I", 0, 1, 1, 1, 1)),
        box(b"stsz", struct.pack(">IIII", 0, 0, 1, size)),
        box(b"stco", struct.pack(">III", 0, 1, 20)),
    )
    mdhd = box(b"mdhd", struct.pack(">5I", 0, 0, 0, 1000, 1000))
    return box(b"trak", box(b"mdia", mdhd, box(b"hdlr", bytes(8), handler, bytes(12)), box(b"minf", stbl)))


def main() -> None:
    folders = [Path(one) for one in sys.argv[1:] if not one.startswith("-") and not Path(one).is_file()]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in seeds().items():
            (folder / name).write_bytes(data)
    artifacts = [f"-artifact_prefix={folders[0]}-finding-"] if folders else []
    atheris.Setup([sys.argv[0], *LIMITS, *artifacts, *sys.argv[1:]], look_at)
    atheris.Fuzz()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as memory:
        FILE = Path(memory) / "input.MP4"
        main()
