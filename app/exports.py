"""Exports: tracks and sightings for maps, sightings as a table; for scripts with a token, for the pages' links as they
are."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from app import system, zones
from app.parameters import Number, TimeRange, time_range
from app.searching import Asked
from dashcam.catalog import export, lessons
from dashcam.database import reading
from dashcam.gps.export import geojson, gpx, kml
from dashcam.gps.pins import geojson_pins, gpx_pins, kml_pins

router = APIRouter(prefix="/export", tags=["export"])
Form = Literal["gpx", "geojson", "kml"]
TYPES = {
    "gpx": "application/gpx+xml",
    "geojson": "application/geo+json",
    "kml": "application/vnd.google-earth.kml+xml",
    "csv": "text/csv; charset=utf-8",
}
TRACKS = {"gpx": gpx, "geojson": geojson, "kml": kml}
PINS = {"gpx": gpx_pins, "geojson": geojson_pins, "kml": kml_pins}


def wanted(
    times: Annotated[TimeRange, Depends(time_range)],
    video: str | None = None,
    trip: Number | None = None,
) -> export.ExportScope:
    """A video, a trip, or a stretch of time."""
    if (video is not None) + (trip is not None) + (times != TimeRange()) > 1:
        raise HTTPException(422, "Ask for a video, a trip or a stretch of time, not for several of these.")
    return export.ExportScope(video, trip, *times)


HomeToo = Annotated[bool, Query(description="Places in the home zones too; for admins.")]


@router.get("/track.{form}")
def track(
    form: Form, scope: Annotated[export.ExportScope, Depends(wanted)], home: HomeToo = False
) -> StreamingResponse:
    """The positions as they were recorded, one camera at a time, outside the home zones."""
    cut = zones.cut(home)
    if scope == export.ExportScope():
        raise HTTPException(422, "Say what to export: video, trip, or since and until.")
    there(scope.check_track)
    return streamed(lambda session: TRACKS[form](export.legs(session, scope, cut)), TYPES[form], f"track.{form}")


@router.get("/sightings.{form}")
def sightings(
    form: Form | Literal["csv"],
    scope: Annotated[export.ExportScope, Depends(wanted)],
    asked: Annotated[Asked, Depends()],
    plate: Annotated[str | None, Query(max_length=40, description="Of one plate, by its text.")] = None,
    home: HomeToo = False,
) -> StreamingResponse:
    """The sightings of the plates that the same search finds: confirmed ones, with ``unsure`` all; everything where
    nothing is asked for. Those in a home zone have no place, and only as CSV are those without one."""
    # of a stretch of time, here those of the clips that began in it
    search = replace(asked, trip=None, since=None, until=None).wanted()
    cut, of = zones.cut(home), replace(scope, plate=plate, search=search)
    there(of.check)

    def write(session: Session) -> Iterator[str]:
        if form == "csv":
            return export.sightings_csv(session, of, False, cut)
        return PINS[form](export.pins(session, of, False, cut))

    return streamed(write, TYPES[form], f"sightings.{form}")


@router.get("/corrections.csv")
def corrections() -> StreamingResponse:
    """What people have said of sightings: the crop, what was read, and the truth, as a set for a reader."""
    return streamed(lessons.corrections_csv, TYPES["csv"], "corrections.csv")


def there(check: Callable[[Session], None]) -> None:
    """404 where there is no such clip, trip, plate or track."""
    with reading(system.current().engine) as session:
        try:
            check(session)
        except export.NothingThere as error:
            raise HTTPException(404, str(error)) from error


def streamed(write: Callable[[Session], Iterator[str]], media_type: str, name: str) -> StreamingResponse:
    """What is written goes out as it is read from the database."""

    def pieces() -> Iterator[str]:
        with reading(system.current().engine) as session:
            yield from write(session)

    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(pieces(), media_type=media_type, headers=headers)
