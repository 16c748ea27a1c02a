"""GPS fixes inside MP4 clips of Novatek cameras (Viofo and many others).

One ``freeGPS`` block a second lies between the frames; a ``gps `` box in moov lists the blocks. Layouts A and B after
ExifTool's QuickTimeStream.pl (processFreeGPS types 17 and 3); newer firmwares (A329) put the record anywhere in the
block. Without a usable table the space between the frames is searched, without moov the whole file.
"""

import mmap
import os
import re
import struct
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from dashcam.gps.reading import KNOT_MPS, Reading, degrees, moment, reading
from dashcam.media import boxes

MARK = b"freeGPS "
MAX_BLOCKS = 20_000
"""More than five hours, one a second."""
_BLOCK = 0x8000
"""The largest block."""
_HEAD = 0x60
"""What layouts A and B need of it."""
_NEAR = 0x10000
"""So far behind the last frame or block the next block begins."""
_STATUS = 24
"""Where in the record its letters stand: fix or void, north or south, east or west."""
_RECORD = 44
_BASES = {0x4C: 0x30, 0x58: 0x30, 0x3F0: 0x10, 0x2C: 0x10}
"""Variant dword at 0x0C to the place of the record."""
_REACH = 0x1000
"""How far into the block the record is looked for where its layout is not known."""
_LETTERS = re.compile(rb"A[NS][EW]\0")


class Block(NamedTuple):
    """``number`` counts the blocks of the file from 0; void and damaged ones count too."""

    number: int
    offset: int
    reading: Reading | None


def parse_block(block: bytes) -> Reading | None:
    """The fix in a ``freeGPS`` block; None when it is void, damaged or out of range: refused, not repaired."""
    if block[4:12] != MARK or len(block) < 16:
        return None
    (variant,) = struct.unpack_from("<I", block, 12)
    base = _BASES.get(variant)
    if base is not None and block[base + _STATUS : base + _STATUS + 1] == b"A":
        return parse_record(block, base)
    for letters in reversed(list(_LETTERS.finditer(block, 16 + _STATUS, _REACH))):
        found = parse_record(block, letters.start() - _STATUS)
        if found is not None:
            return found
    return None


def parse_record(data: bytes, base: int) -> Reading | None:
    """The record at ``base``, as layouts A and B and the transport stream have it."""
    if base < 0 or len(data) < base + _RECORD:
        return None
    hour, minute, second, year, month, day = struct.unpack_from("<6I", data, base)
    if not _LETTERS.match(data, base + _STATUS) or not 0 < year < 100:
        return None
    raw_lat, raw_lon, knots, heading = struct.unpack_from("<4f", data, base + _STATUS + 4)
    lat, lon, utc = degrees(raw_lat, 90), degrees(raw_lon, 180), moment(2000 + year, month, day, hour, minute, second)
    if lat is None or lon is None or utc is None or raw_lat == 0:  # Akaso's encrypted records say latitude 0
        return None
    south, west = data[base + _STATUS + 1] == ord("S"), data[base + _STATUS + 2] == ord("W")
    return reading(None, utc, -lat if south else lat, -lon if west else lon, knots * KNOT_MPS, heading)


def read(path: Path) -> list[Reading]:
    """All fixes in media time; empty when the file carries none. ``OSError`` when it cannot be read."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        moov = boxes.read_moov(file, size) or b""
        tracks = _tracks(moov)
        found, whole = _by_table(file, moov, size)
        if not whole:
            found = _more(found, _by_search(file, _gaps(tracks, size), _NEAR))
        if not _count(found):
            found = _by_search(file, [(0, size)], size)
    times = _media_times(tracks, found)
    return [replace(block.reading, t_s=t_s) for t_s, block in zip(times, found, strict=True) if block.reading]


def _tracks(moov: bytes) -> list[boxes.MediaTrack]:
    try:
        return boxes.tracks(moov)
    except boxes.MalformedBox:
        return []


def _count(blocks: list[Block]) -> int:
    return sum(block.reading is not None for block in blocks)


def _more(a: list[Block], b: list[Block]) -> list[Block]:
    return b if _count(b) > _count(a) else a


def _by_table(file: BinaryIO, moov: bytes, size: int) -> tuple[list[Block], bool]:
    """The blocks that moov's ``gps `` box lists, and whether these are all: the table has 32-bit offsets."""
    tables = boxes.children(moov, "gps ")
    if not tables or len(tables[0]) < 8:
        return [], False
    count = min(struct.unpack_from(">I", tables[0], 4)[0], (len(tables[0]) - 8) // 8, MAX_BLOCKS)
    found, astray = [], 0
    for number in range(count):
        offset, length = struct.unpack_from(">II", tables[0], 8 + 8 * number)
        file.seek(offset)
        block = file.read(min(length, _BLOCK))
        if block[4:12] == MARK:
            found.append(Block(number, offset, parse_block(block)))
        elif offset < size:
            astray += 1
    return found, bool(found) and not astray and size < 1 << 32


def _gaps(tracks: list[boxes.MediaTrack], size: int) -> list[tuple[int, int]]:
    """The stretches of the file that hold no frame and no sound, where blocks can be."""
    if not tracks:
        return []
    starts = np.concatenate([track.samples.offsets for track in tracks]).clip(0, size)
    ends = np.concatenate([track.samples.offsets + track.samples.sizes for track in tracks]).clip(0, size)
    order = np.argsort(starts)
    reached = np.maximum.accumulate(np.append(0, ends[order]))
    begins = np.append(starts[order], size)
    wide = begins - reached >= _HEAD
    return [(int(a), int(b)) for a, b in zip(reached[wide], begins[wide], strict=True)]


def _by_search(file: BinaryIO, stretches: list[tuple[int, int]], near: int) -> list[Block]:
    """The blocks found by their mark, each at most ``near`` behind the stretch's begin or the block before."""
    found: list[Block] = []
    if not stretches or stretches[-1][1] < _HEAD:
        return found
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for begin, end in stretches:
            place = data.find(MARK, max(begin, 4), min(begin + near, end))
            while place >= 0 and len(found) < MAX_BLOCKS:
                behind = data.find(MARK, place + len(MARK), min(place + near, end))
                limit = min(place - 4 + _BLOCK, end, behind - 4 if behind >= 0 else end)
                found.append(Block(len(found), place - 4, parse_block(data[place - 4 : limit])))
                place = behind
    return found


def _media_times(tracks: list[boxes.MediaTrack], found: list[Block]) -> list[float]:
    """Seconds after the first frame at which each block was written.

    A block belongs to the first frame behind it. Where the blocks are not spread between the frames (all at the end),
    or the frames are not known (no moov), the block's number is its second.
    """
    video = next((track for track in tracks if track.handler == b"vide" and track.samples.sizes.size), None)
    by_number = [float(block.number) for block in found]
    if video is None or not found:
        return by_number
    order = np.argsort(video.samples.offsets, kind="stable")
    times = (video.times_s - video.times_s.min())[order]
    places = np.searchsorted(video.samples.offsets[order], [block.offset for block in found])
    if len(set(places[places < times.size].tolist())) < max(1, len(found) * 0.8):
        return by_number
    return [float(t_s) for t_s in np.append(times, times.max())[places]]
