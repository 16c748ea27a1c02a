"""Put Novatek GPS records into an MP4 as a Viofo does: ``freeGPS`` blocks between the frames, a ``gps `` table in moov.

Format: reference by ExifTool's QuickTimeStream.pl (processFreeGPS, types 3 and 17).
"""

import io
import struct
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np

from dashcam.media import boxes

BLOCK_SIZE = 0x4000
KNOT_MPS = 0.514444
Layout = Literal["A", "B"]
_MARK = {"A": (0x4C, 0x30), "B": (0x3F0, 0x10)}
"""Variant dword at 0x0C, and where the record starts."""


@dataclass(frozen=True)
class GpsRecord:
    """What the camera's receiver said at one moment; ``fix`` False makes a void record."""

    utc: datetime
    lat: float
    lon: float
    speed_mps: float
    heading_deg: float
    fix: bool = True


def _ddmm(degrees: float) -> float:
    whole = int(abs(degrees))
    value = float(np.float32(whole * 100 + (abs(degrees) - whole) * 60))
    return value if value % 100 < 60 else (whole + 1) * 100.0


def block(record: GpsRecord, layout: Layout) -> bytes:
    """One 16 KB ``freeGPS`` block."""
    mark, base = _MARK[layout]
    utc = record.utc
    data = bytearray(BLOCK_SIZE)
    struct.pack_into(">I8s", data, 0, BLOCK_SIZE, b"freeGPS ")
    struct.pack_into("<I", data, 12, mark)
    struct.pack_into("<6I", data, base, utc.hour, utc.minute, utc.second, utc.year - 2000, utc.month, utc.day)
    if not record.fix:
        data[base + 24 : base + 28] = b"V00\0"
        return bytes(data)
    sides = b"A" + (b"N" if record.lat >= 0 else b"S") + (b"E" if record.lon >= 0 else b"W") + b"\0"
    values = (_ddmm(record.lat), _ddmm(record.lon), record.speed_mps / KNOT_MPS, record.heading_deg % 360)
    struct.pack_into("<4s4f", data, base + 24, sides, *values)
    if layout == "B":
        struct.pack_into("<3i", data, base + 44, 3, -2, 256)
    return bytes(data)


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, kind) + body


def _moved(moov: bytes, starts: np.ndarray, shift: int) -> bytes:
    """moov with every sample in a chunk of its own, moved by ``shift`` bytes for each block that starts before it."""
    parts = []
    for box in boxes.walk(io.BytesIO(moov), 0, len(moov)):
        body = moov[box.body : box.end]
        if box.kind == b"stbl":
            offsets = boxes.samples(body).offsets
            offsets = offsets + shift * np.searchsorted(starts, offsets, side="right")
            kept = [
                body[inner.start : inner.end]
                for inner in boxes.walk(io.BytesIO(body), 0, len(body))
                if inner.kind not in (b"stsc", b"stco", b"co64")
            ]
            stsc = _box(b"stsc", struct.pack(">IIIII", 0, 1, 1, 1, 1))
            stco = _box(b"stco", struct.pack(">II", 0, offsets.size) + offsets.astype(">u4").tobytes())
            body = b"".join([*kept, stsc, stco])
        elif box.kind in (b"trak", b"mdia", b"minf"):
            body = _moved(body, starts, shift)
        parts.append(_box(box.kind, body))
    return b"".join(parts)


def add_gps(mp4: bytes, records: list[GpsRecord], fps: float, layout: Layout = "B", after_udta: bool = False) -> bytes:
    """The MP4 (mdat first, moov last) with one record before the frame of each full second.

    ``after_udta`` puts the table where ExifTool overlooks it and our own reader must not.
    """
    top = {box.kind: box for box in boxes.walk(io.BytesIO(mp4), 0, len(mp4))}
    mdat, moov_box = top[b"mdat"], top[b"moov"]
    moov = mp4[moov_box.body : moov_box.end]
    video = boxes.video_samples(moov)
    assert video is not None and mdat.end <= moov_box.start, "add_gps wants a video with moov at the end"
    frames = np.minimum(np.round(np.arange(len(records)) * fps), video.offsets.size - 1).astype(int)
    starts = video.offsets[frames]
    pieces, positions, last = [], [], mdat.body
    for index, (start, record) in enumerate(zip(starts, records, strict=True)):
        pieces += [mp4[last:start], block(record, layout)]
        positions.append(int(start) + index * BLOCK_SIZE)
        last = int(start)
    pieces.append(mp4[last : mdat.end])
    size = mdat.end - mdat.start + len(records) * BLOCK_SIZE
    wide = mdat.body - mdat.start == 16
    header = struct.pack(">I4sQ", 1, b"mdat", size) if wide else struct.pack(">I4s", size, b"mdat")
    table = b"".join(struct.pack(">II", position, BLOCK_SIZE) for position in positions)
    gps = _box(b"gps ", struct.pack(">II", 0x101, len(records)) + table)
    moved = _moved(moov, starts, BLOCK_SIZE)
    inner = list(boxes.walk(io.BytesIO(moved), 0, len(moved)))
    place = len(moved) if after_udta else max(box.end for box in inner if box.kind == b"trak")
    tail = _box(b"moov", moved[:place] + gps + moved[place:])
    return b"".join([mp4[: mdat.start], header, *pieces, tail])
