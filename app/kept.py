"""Maps, which cost much and are asked for again and again: kept until anything that was driven or seen changes.

Kept is what was told to whom: nobody is given the answer of somebody who may see more. A browser that still has it is
told that it is the same. Something deleted or hidden is in none: to delete it changed what was seen.
"""

import gzip
import hashlib
import json
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any

from fastapi import Request, Response

from app import system, zones
from app.access import callers
from app.answers import OF_MAPS

JSON = "application/json"
HEADERS = {"Cache-Control": "private, no-cache"}
PACKED = 500
"""Bytes from which packing is worth it."""


def answer(
    request: Request, make: Callable[[], Response], *besides: Hashable, tables: Sequence[str] = OF_MAPS
) -> Response:
    """What ``make`` answers, or has answered to the same from whom the same is shown; it reads these ``tables``, and
    ``besides`` is what else it goes by. 304 where the browser has it."""
    here = system.current()
    asked = request.url.path, request.url.query, callers.view(), repr(zones.hidden()), str(here.zone()), besides
    found = here.answers.of(asked, tables, partial(marked, make))
    if found.headers["ETag"] in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers=HEADERS | {"ETag": found.headers["ETag"]})
    return given(request, found)


def marked(make: Callable[[], Response]) -> Response:
    found = make()
    mark = hashlib.sha256(bytes(found.body)).hexdigest()[:16]
    found.headers.update(HEADERS | {"ETag": f'W/"{mark}"'})
    return found


def given(request: Request, kept: Response) -> Response:
    """To be sent, which changes a response's headers; unpacked to who does not take what is packed."""
    body, headers = bytes(kept.body), dict(kept.headers)
    if "content-encoding" in headers and "gzip" not in request.headers.get("Accept-Encoding", ""):
        body = gzip.decompress(body)
        del headers["content-encoding"]
    headers.pop("content-length", None)
    return Response(body, headers=headers)


def told(request: Request, make: Callable[[], dict[str, Any] | str], tables: Sequence[str] = OF_MAPS) -> Response:
    """The same of JSON, as an object or as text, packed once."""

    def response() -> Response:
        said = make()
        text = said if isinstance(said, str) else json.dumps(said, separators=(",", ":"))
        body = text.encode()
        if len(body) < PACKED:
            return Response(body, media_type=JSON)
        packed = gzip.compress(body, 6, mtime=0)
        return Response(packed, media_type=JSON, headers={"Content-Encoding": "gzip", "Vary": "Accept-Encoding"})

    return answer(request, response, tables=tables)
