"""GPS fixes of every other camera, through ExifTool as a program of its own when it is installed.

70mai, Nextbase, Garmin, Kenwood, LigoGPS and many more; what it says is range-checked like anything else.
"""

import json
import re
import shutil
import subprocess
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dashcam.gps.reading import Reading, reading

TIMEOUT_S = 120.0
MISSING = "ExifTool is not installed; with it the positions of many more cameras are read (apt install exiftool)."
_SPEED_UNITS = {"K": 1 / 3.6, "M": 0.44704, "N": 0.514444}
_WANTED = ("GPSLatitude", "GPSLongitude", "GPSSpeed", "GPSSpeedRef", "GPSTrack", "GPSDateTime", "SampleTime", "Warning")
_TIME = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,6})?)\d*(Z|[+-]\d\d:\d\d)?")


def installed() -> bool:
    return shutil.which("exiftool") is not None


def read(path: Path) -> list[Reading]:
    """All fixes in media time; empty when there are none, ExifTool is not there or does not come to an end."""
    if not installed():
        return []
    # no configuration, which is a program; -ee3: streams that no table lists too; -G3 and -a: every point apart
    command = ["exiftool", "-config", "", "-ee3", "-json", "-n", "-G3", "-a", "-q", "-q", "-api", "LargeFileSupport=1"]
    command += [f"-{tag}" for tag in _WANTED]
    try:
        done = subprocess.run(
            [*command, str(path.absolute())],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        documents = json.loads(done.stdout or "[]")
    except (subprocess.TimeoutExpired, ValueError, RecursionError):
        return []
    points: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for key, value in (documents[0] if documents else {}).items():
        group, _, tag = key.partition(":")
        if tag == "Warning" and "will be wrong" in str(value):  # encrypted positions that it knows it cannot read
            return []
        if group.startswith("Doc"):
            points[group][tag] = value
    found = [_reading(point) for point in points.values()]
    return [one for one in _in_media_time(found) if one is not None]


def _reading(point: dict[str, Any]) -> tuple[float | None, Reading | None]:
    try:
        lat, lon = float(point["GPSLatitude"]), float(point["GPSLongitude"])
        speed = float(point["GPSSpeed"]) * _SPEED_UNITS[point.get("GPSSpeedRef", "K")] if "GPSSpeed" in point else None
        heading = float(point["GPSTrack"]) if "GPSTrack" in point else None
        t_s = float(point["SampleTime"]) if "SampleTime" in point else None
    except (KeyError, TypeError, ValueError):
        return None, None
    utc = _utc(point.get("GPSDateTime"))
    return t_s, reading(t_s if t_s is not None else 0.0, utc, lat, lon, speed, heading)


def _utc(text: Any) -> datetime | None:
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    year, month, day, clock, zone = match.groups()
    try:
        return datetime.fromisoformat(
            f"{year}-{month}-{day}T{clock}{'+00:00' if zone in (None, 'Z') else zone}"
        ).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _in_media_time(found: list[tuple[float | None, Reading | None]]) -> list[Reading | None]:
    """Where ExifTool gives no sample time: by the clock after the first, without a clock one a second."""
    kept = [(t_s, one) for t_s, one in found if one is not None]
    if any(t_s is not None for t_s, _ in kept):
        return [one for t_s, one in kept if t_s is not None]
    began = next((one.utc for _, one in kept if one.utc is not None), None)
    placed = []
    for number, (_, one) in enumerate(kept):
        t_s = (one.utc - began).total_seconds() if one.utc and began else float(number)
        placed.append(reading(t_s, one.utc, one.lat, one.lon, one.speed_mps, one.heading_deg))
    return placed
