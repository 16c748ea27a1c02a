"""GPS fixes in a file beside the clip: .gpx, .nmea and .gps (NMEA 0183), .srt (subtitles), .json (``dashcam gps``)."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dashcam.gps.reading import KNOT_MPS, Reading, degrees, reading
from dashcam.records import FixQuality

MAX_BYTES = 64 * 1024 * 1024
_NMEA = re.compile(r"(?:\[(\d{1,16})\])?(\$[A-Z]{2}RMC,[\x20-\x7e]*)")
"""BlackVue writes its own clock in milliseconds before each sentence."""
_BLACKVUE = re.compile(r"(\d{8}_\d{6}_[A-Z])[FRIO][LS]?", re.ASCII | re.IGNORECASE)
"""One file of positions serves all cameras of a recording and has no camera's letter."""
_QUALITIES: dict[str | None, FixQuality] = {"2d": "2d", "3d": "3d"}
_CUE = re.compile(r"(\d+):(\d\d):(\d\d)[,.](\d{1,3})\s*-->")
_NUMBER = r"(-?\d{1,3}\.\d+)"
_LAT = re.compile(rf"\blat(?:itude)?\b\W{{0,3}}{_NUMBER}", re.IGNORECASE)
_LON = re.compile(rf"\b(?:lon|lng|long)(?:t?itude)?\b\W{{0,3}}{_NUMBER}", re.IGNORECASE)
_GPS = re.compile(rf"\bGPS\W{{0,3}}\(\s*{_NUMBER}\s*,\s*{_NUMBER}", re.IGNORECASE)
"""DJI: longitude first."""
_WHEN = re.compile(r"\b(\d{4})[-/.:](\d\d)[-/.:](\d\d)[ T](\d\d):(\d\d):(\d\d(?:[.,]\d{1,6})?)")


def files(path: Path) -> list[Path]:
    """What lies beside the clip and is named after it (``clip.gpx``, ``clip.MP4.gpx``), in the order to try.

    Asked for by name: a folder of a season's clips is not listed for each of them.
    """
    starts = [path.stem, path.name]
    if recording := _BLACKVUE.fullmatch(path.stem):
        starts.append(recording[1])
    suffixes = [spelled for suffix in READERS for spelled in (suffix, suffix.upper())]
    names = [path.with_name(start + suffix) for suffix in suffixes for start in starts]
    return [file for file in names if file != path and file.is_file()]


def read(path: Path) -> list[Reading]:
    """The fixes of the first file beside the clip that has some, or of the path itself when it is such a file.

    ``OSError`` when one cannot be read.
    """
    for file in [path] if path.suffix.lower() in READERS else files(path):
        if file.stat().st_size <= MAX_BYTES and (found := read_file(file)):
            return found
    return []


def read_file(file: Path) -> list[Reading]:
    """The fixes of one such file by its extension; what is no fix is left out."""
    text = file.read_text(encoding="utf-8", errors="replace")
    return [one for one in READERS[file.suffix.lower()](text) if one is not None]


def _gpx(text: str) -> Iterator[Reading | None]:
    import gpxpy

    if "<!DOCTYPE" in text or "<!ENTITY" in text:  # no track needs entities; they are there to do harm
        return
    try:
        document = gpxpy.parse(text)
    except (gpxpy.gpx.GPXException, ValueError):
        return
    for point in document.walk(only_points=True):
        if point.time is not None:
            more = {tag.tag.rsplit("}", 1)[-1]: tag.text for part in point.extensions for tag in part.iter()}
            speed = point.speed if point.speed is not None else _number(more.get("speed"))
            course = point.course if point.course is not None else _number(more.get("course"))
            utc, quality = _in_utc(point.time), _QUALITIES.get(point.type_of_gpx_fix, "fix")
            yield reading(None, utc, point.latitude, point.longitude, speed, course, quality)


def _nmea(text: str) -> Iterator[Reading | None]:
    """RMC sentences, which have it all. Those with a wrong checksum are refused, unless not a single one is right."""
    import pynmea2

    lines = _NMEA.findall(text)
    right = [(ms, line) for ms, line in lines if _checksum_right(line)]
    first_ms = next((int(ms) for ms, _ in lines if ms), 0)
    for ms, line in right or lines:
        try:
            said = pynmea2.parse(line.split("*")[0])
            utc = _in_utc(said.datetime)
            lat, lon = degrees(float(said.lat), 90), degrees(float(said.lon), 180)
            speed = float(said.spd_over_grnd) * KNOT_MPS if said.spd_over_grnd is not None else None
            heading = float(said.true_course) if said.true_course is not None else None
        except (pynmea2.ParseError, ValueError, TypeError, AttributeError):
            continue
        if said.status == "A" and lat is not None and lon is not None and said.lat_dir in "NS" and said.lon_dir in "EW":
            t_s = (int(ms) - first_ms) / 1000 if ms else None
            south, west = said.lat_dir == "S", said.lon_dir == "W"
            yield reading(t_s, utc, -lat if south else lat, -lon if west else lon, speed, heading)


def _checksum_right(line: str) -> bool:
    body, _, given = line[1:].partition("*")
    total = 0
    for sign in body:
        total ^= ord(sign)
    return given.strip()[:2].upper() == f"{total:02X}"


def _srt(text: str) -> Iterator[Reading | None]:
    """One fix a subtitle, at its beginning."""
    for cue in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        start, lat, lon = _CUE.search(cue), _LAT.search(cue), _LON.search(cue)
        pair = _GPS.search(cue)
        if start is None or not (pair or (lat and lon)):
            continue
        hours, minutes, seconds, fraction = start.groups()
        t_s = int(hours) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{fraction}")
        when = _WHEN.search(cue)
        east, north = (pair[1], pair[2]) if pair else (lon[1], lat[1]) if lat and lon else ("", "")
        yield reading(t_s, _moment(" ".join(when[0].split("T"))) if when else None, float(north), float(east))


def _moment(text: str) -> datetime | None:
    date, clock = text.split(" ", 1)
    return _time(f"{re.sub('[/.:]', '-', date)}T{clock.replace(',', '.')}")


def _json(text: str) -> Iterator[Reading | None]:
    """``{"fixes": [{"t_s", "utc", "lat", "lon", ...}]}``, or the list alone."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return
    fixes = document.get("fixes") if isinstance(document, dict) else document
    for fix in fixes if isinstance(fixes, list) else []:
        if isinstance(fix, dict):
            lat, lon, t_s = (_number(fix.get(key)) for key in ("lat", "lon", "t_s"))
            utc = _time(fix.get("utc"))
            if lat is not None and lon is not None:
                speed, heading = _number(fix.get("speed_mps")), _number(fix.get("heading_deg"))
                yield reading(t_s, utc, lat, lon, speed, heading, _QUALITIES.get(str(fix.get("quality")), "fix"))


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _time(value: Any) -> datetime | None:
    try:
        return _in_utc(datetime.fromisoformat(value))
    except (TypeError, ValueError):
        return None


def _in_utc(value: datetime) -> datetime | None:
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        return None


READERS: dict[str, Callable[[str], Iterator[Reading | None]]] = {
    ".gpx": _gpx,
    ".nmea": _nmea,
    ".gps": _nmea,
    ".srt": _srt,
    ".json": _json,
}
