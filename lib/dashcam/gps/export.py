"""Tracks in the formats that other programs read: GPX 1.1, GeoJSON (RFC 7946) and KML 2.2.

All are written clip by clip, so that a year of them needs no more memory than a clip.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape

from dashcam.media.names import printable
from dashcam.records import Fix

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<gpx version="1.1" creator="dashcam-processor"
     xmlns="http://www.topografix.com/GPX/1/1"
     xmlns:gpxtpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v2"
     xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
     xsi:schemaLocation="http://www.topografix.com/GPX/1/1 http://www.topografix.com/GPX/1/1/gpx.xsd">
"""
KML_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document>
"""
KML_END = "</Document></kml>\n"


@dataclass(frozen=True)
class Leg:
    """One clip's positions as recorded. Legs of one ``group`` in a row are one track."""

    group: str
    name: str
    camera: str
    fixes: Sequence[Fix]


def gpx(legs: Iterable[Leg]) -> Iterator[str]:
    """One track per group and one segment per clip; speed and course as Garmin's extension."""
    yield HEAD
    for group, clips in groupby(legs, key=lambda leg: leg.group):
        yield f"  <trk>\n    <name>{escape(printable(group))}</name>\n"
        for leg in clips:
            yield f"    <trkseg>\n{''.join(_point(fix) for fix in leg.fixes)}    </trkseg>\n"
        yield "  </trk>\n"
    yield "</gpx>\n"


def _point(fix: Fix) -> str:
    quality = f"<fix>{fix.quality}</fix>" if fix.quality != "fix" else ""
    motion = "".join(
        f"<gpxtpx:{name}>{value:.2f}</gpxtpx:{name}>"
        for name, value in (("speed", fix.speed_mps), ("course", fix.heading_deg))
        if value is not None
    )
    extension = f"<gpxtpx:TrackPointExtension>{motion}</gpxtpx:TrackPointExtension>" if motion else ""
    more = f"<extensions>{extension}</extensions>" if extension else ""
    at = f'lat="{round(fix.lat, 7)}" lon="{round(fix.lon, 7)}"'
    return f"      <trkpt {at}><time>{zulu(fix.utc)}</time>{quality}{more}</trkpt>\n"


def kml(legs: Iterable[Leg]) -> Iterator[str]:
    """One folder per group and one line per clip, with when it began and ended."""
    yield KML_HEAD
    for group, clips in groupby(legs, key=lambda leg: leg.group):
        yield f"<Folder><name>{escape(printable(group))}</name>\n"
        for leg in clips:
            if leg.fixes:
                places = " ".join(f"{fix.lon:.7f},{fix.lat:.7f}" for fix in leg.fixes)
                span = f"<begin>{zulu(leg.fixes[0].utc)}</begin><end>{zulu(leg.fixes[-1].utc)}</end>"
                yield (
                    f"<Placemark><name>{escape(printable(leg.name))}</name><TimeSpan>{span}</TimeSpan>"
                    f"<LineString><tessellate>1</tessellate><coordinates>{places}</coordinates></LineString></Placemark>\n"
                )
        yield "</Folder>\n"
    yield KML_END


def zulu(utc: datetime) -> str:
    return utc.astimezone(UTC).isoformat().replace("+00:00", "Z")


def geojson(legs: Iterable[Leg]) -> Iterator[str]:
    """One line per clip, one point where a clip has a single fix, with the time and speed of each place beside it."""
    yield '{"type":"FeatureCollection","features":['
    before = ""
    for leg in legs:
        if leg.fixes:
            yield before + json.dumps(_feature(leg), separators=(",", ":"))
            before = ","
    yield "]}"


def _feature(leg: Leg) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": _geometry([[round(fix.lon, 7), round(fix.lat, 7)] for fix in leg.fixes]),
        "properties": {
            "track": leg.group,
            "name": leg.name,
            "camera": leg.camera,
            "times": [fix.utc.isoformat() for fix in leg.fixes],
            "speeds_mps": [fix.speed_mps and round(fix.speed_mps, 2) for fix in leg.fixes],
            "headings_deg": [fix.heading_deg and round(fix.heading_deg, 1) for fix in leg.fixes],
        },
    }


def _geometry(places: list[list[float]]) -> dict[str, Any]:
    if len(places) == 1:
        return {"type": "Point", "coordinates": places[0]}
    return {"type": "LineString", "coordinates": places}
