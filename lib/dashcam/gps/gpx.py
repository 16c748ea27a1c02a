"""One clip's fixes as GPX 1.1."""

from collections.abc import Sequence
from xml.etree import ElementTree

from dashcam.records import Fix

_EXTENSION = "http://www.garmin.com/xmlschemas/TrackPointExtension/v2"


def gpx_of(fixes: Sequence[Fix], name: str) -> str:
    """A GPX document with one track; speed (m/s) and course (degrees) as Garmin's TrackPointExtension 2."""
    import gpxpy.gpx

    document = gpxpy.gpx.GPX()
    document.creator = "dashcam-processor"
    document.nsmap["gpxtpx"] = _EXTENSION
    segment = gpxpy.gpx.GPXTrackSegment()
    document.tracks.append(gpxpy.gpx.GPXTrack(name=name))
    document.tracks[0].segments.append(segment)
    for fix in fixes:
        point = gpxpy.gpx.GPXTrackPoint(round(fix.lat, 7), round(fix.lon, 7), time=fix.utc)
        motion = ElementTree.Element(f"{{{_EXTENSION}}}TrackPointExtension")
        for tag, value in (("speed", fix.speed_mps), ("course", fix.heading_deg)):
            if value is not None:
                ElementTree.SubElement(motion, f"{{{_EXTENSION}}}{tag}").text = f"{value:.2f}"
        if len(motion):
            point.extensions.append(motion)
        segment.points.append(point)
    return str(document.to_xml(version="1.1"))
