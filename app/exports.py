"""Exports: tracks as GPX and GeoJSON, sightings as CSV; for scripts with a token, for the pages' links as they are."""

from collections.abc import Iterator
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import Response, StreamingResponse

from app import system
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
) -> export.Scope:
    """A video, a trip, or a stretch of time."""
    if (video is not None) + (trip is not None) + (times != TimeRange()) > 1:
        raise HTTPException(422, "Ask for a video, a trip or a stretch of time, not for several of these.")
    return export.Scope(video, trip, *times)


@router.get("/track.{form}")
def track(form: Literal["gpx", "geojson"], scope: Annotated[export.Scope, Depends(wanted)]) -> Response:
    """The positions as they were recorded, one camera at a time."""
    if scope == export.Scope():
        raise HTTPException(422, "Say what to export: video, trip, or since and until.")
    with reading(system.current().engine) as session:
        try:
            scope.check(session)
        except export.NothingThere as error:
            raise HTTPException(404, str(error)) from error
        legs = export.legs(session, scope)
        text = gpx(legs) if form == "gpx" else geojson(legs)
    return Response(text, media_type=TYPES[form], headers=attachment(f"track.{form}"))


@router.get("/sightings.csv")
def sightings(scope: Annotated[export.Scope, Depends(wanted)], unsure: bool = False) -> StreamingResponse:
    """Confirmed sightings, with ``unsure`` all; everything where nothing is asked for."""
    with reading(system.current().engine) as session:
        try:
            scope.check(session)
        except export.NothingThere as error:
            raise HTTPException(404, str(error)) from error

    def lines() -> Iterator[str]:
        with reading(system.current().engine) as session:
            yield from export.sightings_csv(session, scope, not unsure)

    return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=attachment("sightings.csv"))


def attachment(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
