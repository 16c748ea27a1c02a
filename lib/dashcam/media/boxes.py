"""Walk the boxes of an MP4/MOV file (ISO/IEC 14496-12) and tell whether what it promises is inside the file.

FFmpeg opens a clip whose second half is missing and reports its full length; the box sizes and the sample table do not
lie. Nothing the file says is trusted: sizes are checked against the file, counts against the box they stand in.
"""

import io
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

MAX_BOXES = 20_000
"""More boxes than this on one level is no recording."""
MAX_MOOV = 64 * 1024 * 1024
MAX_SAMPLES = 2_000_000
"""18 hours at 30 frames a second."""
TOP_LEVEL = frozenset(b"ftyp moov mdat free skip wide frea pnot uuid styp sidx moof mfra udta".split())


class MalformedBox(ValueError):
    """A box or a table contradicts itself."""


@dataclass(frozen=True)
class Mp4Box:
    """A box: ``[start, end)`` in the file, its content from ``body``. ``cut`` when it promises more than there is."""

    kind: bytes
    start: int
    body: int
    end: int
    cut: bool = False


def walk(file: BinaryIO, start: int, end: int) -> Iterator[Mp4Box]:
    """The boxes between two offsets; stops at the first that makes no sense, never loops, never reads contents."""
    for _ in range(MAX_BOXES):
        if end - start < 8:
            return
        file.seek(start)
        header = file.read(16)
        if len(header) < 8:
            return
        size, kind = struct.unpack_from(">I4s", header)
        body = start + 8
        if size == 1:
            if len(header) < 16:
                return
            (size,) = struct.unpack_from(">Q", header, 8)
            body = start + 16
        elif size == 0:
            size = end - start
        if start + size < body:
            return
        yield Mp4Box(kind, start, body, min(start + size, end), cut=start + size > end)
        start += size


def children(data: bytes, path: str) -> list[bytes]:
    """Contents of all boxes at a path below ``data``, e.g. ``trak/mdia/minf``."""
    found = [data]
    for kind in path.split("/"):
        name = kind.encode("latin-1")
        found = [
            inside[box.body : box.end]
            for inside in found
            for box in walk(io.BytesIO(inside), 0, len(inside))
            if box.kind == name
        ]
    return found


def _table(data: bytes, kind: str, dtype: str, columns: int = 1, header: int = 4) -> NDArray[np.int64]:
    """The entries of a counted table as (n, columns); the count must fit into the box."""
    tables = children(data, kind)
    if not tables:
        return np.empty((0, columns), np.int64)
    table = tables[0]
    if len(table) < header + 4:
        raise MalformedBox(f"{kind} is too short")
    (count,) = struct.unpack_from(">I", table, header)
    if count > MAX_SAMPLES:
        raise MalformedBox(f"{kind} promises {count} entries")
    width = np.dtype(dtype).itemsize * columns
    if count * width > len(table) - header - 4:
        raise MalformedBox(f"{kind} promises {count} entries and has room for {(len(table) - header - 4) // width}")
    values = np.frombuffer(table, dtype, count * columns, header + 4)
    return values.astype(np.int64).reshape(count, columns)


@dataclass(frozen=True)
class Samples:
    """File offset and size in bytes of every sample of a track, in decoding order."""

    offsets: NDArray[np.int64]
    sizes: NDArray[np.int64]


def samples(stbl: bytes) -> Samples:
    """Where a track's samples lie, from stsz, stsc and stco/co64; ``MalformedBox`` when these contradict themselves."""
    same, count = _sizes(stbl)
    if count > MAX_SAMPLES:
        raise MalformedBox(f"{count} frames")
    sizes = np.full(count, same, np.int64) if same else _table(stbl, "stsz", ">u4", header=8)[:, 0]
    if not sizes.size:
        return Samples(np.empty(0, np.int64), sizes)
    chunks, held = _chunks(stbl, sizes.size)
    ends = np.cumsum(sizes)
    last = np.cumsum(held)
    before_chunk = np.append(0, ends)[last - held]
    inside_chunk = ends - sizes - np.repeat(before_chunk, held)
    return Samples(np.repeat(chunks, held) + inside_chunk, sizes)


def _sound(stbl: bytes) -> Samples:
    """As `samples`; where all have one size (PCM, millions of two bytes) a whole chunk is one sample."""
    same, count = _sizes(stbl)
    if not same or not count:
        return samples(stbl)
    chunks, held = _chunks(stbl, count)
    return Samples(chunks, held * same)


