"""GPS fixes inside MP4 clips of Novatek cameras (Viofo and many others).

One ``freeGPS`` block a second lies between the frames; a ``gps `` box in moov lists the blocks. Layouts A and B after
ExifTool's QuickTimeStream.pl (processFreeGPS types 17 and 3). Without a table, or without moov, the file is searched.
"""

import math
import mmap
import os
import struct
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import av
from pydantic import ValidationError

from dashcam.media import boxes
from dashcam.media.probe import video_packets
from dashcam.records import Fix

KNOT_MPS = 0.514444
MAX_SPEED_MPS = 85.0
MAX_BLOCKS = 100_000
_HEAD = 160
"""Bytes of a block that are looked at: more than both layouts need."""
_BASES = {0x4C: (0x30,), 0x58: (0x30,), 0x3F0: (0x10,), 0x2C: (0x10,)}
"""Variant dword at 0x0C to the place of the record; anything unknown is tried as both."""


@dataclass(frozen=True)
class Reading:
    """What one block says. ``utc`` is the camera's GPS clock, which some firmwares run in local time (`gps.clock`)."""

    utc: datetime
    lat: float
    lon: float
    speed_mps: float
    heading_deg: float


def parse_block(block: bytes) -> Reading | None:
    """The fix in a ``freeGPS`` block; None when it is void, damaged or out of range: refused, not repaired."""
    if len(block) < 0x58 or block[4:12] != b"freeGPS ":
        return None
    (variant,) = struct.unpack_from("<I", block, 12)
    for base in _BASES.get(variant, (0x10, 0x30)):
        reading = _parse_record(block, base)
        if reading is not None:
            return reading
    return None


def _parse_record(block: bytes, base: int) -> Reading | None:
    if len(block) < base + 44:
        return None
    hour, minute, second, year, month, day = struct.unpack_from("<6I", block, base)
    status, north, east, end = struct.unpack_from("4c", block, base + 24)
    if status != b"A" or north not in b"NS" or east not in b"EW" or end != b"\0" or not 0 < year < 100:
        return None
    raw_lat, raw_lon, knots, heading = struct.unpack_from("<4f", block, base + 28)
    lat, lon = _degrees(raw_lat, 90), _degrees(raw_lon, 180)
    if lat is None or lon is None or (lat == 0 and lon == 0):
        return None
    if not 0 <= knots * KNOT_MPS <= MAX_SPEED_MPS or not 0 <= heading <= 360:
        return None
    try:
        utc = datetime(2000 + year, month, day, hour, minute, second, tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return Reading(utc, -lat if north == b"S" else lat, -lon if east == b"W" else lon, knots * KNOT_MPS, heading % 360)


def _degrees(value: float, limit: int) -> float | None:
    """DDMM.MMMM to degrees; None when it is none."""
    if not math.isfinite(value) or value < 0:
        return None
    whole, minutes = divmod(value, 100)
    degrees = whole + minutes / 60
    return degrees if minutes < 60 and degrees <= limit else None


def read_fixes(path: Path) -> list[Fix]:
    """All fixes of a clip in media time; empty when the file carries none. ``OSError`` when it cannot be read."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        found = _by_table(file, size)
        if not any(reading for _, reading in found):
            found = _by_search(file, size)
    if not any(reading for _, reading in found):
        return []
    times = _media_times(path, [offset for offset, _ in found])
    fixes = {}
    for t_s, (_, reading) in zip(times, found, strict=True):
        if reading is not None:
            fixes[t_s] = _fix(t_s, reading)
    return [fix for _, fix in sorted(fixes.items()) if fix is not None]


def _fix(t_s: float, reading: Reading) -> Fix | None:
    try:
        return Fix(
            t_s=t_s,
            utc=reading.utc,
            lat=reading.lat,
            lon=reading.lon,
            speed_mps=reading.speed_mps,
            heading_deg=reading.heading_deg,
        )
    except ValidationError:
        return None


def _by_table(file: BinaryIO, size: int) -> list[tuple[int, Reading | None]]:
    """(offset, reading) of each block that moov's ``gps `` box lists."""
    moov = boxes.read_moov(file, size)
    tables = boxes.children(moov, "gps ") if moov else []
    if not tables or len(tables[0]) < 8:
        return []
    table = tables[0]
    count = min(struct.unpack_from(">I", table, 4)[0], (len(table) - 8) // 8, MAX_BLOCKS)
    found = []
    for index in range(count):
        (offset,) = struct.unpack_from(">I", table, 8 + 8 * index)
        file.seek(offset)
        block = file.read(_HEAD)
        if block[4:12] == b"freeGPS ":
            found.append((offset, parse_block(block)))
    return found


def _by_search(file: BinaryIO, size: int) -> list[tuple[int, Reading | None]]:
    """(offset, reading) of each block found by its mark, wherever it lies."""
    if size < _HEAD:
        return []
    found: list[tuple[int, Reading | None]] = []
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        place = data.find(b"freeGPS ", 4)
        while place >= 0 and len(found) < MAX_BLOCKS:
            block = data[place - 4 : place - 4 + _HEAD]
            found.append((place - 4, parse_block(block)))
            place = data.find(b"freeGPS ", place + 8)
    return found


def _media_times(path: Path, offsets: list[int]) -> list[float]:
    """Seconds after the first frame at which each block was written.

    A block belongs to the first video packet behind it. Where the blocks are not spread between the packets (all at the
    end) or the packets cannot be read (no moov), the block's number is its second.
    """
    positions = _packets(path)
    by_number = [float(index) for index in range(len(offsets))]
    places = [bisect_right(positions, (offset, math.inf)) for offset in offsets]
    spread = {place for place in places if place < len(positions)}
    if len(spread) < max(1, len(offsets) * 0.8):
        return by_number
    first = min(t_s for _, t_s in positions)
    last = max(t_s for _, t_s in positions)
    return [(positions[place][1] if place < len(positions) else last) - first for place in places]


def _packets(path: Path) -> list[tuple[int, float]]:
    """(byte position, seconds) of every video packet, by position."""
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            if not container.streams.video:
                return []
            return sorted(
                (packet.pos, float(packet.pts * packet.time_base))
                for packet in video_packets(container)
                if packet.pos is not None and packet.pts is not None and packet.time_base is not None
            )
    except av.error.FFmpegError:
        return []
