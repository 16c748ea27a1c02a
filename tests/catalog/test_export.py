"""What is taken out is written as it is read: ten times as much needs no more memory."""

import csv
import io
import json
import tracemalloc
from collections.abc import Callable, Iterator

import gpxpy
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from dashcam.catalog import deriving, export
from dashcam.database import reading
from dashcam.gps.export import geojson, gpx
from tests.catalog.test_long_changes import SITE, add_clips

WRITERS: dict[str, Callable[[Session], Iterator[str]]] = {
    "gpx": lambda session: gpx(export.legs(session, export.ExportScope())),
    "geojson": lambda session: geojson(export.legs(session, export.ExportScope())),
    "csv": lambda session: export.sightings_csv(session, export.ExportScope()),
}


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
    with reading(engine) as session:
        texts = {form: "".join(write(session)) for form, write in WRITERS.items()}
    first, second = gpxpy.parse(texts["gpx"]).tracks
    assert [len(segment.points) for track in (first, second) for segment in track.segments] == [3] * 80
    assert len(json.loads(texts["geojson"])["features"]) == 80
    rows = list(csv.DictReader(io.StringIO(texts["csv"])))
    assert len(rows) == 160 and {row["plate"] for row in rows} == {"AB00CDE", "AB01CDE"}
    assert {row["trip"] for row in rows} == {"1", "2"}


def test_nothing_is_a_whole_document_too(engine: Engine) -> None:
    with reading(engine) as session:
        texts = {form: "".join(write(session)) for form, write in WRITERS.items()}
    assert gpxpy.parse(texts["gpx"]).tracks == []
    assert json.loads(texts["geojson"]) == {"type": "FeatureCollection", "features": []}
    assert texts["csv"].count("\n") == 1
