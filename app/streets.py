"""Streets on every map, from the household's own file of them (docs/ground.md). They are the same for everybody."""

import logging
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Response
from fastapi import Path as InPath

from app import system
from dashcam import Explained
from dashcam.gps import streets
from dashcam.gps.streets import VECTOR, Streets

DEEPEST = 24
KEPT = {"Cache-Control": "private, max-age=604800"}
log = logging.getLogger("dashcam")
router = APIRouter(include_in_schema=False)


def here() -> Streets | None:
    """A file that cannot be used leaves the maps as they are without one, and is said in the log."""
    try:
        return streets.streets(Path(system.current().site.server.streets_file))
    except Explained as error:
        log.warning("%s", error)
        return None


def told(found: Streets) -> dict[str, Any]:
    """What a map has to know of it (``static/map-streets.js``)."""
    return {
        "url": f"/maps/streets/{{z}}/{{x}}/{{y}}?of={found.stamp}",
        "vector": found.media_type == VECTOR,
        "zooms": [found.header["min_zoom"], found.header["max_zoom"]],
        "bounds": found.bounds,
        "from": found.attribution,
    }


@router.get("/maps/streets/{zoom}/{x}/{y}")
def tile(
    zoom: Annotated[int, InPath(ge=0, le=DEEPEST)], x: Annotated[int, InPath(ge=0)], y: Annotated[int, InPath(ge=0)]
) -> Response:
    """204 where the map has nothing."""
    found = here()
    if found is None or x >= 1 << zoom or y >= 1 << zoom:
        raise HTTPException(404, f"There are no streets {zoom}/{x}/{y}.")
    try:
        content = found.tile(zoom, x, y)
    except Explained as error:
        raise HTTPException(500, str(error)) from None
    if content is None:
        return Response(status_code=204, headers=KEPT)
    packed = {"Content-Encoding": found.packed} if found.packed else {}
    return Response(content, media_type=found.media_type, headers=KEPT | packed)
