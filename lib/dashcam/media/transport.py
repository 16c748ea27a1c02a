"""Walk an MPEG transport stream (ISO/IEC 13818-1) by its packets, listed in its tables or not.

Viofo's TS mode writes positions as private PES packets on a PID that no table names, so a demuxer drops them.
"""

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

SYNC = 0x47
PRIVATE_2 = 0xBF
PTS_WRAP = 1 << 33
PTS_HZ = 90_000
_SIZES = (188, 192, 204)
"""Bytes per packet: plain, with a time stamp before it (M2TS), with parity behind it."""
_ALIGNED = 8
"""So many sync bytes at one distance are no coincidence."""
HEAD = 65_536
_BATCH = 50_000
_MAX_PAYLOAD = 4096
"""Of a private packet; real ones have about 1 KB."""


@dataclass(frozen=True)
class Pes:
    """The start of a video frame with its ``pts_s``, or a whole private packet with its ``payload``."""

    offset: int
    stream_id: int
    pts_s: float | None = None
    payload: bytes = b""


@dataclass
class Stream:
    """What a walk has met so far. ``wraps`` counts how often the 33-bit clock began again."""

    packets: int = 0
    lost: int = 0
    """Packets without their sync byte."""
    wraps: int = 0
    _base: int = 0
    _last: int | None = None

    def seconds(self, pts: int) -> float:
        """PTS in order of the file as a time that goes on where the 33-bit clock wraps."""
        if self._last is not None:
            if self._last - pts > PTS_WRAP // 2:
                self._base += PTS_WRAP
                self.wraps += 1
            elif pts - self._last > PTS_WRAP // 2:
                self._base -= PTS_WRAP
        self._last = pts
        return (self._base + pts) / PTS_HZ


@dataclass
class _Parts:
    """A private packet being put together from transport packets of one PID."""

    offset: int
    data: bytearray = field(default_factory=bytearray)
    wanted: int = 0


def layout(head: bytes) -> tuple[int, int] | None:
    """(packet size, place of the first sync byte) when the head of a file is a transport stream, else None."""
    data = np.frombuffer(head, np.uint8) == SYNC
    for size in _SIZES:
        length = len(data) - (_ALIGNED - 1) * size
        if length > 0:
            aligned = np.logical_and.reduce([data[n * size : n * size + length] for n in range(_ALIGNED)])
            if aligned.any():
                return size, int(aligned.argmax())
    return None


def walk(file: BinaryIO, stream: Stream) -> Iterator[Pes]:
    """Starts of video frames, and private packets (`PRIVATE_2`), by place in the file. Damaged packets are skipped."""
    file.seek(0)
    found = layout(file.read(HEAD))
    if found is None:
        return
    size, begin = found
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        open_parts: dict[int, _Parts] = {}
        total = (len(data) - begin + size - 188) // size
        for first in range(0, total, _BATCH):
            start, end = begin + first * size, begin + min(first + _BATCH, total) * size
            raw = data[start:end].ljust(end - start, b"\0")
            rows = np.frombuffer(raw, np.uint8).reshape(-1, size)[:, :188]
            yield from _batch(rows, start, size, stream, open_parts)


def _batch(
    rows: NDArray[np.uint8], offset: int, size: int, stream: Stream, open_parts: dict[int, _Parts]
) -> Iterator[Pes]:
    good = rows[:, 0] == SYNC
    stream.packets += len(rows)
    stream.lost += int((~good).sum())
    pids = (rows[:, 1].astype(np.int32) & 0x1F) << 8 | rows[:, 2]
    starts = good & (rows[:, 1] & 0x40 > 0) & (rows[:, 3] & 0x10 > 0)
    begun = {int(row) for row in np.flatnonzero(starts)}
    private = {int(pids[row]) for row in begun if _stream_id(rows[row]) == PRIVATE_2} | set(open_parts)
    wanted = starts | (good & np.isin(pids, list(private)))
    for row in np.flatnonzero(wanted):
        packet, pid, place = rows[row].tobytes(), int(pids[row]), offset + int(row) * size
        body = _payload(packet)
        if row in begun:
            open_parts.pop(pid, None)
            stream_id = body[3] if body[:3] == b"\0\0\1" and len(body) > 6 else 0
            if stream_id == PRIVATE_2:
                open_parts[pid] = _Parts(place, wanted=6 + int.from_bytes(body[4:6], "big"))
            elif 0xE0 <= stream_id <= 0xEF and (pts := _pts(body)) is not None:
                yield Pes(place, stream_id, stream.seconds(pts))
        parts = open_parts.get(pid)
        if parts is not None:
            parts.data += body
            if len(parts.data) >= min(parts.wanted, _MAX_PAYLOAD):
                yield Pes(parts.offset, PRIVATE_2, payload=bytes(parts.data[6 : parts.wanted]))
                del open_parts[pid]


def _payload(packet: bytes) -> bytes:
    """Behind the header and the adaptation field."""
    if not packet[3] & 0x10:
        return b""
    return packet[5 + packet[4] :] if packet[3] & 0x20 else packet[4:]


def _stream_id(row: NDArray[np.uint8]) -> int:
    body = _payload(row[:].tobytes())
    return body[3] if body[:3] == b"\0\0\1" and len(body) > 6 else 0


def _pts(pes: bytes) -> int | None:
    if len(pes) < 14 or not pes[7] & 0x80:
        return None
    a, b, c, d, e = pes[9:14]
    return (a & 0x0E) << 29 | b << 22 | (c & 0xFE) << 14 | d << 7 | e >> 1
