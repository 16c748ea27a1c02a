"""GPS fixes in GoPro's metadata track (GPMF, format ``gpmd``): about 18 a second as GPS5, 10 as GPS9 (HERO 11 on).

Key, type, size and count, then values padded to four bytes, nested by type 0; after github.com/gopro/gpmf-parser.
"""

import os
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from dashcam.gps.reading import Reading, moment, reading
from dashcam.media import boxes
from dashcam.records import FixQuality

MAX_PAYLOADS = 100_000
MAX_PAYLOAD = 1 << 20
_MAX_DEPTH = 8
_LOCKS: dict[int, FixQuality] = {2: "2d", 3: "3d"}
_DAY0 = datetime(2000, 1, 1, tzinfo=UTC)
_GPS5, _GPS9 = ">5i", ">7i2H"


def read(path: Path) -> list[Reading]:
    """All fixes in media time; empty when there is no such track. ``OSError`` when the file cannot be read."""
    found: list[Reading] = []
    with path.open("rb") as file:
        for start_s, end_s, payload in payloads(file, b"gpmd"):
            for stream in _streams(payload):
                found += _fixes(stream, start_s, end_s)
    return found


def payloads(file: BinaryIO, format: bytes) -> Iterator[tuple[float, float, bytes]]:
    """(start, end, content) of each sample of the first track of that format."""
    size = file.seek(0, os.SEEK_END)
    try:
        tracks = boxes.tracks(boxes.read_moov(file, size) or b"")
    except boxes.MalformedBox:
        return
    track = next((track for track in tracks if track.format == format), None)
    if track is None or not track.times_s.size:
        return
    ends = [*track.times_s[1:].tolist(), track.duration_s]
    samples = zip(
        track.times_s.tolist(), ends, track.samples.offsets.tolist(), track.samples.sizes.tolist(), strict=True
    )
    for _, (start_s, end_s, offset, length) in zip(range(MAX_PAYLOADS), samples, strict=False):
        if 0 <= offset < size and length <= MAX_PAYLOAD:
            file.seek(offset)
            yield start_s, max(start_s, end_s), file.read(length)


def _items(data: bytes) -> Iterator[tuple[bytes, int, int, bytes]]:
    """(key, type, size of one, content) of each element; ends at the first that does not fit."""
    place = 0
    while place + 8 <= len(data):
        key, kind, size, count = struct.unpack_from(">4sBBH", data, place)
        length = size * count
        if place + 8 + length > len(data):
            return
        yield key, kind, size, data[place + 8 : place + 8 + length]
        place += 8 + (length + 3) // 4 * 4


def _streams(data: bytes, depth: int = 0) -> Iterator[dict[bytes, tuple[int, bytes]]]:
    """Each STRM as key to (size of one, content)."""
    for key, kind, _, content in _items(data):
        if key == b"STRM":
            yield {name: (size, inside) for name, _, size, inside in _items(content)}
        elif kind == 0 and depth < _MAX_DEPTH:
            yield from _streams(content, depth + 1)


def _fixes(stream: dict[bytes, tuple[int, bytes]], start_s: float, end_s: float) -> Iterator[Reading]:
    """The fixes of one payload, spread evenly over its time."""
    size, content = stream.get(b"GPS9") or stream.get(b"GPS5") or (0, b"")
    layout = _GPS9 if b"GPS9" in stream else _GPS5
    scales = _scales(stream)
    width = struct.calcsize(layout)
    if size != width or len(scales) < len(struct.unpack(layout, bytes(width))):
        return
    count = len(content) // width
    for index, values in enumerate(struct.iter_unpack(layout, content[: count * width])):
        t_s = start_s + (end_s - start_s) * index / count
        scaled = [value / scale for value, scale in zip(values, scales, strict=False)]
        one = _gps9(t_s, scaled) if layout == _GPS9 else _gps5(t_s, t_s - start_s, scaled, stream)
        if one is not None:
            yield one


def _scales(stream: dict[bytes, tuple[int, bytes]]) -> list[int]:
    size, content = stream.get(b"SCAL", (0, b""))
    if size not in (2, 4):
        return []
    scales = [value for (value,) in struct.iter_unpack(">h" if size == 2 else ">i", content)]
    return scales if all(scales) else []


def _gps9(t_s: float, values: list[float]) -> Reading | None:
    lat, lon, _, ground_mps, _, days, seconds, _, lock = values
    if int(lock) not in _LOCKS or not 0 <= days < 36525 or not 0 <= seconds < 86400:
        return None
    utc = _DAY0 + timedelta(days=int(days), seconds=seconds)
    return reading(t_s, utc, lat, lon, ground_mps, None, _LOCKS[int(lock)])


def _gps5(t_s: float, since_s: float, values: list[float], stream: dict[bytes, tuple[int, bytes]]) -> Reading | None:
    lock = int.from_bytes(stream.get(b"GPSF", (0, b""))[1][:4], "big")
    began = _clock(stream.get(b"GPSU", (0, b""))[1])
    if lock not in _LOCKS or began is None:
        return None
    lat, lon, _, ground_mps, _ = values
    return reading(t_s, began + timedelta(seconds=since_s), lat, lon, ground_mps, None, _LOCKS[lock])


def _clock(text: bytes) -> datetime | None:
    """``yymmddhhmmss.sss``"""
    try:
        year, month, day, hour, minute = (int(text[place : place + 2]) for place in range(0, 10, 2))
        return moment(2000 + year, month, day, hour, minute, float(text[10:16]))
    except ValueError:
        return None
