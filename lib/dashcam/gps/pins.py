"""Plates that were seen somewhere, in the formats that other programs read, written one at a time as `export` does."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from xml.sax.saxutils import escape

from dashcam.gps.export import HEAD, KML_END, KML_HEAD, zulu
from dashcam.media.names import printable


@dataclass(frozen=True)
class Pin:
    """A sighting at the place of our own car."""

    plate: str
    confidence: float
    seen_utc: datetime | None
    lat: float
    lon: float
    camera: str
    clip: str
    second: float
    video_id: str

    def told(self) -> str:
        return printable(f"{self.confidence:.0%}, {self.clip} at {self.second:.2f} s")


def gpx_pins(pins: Iterable[Pin]) -> Iterator[str]:
    """A way point each."""
    yield HEAD
    for pin in pins:
        time = f"<time>{zulu(pin.seen_utc)}</time>" if pin.seen_utc else ""
        yield (
            f'  <wpt lat="{pin.lat:.7f}" lon="{pin.lon:.7f}">{time}<name>{escape(printable(pin.plate))}</name>'
            f"<desc>{escape(pin.told())}</desc></wpt>\n"
        )
    yield "</gpx>\n"


def kml_pins(pins: Iterable[Pin]) -> Iterator[str]:
    """A placemark each."""
    yield KML_HEAD
    for pin in pins:
        time = f"<TimeStamp><when>{zulu(pin.seen_utc)}</when></TimeStamp>" if pin.seen_utc else ""
        yield (
            f"<Placemark><name>{escape(printable(pin.plate))}</name><description>{escape(pin.told())}</description>{time}"
            f"<Point><coordinates>{pin.lon:.7f},{pin.lat:.7f}</coordinates></Point></Placemark>\n"
        )
    yield KML_END


def geojson_pins(pins: Iterable[Pin]) -> Iterator[str]:
    """A point each, with all that is known beside it."""
    yield '{"type":"FeatureCollection","features":['
    before = ""
    for pin in pins:
        known = asdict(pin) | {"seen_utc": pin.seen_utc and pin.seen_utc.isoformat(timespec="milliseconds")}
        place = [round(known.pop("lon"), 7), round(known.pop("lat"), 7)]
        feature = {"type": "Feature", "geometry": {"type": "Point", "coordinates": place}, "properties": known}
        yield before + json.dumps(feature, separators=(",", ":"))
        before = ","
    yield "]}"
