"""Exports: tracks as GPX and GeoJSON, sightings as CSV; for scripts with a token, for the pages' links as they are."""

from collections.abc import Callable, Iterator
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from app import system, zones
from app.parameters import Number, TimeRange, time_range
from dashcam.catalog import export
from dashcam.database import reading
from dashcam.gps.export import geojson, gpx

router = APIRouter(prefix="/export", tags=["export"])
TYPES = {"gpx": "application/gpx+xml", "geojson": "application/geo+json"}


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
    form: Literal["gpx", "geojson"], scope: Annotated[export.ExportScope, Depends(wanted)], home: HomeToo = False
) -> StreamingResponse:
    """The positions as they were recorded, one camera at a time, outside the home zones."""
    cut = zones.cut(home)
    if scope == export.ExportScope():
        raise HTTPException(422, "Say what to export: video, trip, or since and until.")
    write = gpx if form == "gpx" else geojson
    return streamed(scope, lambda session: write(export.legs(session, scope, cut)), TYPES[form], f"track.{form}")


@router.get("/sightings.csv")
def sightings(
    scope: Annotated[export.ExportScope, Depends(wanted)], unsure: bool = False, home: HomeToo = False
) -> StreamingResponse:
    """Confirmed sightings, with ``unsure`` all; everything where nothing is asked for. Those in a home zone have no
    place."""
    cut = zones.cut(home)
    return streamed(
        scope,
        lambda session: export.sightings_csv(session, scope, not unsure, cut),
        "text/csv; charset=utf-8",
        "sightings.csv",
    )


def streamed(
    scope: export.ExportScope, write: Callable[[Session], Iterator[str]], media_type: str, name: str
) -> StreamingResponse:
    """What is written goes out as it is read from the database; 404 where there is no such video or trip."""
    with reading(system.current().engine) as session:
        try:
            scope.check(session)
        except export.NothingThere as error:
            raise HTTPException(404, str(error)) from error

    def pieces() -> Iterator[str]:
        with reading(system.current().engine) as session:
            yield from write(session)

    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(pieces(), media_type=media_type, headers=headers)
