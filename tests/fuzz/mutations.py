"""Clips damaged in every way that cards, copies and people damage them; each from its own seed."""

import io
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av

Random = random.Random
CONTAINERS = {"mpegts": ".TS", "matroska": ".MKV", "avi": ".AVI", "mov": ".MOV"}
SUFFIXES = (".MP4", ".TS", ".MKV", ".AVI", ".MOV", ".m4v", ".3gp")


@dataclass(frozen=True)
class Source:
    """A whole clip."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Mutant:
    """``of`` says what was done to which clip."""

    name: str
    data: bytes
    of: str


def remuxed(source: Source, format: str) -> Source | None:
    """The same coded video in another container; None where that does not hold it."""
    target = io.BytesIO()
    try:
        with av.open(io.BytesIO(source.data)) as read, av.open(target, "w", format=format) as write:
            old = read.streams.video[0]
            new = write.add_stream_from_template(old)
            for packet in read.demux(old):
                if packet.dts is not None:
                    packet.stream = new
                    write.mux(packet)
    except (av.error.FFmpegError, ValueError):
        return None
    return Source(f"{Path(source.name).stem}{CONTAINERS[format]}", target.getvalue())


def with_other_containers(sources: Sequence[Source]) -> list[Source]:
    made = [remuxed(source, format) for source in sources for format in CONTAINERS]
    return [*sources, *(one for one in made if one is not None and one.data)]


def mutant(sources: Sequence[Source], seed: int) -> Mutant:
    """The same for the same sources and seed."""
    chance = Random(seed)
    source = chance.choice(list(sources))
    kind, mutate = chance.choice(MUTATIONS)
    data, how = mutate(source.data, chance, sources)
    suffix = chance.choice(SUFFIXES) if kind == "renamed" else Path(source.name).suffix
    return Mutant(f"{seed:06}_{kind}{suffix}", data, f"{source.name}: {kind}{f' ({how})' if how else ''}")


def flipped(data: bytes, chance: Random, places: Sequence[tuple[int, int]]) -> bytes:
    """1 to 40 bits in these stretches."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 40)):
        begin, end = chance.choice(list(places))
        changed[chance.randrange(begin, end)] ^= 1 << chance.randrange(8)
    return bytes(changed)


def bits(data: bytes, chance: Random, _: Sequence[Source]) -> tuple[bytes, str]:
    return flipped(data, chance, [(0, len(data))]), "anywhere"


def bits_of_index(data: bytes, chance: Random, _: Sequence[Source]) -> tuple[bytes, str]:
    """In ``moov`` where there is one, else in the head."""
    at = data.find(b"moov")
    if at < 4:
        return flipped(data, chance, [(0, min(2048, len(data)))]), "in the head"
    end = min(len(data), at - 4 + max(8, int.from_bytes(data[at - 4 : at], "big")))
    return flipped(data, chance, [(at - 4, end)]), "in moov"


def cut(data: bytes, chance: Random, _: Sequence[Source]) -> tuple[bytes, str]:
    keep = chance.randrange(len(data))
    return data[:keep], f"after {keep}"


def beheaded(data: bytes, chance: Random, _: Sequence[Source]) -> tuple[bytes, str]:
    gone = chance.randrange(1, len(data))
    return data[gone:], f"without its first {gone}"


def stretch(data: bytes, chance: Random) -> tuple[int, int]:
    length = chance.randint(1, max(1, int(len(data) * chance.choice((0.001, 0.02, 0.3)))))
    begin = chance.randrange(len(data))
    return begin, min(len(data), begin + length)


def hole(data: bytes, chance: Random, _: Sequence[Source]) -> tuple[bytes, str]:
    begin, end = stretch(data, chance)
    return data[:begin] + bytes(end - begin) + data[end:], f"{begin} to {end}"


def junk(data: bytes, chance: Random, _: Sequence[Source]) -> tuple[bytes, str]:
    begin, end = stretch(data, chance)
    return data[:begin] + chance.randbytes(end - begin) + data[end:], f"{begin} to {end}"


def missing(data: bytes, chance: Random, _: Sequence[Source]) -> tuple[bytes, str]:
    begin, end = stretch(data, chance)
    return data[:begin] + data[end:], f"{begin} to {end}"


def twice(data: bytes, chance: Random, _: Sequence[Source]) -> tuple[bytes, str]:
    begin, end = stretch(data, chance)
    return data[:end] + data[begin:], f"{begin} to {end}"


def shuffled(data: bytes, chance: Random, _: Sequence[Source]) -> tuple[bytes, str]:
    """Clusters of a card in the wrong order."""
    size = chance.choice((4096, 32768, 131072))
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    for _ in range(chance.randint(1, 5)):
        a, b = chance.randrange(len(parts)), chance.randrange(len(parts))
        parts[a], parts[b] = parts[b], parts[a]
    return b"".join(parts), f"clusters of {size}"


def spliced(data: bytes, chance: Random, sources: Sequence[Source]) -> tuple[bytes, str]:
    """The head of one and the rest of another."""
    other = chance.choice(list(sources))
    at, goes_on = chance.randrange(1, len(data)), chance.randrange(len(other.data))
    return data[:at] + other.data[goes_on:], f"{at} of it, then {other.name} from {goes_on}"


def appended(data: bytes, chance: Random, sources: Sequence[Source]) -> tuple[bytes, str]:
    other = chance.choice(list(sources))
    return data + other.data, f"then {other.name}"


def foreign_index(data: bytes, chance: Random, sources: Sequence[Source]) -> tuple[bytes, str]:
    """Its own frames under the ``moov`` of another clip."""
    other = chance.choice(list(sources))
    mine, theirs = data.find(b"moov"), other.data.find(b"moov")
    if mine < 4 or theirs < 4:
        return spliced(data, chance, sources)
    end = mine - 4 + int.from_bytes(data[mine - 4 : mine], "big")
    end_of_theirs = theirs - 4 + int.from_bytes(other.data[theirs - 4 : theirs], "big")
    return data[: mine - 4] + other.data[theirs - 4 : end_of_theirs] + data[end:], f"moov of {other.name}"


def renamed(data: bytes, chance: Random, _: Sequence[Source]) -> tuple[bytes, str]:
    return data, ""


Mutate = Callable[[bytes, Random, Sequence[Source]], tuple[bytes, str]]
MUTATIONS: Sequence[tuple[str, Mutate]] = [
    (mutate.__name__, mutate)
    for mutate in (
        bits, bits_of_index, bits_of_index, cut, beheaded, hole, junk, missing, twice, shuffled, spliced, appended,
        foreign_index, renamed,
    )
]  # fmt: skip
