"""Clips with known positions, made to order as Novatek and other cameras write them."""

import io
import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import av
import numpy as np

from dashcam.media import boxes
from dashcam.sample.mux import BLOCK_SIZE, GpsRecord, Layout, block
from tests.media.clips import FPS, mp4

START = datetime(2026, 6, 28, 11, 34, 16, tzinfo=UTC)
SECONDS = 6


def drive(seconds: int = SECONDS, first_void: int = 1) -> list[GpsRecord]:
    """A second each; the first ones are void, as before the receiver has found its satellites."""
    return [
        GpsRecord(
            START + timedelta(seconds=i),
            52.3702 + i * 1e-4,
            4.8952 + i * 2e-4,
            7.5 + i,
            (355 + 3 * i) % 360,
            i >= first_void,
        )
        for i in range(seconds)
    ]


def variable_block(record: GpsRecord, place: int = 0x90) -> bytes:
    """A block as the A329 writes it: a variant nobody lists, the record somewhere in it, and letters before that."""
    plain = block(record, "A")
    data = bytearray(BLOCK_SIZE)
    data[:16] = plain[:12] + struct.pack("<I", 0x7A0)
    data[0x40:0x44] = b"ANE\0"
    data[place : place + 44] = plain[0x30 : 0x30 + 44]
    return bytes(data)


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def write_clip(
    path: Path,
    records: Sequence[GpsRecord],
    *,
    layout: Layout | Literal["variable"] = "B",
    blocks: Literal["between", "middle", "tail"] = "between",
    table: Literal["before udta", "after udta", "none"] = "before udta",
    hole: int = 0,
    table_ends: int | None = None,
) -> Path:
    """A Novatek MP4 of ``len(records)`` seconds; ``hole`` bytes of nothing (sparse) lie in its middle.

    The table lists no block that lies behind ``table_ends``.
    """
    source = mp4(len(records))
    top = {found.kind: found for found in boxes.walk(io.BytesIO(source), 0, len(source))}
    moov = source[top[b"moov"].body : top[b"moov"].end]
    samples = boxes.video_samples(moov)
    assert samples is not None
    frames = [source[a : a + n] for a, n in zip(samples.offsets.tolist(), samples.sizes.tolist(), strict=True)]
    made = [variable_block(one) if layout == "variable" else block(one, layout) for one in records]
    offsets, places = [], []
    with path.open("wb") as file:
        file.write(source[: top[b"mdat"].start])
        start = file.tell()
        file.write(struct.pack(">I4sQ", 1, b"mdat", 0))
        for index, frame in enumerate(frames):
            if hole and index == len(frames) // 2 + 1:
                file.seek(hole, io.SEEK_CUR)
            if index % FPS == 0 and blocks == "between":
                places.append(file.tell())
                file.write(made[index // FPS])
            for one in made if blocks == "middle" and index == len(frames) // 2 else ():
                places.append(file.tell())
                file.write(one)
            offsets.append(file.tell())
            file.write(frame)
        for one in made if blocks == "tail" else ():
            places.append(file.tell())
            file.write(one)
        end = file.tell()
        listed = [place for place in places if table_ends is None or place < table_ends]
        file.write(_moov(moov, offsets, _table(listed), table))
        file.seek(start + 8)
        file.write(struct.pack(">Q", end - start))
    return path


def _table(places: Sequence[int]) -> bytes:
    entries = b"".join(struct.pack(">II", place & 0xFFFFFFFF, BLOCK_SIZE) for place in places)
    return box(b"gps ", struct.pack(">II", 0x101, len(places)), entries)


def _moov(moov: bytes, offsets: Sequence[int], gps: bytes, table: str) -> bytes:
    parts = [box(found.kind, _moved(moov, found, offsets)) for found in boxes.walk(io.BytesIO(moov), 0, len(moov))]
    kinds = [part[4:8] for part in parts]
    udta = kinds.index(b"udta")
    if table == "before udta":
        parts.insert(udta, gps)
    elif table == "after udta":
        parts.insert(udta + 1, gps)
    return box(b"moov", *parts)


def _moved(data: bytes, found: boxes.Mp4Box, offsets: Sequence[int]) -> bytes:
    """A box's content with every frame in a chunk of its own at these offsets."""
    body = data[found.body : found.end]
    inner = list(boxes.walk(io.BytesIO(body), 0, len(body)))
    if found.kind == b"stbl":
        kept = [body[one.start : one.end] for one in inner if one.kind not in (b"stsc", b"stco", b"co64")]
        co64 = box(b"co64", struct.pack(">II", 0, len(offsets)), np.array(offsets, ">u8").tobytes())
        return b"".join([*kept, box(b"stsc", struct.pack(">5I", 0, 1, 1, 1, 1)), co64])
    if found.kind in (b"trak", b"mdia", b"minf"):
        return b"".join(box(one.kind, _moved(body, one, offsets)) for one in inner)
    return body


def transport(records: Sequence[GpsRecord], *, prefix: int = 0, first_pts_s: float = 1.4) -> bytes:
    """A transport stream of ``len(records)`` seconds with a private packet before each second's first frame.

    ``first_pts_s`` near 2**33 / 90,000 makes its clock wrap.
    """
    plain = _plain_transport(len(records), first_pts_s)
    rows = [plain[place : place + 188] for place in range(0, len(plain), 188)]
    made, frame, counter = [], 0, 0
    for row in rows:
        if _begins_video(row):
            if frame % FPS == 0:
                payload = bytes(prefix) + block(records[frame // FPS], "B")[0x10:]
                made += _private(payload[:1008], counter)
                counter += 6
            frame += 1
        made.append(row)
    return b"".join(made)


def _plain_transport(seconds: int, first_pts_s: float) -> bytes:
    buffer = io.BytesIO()
    with av.open(io.BytesIO(mp4(seconds))) as source, av.open(buffer, "w", format="mpegts") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.pts is not None and packet.dts is not None and packet.time_base is not None:
                shift = round(first_pts_s / packet.time_base)
                packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, stream
                out.mux(packet)
    return buffer.getvalue()


def _begins_video(row: bytes) -> bool:
    body = row[5 + row[4] :] if row[3] & 0x20 else row[4:]
    return bool(row[1] & 0x40) and body[:4] == b"\0\0\1\xe0"


def _private(payload: bytes, counter: int) -> list[bytes]:
    """The packets of one private PES packet on PID 0x300, which no table lists."""
    pes = b"\0\0\1\xbf" + struct.pack(">H", len(payload)) + payload
    parts = [pes[place : place + 184] for place in range(0, len(pes), 184)]
    made = []
    for number, part in enumerate(parts):
        pid = 0x4300 if number == 0 else 0x0300
        short = 184 - len(part)
        fill = b"" if not short else bytes([short - 1]) + (b"\0" + b"\xff" * (short - 2) if short > 1 else b"")
        flags = (0x30 if short else 0x10) | (counter + number) & 15
        made.append(struct.pack(">BHB", 0x47, pid, flags) + fill + part)
    return made


def with_track(format: bytes, samples: Sequence[bytes], every_s: float) -> bytes:
    """A clip with a metadata track of its own beside the video, as 360-degree and action cameras write."""
    source = mp4(max(1, round(len(samples) * every_s)))
    top = {found.kind: found for found in boxes.walk(io.BytesIO(source), 0, len(source))}
    moov = source[top[b"moov"].body : top[b"moov"].end]
    data = box(b"mdat", *samples)
    offsets = np.cumsum([len(source) + 8, *(len(one) for one in samples[:-1])])
    scale, count = 1000, len(samples)
    duration = round(count * every_s * scale)
    stbl = box(
        b"stbl",
        box(b"stsd", struct.pack(">II", 0, 1), box(format, bytes(6), struct.pack(">H", 1))),
        box(b"stts", struct.pack(">IIII", 0, 1, count, round(every_s * scale))),
        box(b"stsc", struct.pack(">5I", 0, 1, 1, 1, 1)),
        box(b"stsz", struct.pack(">III", 0, 0, count), np.array([len(one) for one in samples], ">u4").tobytes()),
        box(b"co64", struct.pack(">II", 0, count), offsets.astype(">u8").tobytes()),
    )
    trak = box(
        b"trak",
        box(b"tkhd", struct.pack(">IIIIII", 0, 0, 0, 9, 0, duration), bytes(60)),
        box(
            b"mdia",
            box(b"mdhd", struct.pack(">IIIIIHH", 0, 0, 0, scale, duration, 0x55C4, 0)),
            box(b"hdlr", bytes(8), b"meta", bytes(12), b"telemetry\0"),
            box(b"minf", box(b"nmhd", bytes(4)), stbl),
        ),
    )
    place = moov.index(b"udta") - 4
    grown = moov[:place] + trak + moov[place:]
    # the old index stays as free space, so that no frame moves; the new one stands behind the samples
    freed = source.replace(b"moov", b"free", 1) if source.count(b"moov") == 1 else source
    return freed + data + box(b"moov", grown)
