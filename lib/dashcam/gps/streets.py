"""Streets for the maps, out of one file of the household's own: a PMTiles archive, version 3 of its specification
(https://github.com/protomaps/PMTiles), of vector tiles or of pictures."""

import gzip
import json
import os
import re
import secrets
import shutil
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pmtiles.tile import (
    Compression,
    Entry,
    HeaderDict,
    MagicNumberNotFound,
    SpecVersionUnsupported,
    TileType,
    deserialize_directory,
    deserialize_header,
    find_tile,
    zxy_to_tileid,
)

from dashcam import Explained

HEADER = 127
"""Bytes."""
DEPTH = 4
"""Of directories, at most: a root, and leaves below it."""
LONGEST = 64 << 20
"""Bytes of one directory or tile; what asks for more is damaged."""
VECTOR = "application/vnd.mapbox-vector-tile"
TYPES = {TileType.MVT: VECTOR, TileType.PNG: "image/png", TileType.JPEG: "image/jpeg", TileType.WEBP: "image/webp"}
PACKED = {Compression.NONE: "", Compression.GZIP: "gzip", Compression.BROTLI: "br"}
"""What a browser unpacks by itself, in the words of ``Content-Encoding``."""
TAG = re.compile(r"<[^>]*>")
DAMAGED = (OSError, ValueError, LookupError, EOFError, TypeError, AttributeError, zlib.error)


@dataclass(frozen=True)
class Streets:
    """One file; ``stamp`` is another one when another file has taken its place."""

    file: Path
    stamp: str
    header: HeaderDict
    attribution: str
    """Whom the map is from, in plain text; empty where it does not say."""

    @property
    def media_type(self) -> str:
        return TYPES[self.header["tile_type"]]

    @property
    def packed(self) -> str:
        return PACKED[self.header["tile_compression"]]

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """South, west, north, east, in degrees."""
        of = self.header
        south, west, north, east = of["min_lat_e7"], of["min_lon_e7"], of["max_lat_e7"], of["max_lon_e7"]
        return south / 1e7, west / 1e7, north / 1e7, east / 1e7

    def tile(self, zoom: int, x: int, y: int) -> bytes | None:
        """As it lies in the file; None where the map has nothing. Raises `Explained`."""
        wanted = zxy_to_tileid(zoom, x, y)
        offset, length = self.header["root_offset"], self.header["root_length"]
        try:
            for _ in range(DEPTH):
                found = find_tile(directory(self.file, self.stamp, offset, length), wanted)
                if found is None:
                    return None
                if found.run_length:
                    return part_of(self.file, self.header["tile_data_offset"] + found.offset, found.length)
                offset, length = self.header["leaf_directory_offset"] + found.offset, found.length
        except DAMAGED as error:
            raise damaged(self.file, error) from None
        return None


def streets(file: Path) -> Streets | None:
    """What lies at ``file``; None where nothing does. Raises `Explained`."""
    try:
        about = file.stat()
    except OSError:
        return None
    return opened(file, f"{about.st_mtime_ns:x}-{about.st_size:x}-{about.st_ino:x}")


@lru_cache(maxsize=4)
def opened(file: Path, stamp: str) -> Streets:
    try:
        header = deserialize_header(part_of(file, 0, HEADER))
        if header["tile_type"] not in TYPES or header["tile_compression"] not in PACKED:
            raise Explained(f"{file} holds tiles that no browser can show: vector tiles, PNG, JPEG or WebP are needed.")
        if header["internal_compression"] != Compression.GZIP:
            raise Explained(f"{file} is packed in a way that is not read here: make it anew with `pmtiles extract`.")
        about = json.loads(gzip.decompress(part_of(file, header["metadata_offset"], header["metadata_length"])))
        said = TAG.sub("", str(about.get("attribution", ""))).strip()
    except MagicNumberNotFound:
        raise Explained(f"{file} is no PMTiles file: docs/ground.md says where to get one.") from None
    except SpecVersionUnsupported:
        raise Explained(
            f"{file} is of an older version of PMTiles: `pmtiles convert` makes it one of version 3."
        ) from None
    except DAMAGED as error:
        raise damaged(file, error) from None
    return Streets(file, stamp, header, said)


@lru_cache(maxsize=64)
def directory(file: Path, stamp: str, offset: int, length: int) -> list[Entry]:
    """To read one takes some milliseconds, and neighbours share it. ``stamp`` tells files of one name apart."""
    return deserialize_directory(part_of(file, offset, length))


def part_of(file: Path, offset: int, length: int) -> bytes:
    """Whole. Raises ``OSError``, ``EOFError``."""
    if not 0 <= length <= LONGEST:
        raise EOFError(f"a part of {length:,} bytes")
    with file.open("rb") as opened_file:
        opened_file.seek(offset)
        found = opened_file.read(length)
    if len(found) < length:
        raise EOFError("it ends too early")
    return found


def damaged(file: Path, error: BaseException) -> Explained:
    return Explained(f"The map {file} is damaged ({error}): get another copy of it.")


def put(source: Path, target: Path) -> Streets:
    """Copy a map to where the main server looks for it, whole or not at all, once it has been looked at. Raises
    `Explained`, ``OSError``."""
    found = streets(source)
    if found is None:
        raise Explained(f"There is no file {source}.")
    last = found.header["tile_data_offset"] + found.header["tile_data_length"]
    if source.stat().st_size < last:
        raise damaged(source, EOFError("it ends too early"))
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{secrets.token_hex(6)}.part")
    try:
        with source.open("rb") as read, part.open("xb") as written:
            shutil.copyfileobj(read, written, 1 << 20)
            written.flush()
            os.fsync(written.fileno())
        part.chmod(0o644)  # the main server's user reads it
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return found
