"""What is taken out is written as it is read: ten times as much needs no more memory."""

import csv
import io
import json
import tracemalloc
from collections.abc import Callable, Iterator
from xml.etree import ElementTree

import gpxpy
import pytest
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from dashcam.catalog import deriving, export
from dashcam.catalog.models import SightingRow
from dashcam.database import reading, writing
from dashcam.gps.export import geojson, gpx, kml
from dashcam.gps.pins import Pin, geojson_pins, gpx_pins, kml_pins
from tests.catalog.test_long_changes import SITE, add_clips

WRITERS: dict[str, Callable[[Session], Iterator[str]]] = {
    "gpx": lambda session: gpx(export.legs(session, export.ExportScope())),
    "geojson": lambda session: geojson(export.legs(session, export.ExportScope())),
    "csv": lambda session: export.sightings_csv(session, export.ExportScope()),
}
MORE: dict[str, Callable[[Session], Iterator[str]]] = {
    "kml": lambda session: kml(export.legs(session, export.ExportScope())),
    "gpx pins": lambda session: gpx_pins(export.pins(session, export.ExportScope())),
    "geojson pins": lambda session: geojson_pins(export.pins(session, export.ExportScope())),
    "kml pins": lambda session: kml_pins(export.pins(session, export.ExportScope())),
}
"""Written by the same two streams."""
KML = "{http://www.opengis.net/kml/2.2}"


def all_placed(engine: Engine) -> None:
    with writing(engine) as session:
        session.execute(update(SightingRow).values(lat=52.0, lon=4.0))


def written(engine: Engine, form: str) -> tuple[int, int]:
    """(characters, bytes of memory at the most)"""
    with reading(engine) as session:
        next(WRITERS[form](session))  # what is loaded once is not counted
        tracemalloc.start()
        length = sum(len(piece) for piece in WRITERS[form](session))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return length, peak


def test_ten_times_as_much_is_written_in_the_same_memory(engine: Engine) -> None:
    sizes = []
    for first, count in ((0, 80), (80, 720)):
        add_clips(engine, count, fixes=40, sightings=8, first=first)
        deriving.derive_everything(engine, SITE.trips)
        sizes.append({form: written(engine, form) for form in WRITERS})
    for form, (few, many) in {form: [size[form] for size in sizes] for form in WRITERS}.items():
        assert many[0] > 8 * few[0], form
        # a quarter of a megabyte is what a session remembers of its questions; the documents have several
        assert many[1] < 1.6 * few[1] + 250_000, f"{form}: {few[1] / 1e6:.2f} and {many[1] / 1e6:.2f} MB"


def test_what_is_written_in_pieces_is_whole(engine: Engine) -> None:
    add_clips(engine, 80, fixes=3, sightings=2)
    deriving.derive_everything(engine, SITE.trips)
    all_placed(engine)
    with reading(engine) as session:
        texts = {form: "".join(write(session)) for form, write in (WRITERS | MORE).items()}
    first, second = gpxpy.parse(texts["gpx"]).tracks
    assert [len(segment.points) for track in (first, second) for segment in track.segments] == [3] * 80
    assert len(json.loads(texts["geojson"])["features"]) == 80
    rows = list(csv.DictReader(io.StringIO(texts["csv"])))
    assert len(rows) == 160 and {row["plate"] for row in rows} == {"AB00CDE", "AB01CDE"}
    assert {row["trip"] for row in rows} == {"1", "2"}
    lines = ElementTree.fromstring(texts["kml"]).iter(f"{KML}coordinates")
    assert [len((line.text or "").split()) for line in lines] == [3] * 80
    placed = len(rows)
    assert len(gpxpy.parse(texts["gpx pins"]).waypoints) == placed
    assert len(json.loads(texts["geojson pins"])["features"]) == placed
    assert len([*ElementTree.fromstring(texts["kml pins"]).iter(f"{KML}Point")]) == placed


def test_one_plates_sightings_come_out_alone(engine: Engine) -> None:
    add_clips(engine, 80, fixes=3, sightings=2)
    all_placed(engine)
    with reading(engine) as session:
        one = list(export.pins(session, export.ExportScope(plate="ab-00 cde")))
        assert one and {pin.plate for pin in one} == {"AB00CDE"}
        export.ExportScope(plate="AB00CDE").check(session)
        with pytest.raises(export.NothingThere, match="ZZ99ZZZ has not been seen"):
            export.ExportScope(plate="ZZ99ZZZ").check(session)


def test_what_a_plate_says_breaks_no_document() -> None:
    pin = Pin("<b>&\x00]]>", 0.5, None, 52.0, 4.0, "front", 'a"<&.mp4', 1.5, "0" * 16)
    assert gpxpy.parse("".join(gpx_pins([pin]))).waypoints[0].name.startswith("<b>&")
    assert ElementTree.fromstring("".join(kml_pins([pin]))).find(f".//{KML}name") is not None
    assert json.loads("".join(geojson_pins([pin])))["features"][0]["properties"]["plate"] == pin.plate


def test_nothing_is_a_whole_document_too(engine: Engine) -> None:
    with reading(engine) as session:
        texts = {form: "".join(write(session)) for form, write in (WRITERS | MORE).items()}
    assert gpxpy.parse(texts["gpx"]).tracks == []
    assert json.loads(texts["geojson"]) == {"type": "FeatureCollection", "features": []}
    assert json.loads(texts["geojson pins"])["features"] == []
    assert ElementTree.fromstring(texts["kml"]).findall(f".//{KML}Placemark") == []
    assert texts["csv"].count("\n") == 1