def _chunks(stbl: bytes, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Offset of each chunk, and how many of the ``count`` samples it holds."""
    chunks = np.concatenate([_table(stbl, "stco", ">u4")[:, 0], _table(stbl, "co64", ">u8")[:, 0]])
    runs = _table(stbl, "stsc", ">u4", 3)
    if not chunks.size or not runs.size:
        raise MalformedBox("frames without chunks")
    first = runs[:, 0] - 1
    if first[0] != 0 or (np.diff(first) <= 0).any() or first[-1] >= chunks.size:
        raise MalformedBox("stsc is out of order")
    per_chunk = np.minimum(np.repeat(runs[:, 1], np.diff(np.append(first, chunks.size))), count)
    last = np.minimum(np.cumsum(per_chunk), count)
    if last[-1] < count:
        raise MalformedBox("fewer chunks than frames")
    return chunks, np.diff(last, prepend=0)


def _sizes(stbl: bytes) -> tuple[int, int]:
    """The size that all samples have, 0 when each has its own, and how many there are."""
    tables = children(stbl, "stsz")
    if not tables:
        raise MalformedBox("no frame sizes")
    if len(tables[0]) < 12:
        raise MalformedBox("stsz is too short")
    same, count = struct.unpack_from(">II", tables[0], 4)
    return same, count


@dataclass(frozen=True)
class Check:
    """What the boxes say. ``frames`` of the video are promised, ``inside`` of these lie within the file."""

    state: Literal["ok", "empty", "not_video", "no_moov", "cut", "broken"]
    frames: int = 0
    inside: int = 0


def read_moov(file: BinaryIO, size: int) -> bytes | None:
    """The content of the whole moov box, or None."""
    for box in walk(file, 0, size):
        if box.kind == b"moov" and not box.cut:
            if box.end - box.body > MAX_MOOV:
                return None
            file.seek(box.body)
            return file.read(box.end - box.body)
    return None


@dataclass(frozen=True)
class MediaTrack:
    """A track of moov: its samples in decoding order, and the time of each after the track's own zero, in seconds."""

    handler: bytes
    """``vide``, ``soun``, ``meta`` and so on."""
    format: bytes
    """Of the first sample entry: ``avc1``, ``gpmd``, ``camm``."""
    samples: Samples
    times_s: NDArray[np.float64]
    duration_s: float


def tracks(moov: bytes) -> list[MediaTrack]:
    """All tracks with samples; ``MalformedBox`` when a table contradicts itself."""
    found = []
    for trak in children(moov, "trak"):
        handler, table = _first(trak, "mdia/hdlr"), _first(trak, "mdia/minf/stbl")
        if table and children(table, "stsz"):
            where = _sound(table) if handler[8:12] == b"soun" else samples(table)
            scale, duration = _media_header(_first(trak, "mdia/mdhd"))
            times = _times(table, where.sizes.size) / scale
            entry = _first(table, "stsd")[12:16]
            found.append(MediaTrack(handler[8:12], entry, where, times, duration / scale))
    return found


def _first(data: bytes, path: str) -> bytes:
    found = children(data, path)
    return found[0] if found else b""


def _media_header(mdhd: bytes) -> tuple[int, int]:
    """Time scale and duration of a track."""
    wide = mdhd[:1] == b"\1"
    if len(mdhd) < (32 if wide else 20):
        raise MalformedBox("mdhd is too short")
    scale, duration = struct.unpack_from(">IQ" if wide else ">II", mdhd, 20 if wide else 12)
    if not scale:
        raise MalformedBox("a time scale of zero")
    return scale, duration


def _times(stbl: bytes, count: int) -> NDArray[np.float64]:
    """Presentation time of each sample in units of the time scale; steps that are missing are zero."""
    steps = _runs(_table(stbl, "stts", ">u4", 2), count)
    shifts = _runs(_table(stbl, "ctts", ">i4", 2), count)
    return (np.cumsum(steps) - steps + shifts).astype(np.float64)


def _runs(runs: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """(how many, value) pairs written out, exactly ``count`` values."""
    many = np.clip(runs[:, 0], 0, count)
    kept = np.cumsum(many) - many < count
    values = np.repeat(runs[kept, 1], many[kept])[:count]
    return np.pad(values, (0, count - values.size))


def video_samples(moov: bytes) -> Samples | None:
    """The samples of the first video track, or None when there is no such track."""
    for trak in children(moov, "trak"):
        if _first(trak, "mdia/hdlr")[8:12] == b"vide":
            tables = children(trak, "mdia/minf/stbl")
            return samples(tables[0]) if tables else None
    return None


def check(path: Path) -> Check:
    """Look at an MP4/MOV file's plumbing without decoding, in milliseconds. ``OSError`` when it cannot be read."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            return Check("empty")
        kinds = {box.kind for box in walk(file, 0, size)}
        if not kinds & TOP_LEVEL or next(walk(file, 0, size)).kind not in TOP_LEVEL:
            return Check("not_video")
        moov = read_moov(file, size)
        if moov is None:
            return Check("no_moov")
    try:
        found = video_samples(moov)
    except MalformedBox:
        return Check("broken")
    if found is None:
        return Check("not_video")
    if not found.sizes.size:
        return Check("ok" if b"moof" in kinds else "broken")
    inside = int(((found.offsets >= 0) & (found.offsets + found.sizes <= size)).sum())
    return Check("ok" if inside == found.sizes.size else "cut", found.sizes.size, inside)
