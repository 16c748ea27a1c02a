"""Tracks in the formats that other programs read: GPX 1.1 and GeoJSON (RFC 7946)."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from dashcam.media.names import printable
from dashcam.records import Fix

GARMIN = "http://www.garmin.com/xmlschemas/TrackPointExtension/v2"


@dataclass(frozen=True)
class Leg:
    """One clip's positions as recorded. Legs of one ``group`` in a row are one track."""

    group: str
    name: str
    camera: str
    fixes: Sequence[Fix]


def gpx(legs: Iterable[Leg]) -> str:
    """One track per group and one segment per clip; speed and course as Garmin's extension."""
    from gpxpy.gpx import GPX, GPXTrack, GPXTrackPoint, GPXTrackSegment  # 50 ms that other commands save

    document = GPX()
    document.creator = "dashcam-processor"
    document.nsmap["gpxtpx"] = GARMIN
    for group, clips in groupby(legs, key=lambda leg: leg.group):
        track = GPXTrack(name=printable(group))
        document.tracks.append(track)
        for leg in clips:
            segment = GPXTrackSegment()
            track.segments.append(segment)
            for fix in leg.fixes:
                point = GPXTrackPoint(round(fix.lat, 7), round(fix.lon, 7), time=fix.utc)
                if fix.quality != "fix":
                    point.type_of_gpx_fix = fix.quality
                point.extensions.extend(_motion(fix))
                segment.points.append(point)
    return str(document.to_xml(version="1.1"))


def _motion(fix: Fix) -> Iterable[Any]:
    from xml.etree.ElementTree import Element, SubElement

    if fix.speed_mps is not None or fix.heading_deg is not None:
        extension = Element(f"{{{GARMIN}}}TrackPointExtension")
        for name, value in (("speed", fix.speed_mps), ("course", fix.heading_deg)):
            if value is not None:
                SubElement(extension, f"{{{GARMIN}}}{name}").text = f"{value:.2f}"
        yield extension


def geojson(legs: Iterable[Leg]) -> str:
    """One line per clip, one point where a clip has a single fix, with the time and speed of each place beside it."""
    features = [
        {
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
        for leg in legs
        if leg.fixes
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, separators=(",", ":"))


def _geometry(places: list[list[float]]) -> dict[str, Any]:
    if len(places) == 1:
        return {"type": "Point", "coordinates": places[0]}
    return {"type": "LineString", "coordinates": places}
