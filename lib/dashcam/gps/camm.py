"""GPS fixes in a camera motion metadata track (format ``camm``), as 360-degree cameras write it.

Format: developers.google.com/streetview/publish/camm-spec. Type 6 knows time, speed and lock, type 5 only the place.
"""

import math
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dashcam.gps.gpmf import payloads
from dashcam.gps.reading import Reading, reading
from dashcam.records import FixQuality

_EPOCH = datetime(1980, 1, 6, tzinfo=UTC)
_LEAP_SECONDS = 18
"""GPS time ahead of UTC since 2017."""
_PLACE, _FULL = "<3d", "<di2d7f"
_LOCKS: dict[int, FixQuality] = {2: "2d", 3: "3d"}


def read(path: Path) -> list[Reading]:
    """All fixes in media time; empty when there is no such track. ``OSError`` when the file cannot be read."""
    with path.open("rb") as file:
        samples = [_fix(start_s, payload) for start_s, _, payload in payloads(file, b"camm")]
    fixes = [one for one in samples if one is not None]
    timed = [one for one in fixes if one.utc is not None]
    return timed or fixes


def _fix(t_s: float, sample: bytes) -> Reading | None:
    kind = int.from_bytes(sample[2:4], "little")
    body = sample[4:]
    if kind == 5 and len(body) >= struct.calcsize(_PLACE):
        lat, lon, _ = struct.unpack_from(_PLACE, body)
        return reading(t_s, None, lat, lon)
    if kind == 6 and len(body) >= struct.calcsize(_FULL):
        seconds, lock, lat, lon, _, _, _, east, north, _, _ = struct.unpack_from(_FULL, body)
        if lock not in _LOCKS or not 0 < seconds < 4e9:
            return None
        utc = _EPOCH + timedelta(seconds=seconds - _LEAP_SECONDS)
        heading = math.degrees(math.atan2(east, north)) % 360 if east or north else None
        return reading(t_s, utc, lat, lon, math.hypot(east, north), heading, _LOCKS[lock])
    return None
