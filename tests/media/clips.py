"""Real, very small clips for tests: made by the sample generator's encoder."""

import io
import struct
from collections.abc import Iterator
from functools import cache

import numpy as np

from dashcam.media import boxes
from dashcam.sample.drive import START_LOCAL, encode
from dashcam.sample.plates import Drawing

FPS = 10


def _frames(count: int) -> Iterator[Drawing]:
    rng = np.random.default_rng(3)
    for _ in range(count):
        yield rng.integers(0, 255, (96, 128, 3), dtype=np.uint8)


@cache
def mp4(seconds: int = 3) -> bytes:
    """``seconds`` of 128x96 noise at ``FPS``, moov at the end."""
    return encode(_frames(seconds * FPS), (128, 96), FPS, START_LOCAL)


def faststart(data: bytes) -> bytes:
    """The same clip with moov before mdat, as editors and phones write it."""
    top = {found.kind: found for found in boxes.walk(io.BytesIO(data), 0, len(data))}
    moov, mdat = top[b"moov"], top[b"mdat"]
    shift = moov.end - moov.start
    body = bytearray(data[moov.start : moov.end])
    place = body.find(b"stco")
    (count,) = struct.unpack_from(">I", body, place + 8)
    offsets = np.frombuffer(bytes(body), ">u4", count, place + 12) + shift
    body[place + 12 : place + 12 + 4 * count] = offsets.astype(">u4").tobytes()
    return data[: mdat.start] + bytes(body) + data[mdat.start : mdat.end]


def with_hole(data: bytes, first: int, behind: int) -> bytes:
    """Zeros instead of these frames, as a bad spot of the card gives."""
    moov = next(found for found in boxes.walk(io.BytesIO(data), 0, len(data)) if found.kind == b"moov")
    samples = boxes.video_samples(data[moov.body : moov.end])
    assert samples is not None
    start, end = int(samples.offsets[first]), int((samples.offsets + samples.sizes)[behind - 1])
    return data[:start] + bytes(end - start) + data[end:]


def in_coding(entry: bytes) -> bytes:
    """A clip whose index says that its picture is coded in something else, by the four letters of its sample entry."""
    return mp4().replace(b"avc1", entry).replace(b"avcC", b"none")
