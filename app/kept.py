"""Answers that cost much and are asked for again and again: kept until anything in the catalogue changes.

Kept is what was told to whom: nobody is given the answer of somebody who may see more. A browser that still has it is
told that it is the same. Something deleted or hidden is in none: to delete it changed the catalogue.
"""

import gzip
import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from fastapi import Request, Response
from sqlalchemy import Engine

from app import system, zones
from app.access import callers
from dashcam import written
from dashcam.database import Base

OF_THE_WORK = {
    "task", "device", "holding", "archive_check", "retention_plan", "leftover", "audit", "login_session",
    "access_token", "visit",
}  # fmt: skip
"""Tables that are written to all the time, and tell nothing of what was driven and seen."""
MOST_BYTES = 16_000_000
JSON = "application/json"
HEADERS = {"Cache-Control": "private, no-cache"}
PACKED = 500
"""Bytes from which packing is worth it."""


class MapAnswers:
    """Those asked for last, of one edition of the catalogue, up to `MOST_BYTES`."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Response] = OrderedDict()
        self._edition: tuple[int, ...] = ()
        self._lock = threading.Lock()

    def get(self, asked: Hashable, edition: tuple[int, ...]) -> Response | None:
        with self._lock:
            if self._edition != edition:
                self._kept.clear()
                self._edition = edition
            if asked in self._kept:
                self._kept.move_to_end(asked)
            return self._kept.get(asked)

    def keep(self, asked: Hashable, answer: Response, edition: tuple[int, ...]) -> None:
        """Made of what the catalogue was since this ``edition``."""
        with self._lock:
            if edition != self._edition:
                return
            self._kept[asked] = answer
            while sum(len(one.body) for one in self._kept.values()) > MOST_BYTES:
                self._kept.popitem(last=False)


ANSWERS: WeakKeyDictionary[Engine, MapAnswers] = WeakKeyDictionary()


@cache
def told_of() -> tuple[str, ...]:
    """All other tables."""
    return tuple(sorted(set(Base.metadata.tables) - OF_THE_WORK))


def answer(request: Request, make: Callable[[], Response], *besides: Hashable) -> Response:
    """What ``make`` answers, or has answered to the same from whom the same is shown; ``besides`` is what it goes by
    that is not in the catalogue. 304 where the browser has it."""
    here = system.current()
    kept = ANSWERS.setdefault(here.engine, MapAnswers())
    asked = request.url.path, request.url.query, callers.view(), repr(zones.hidden()), str(here.zone()), besides
    edition = written.so_often(here.engine, told_of())  # before anything is read
    found = kept.get(asked, edition)
    if found is None:
        found = make()
        mark = hashlib.sha256(bytes(found.body)).hexdigest()[:16]
        found.headers.update(HEADERS | {"ETag": f'W/"{mark}"'})
        kept.keep(asked, found, edition)
    if found.headers["ETag"] in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers=HEADERS | {"ETag": found.headers["ETag"]})
    return given(request, found)


def given(request: Request, kept: Response) -> Response:
    """To be sent, which changes a response's headers; unpacked to who does not take what is packed."""
    body, headers = bytes(kept.body), dict(kept.headers)
    if "content-encoding" in headers and "gzip" not in request.headers.get("Accept-Encoding", ""):
        body = gzip.decompress(body)
        del headers["content-encoding"]
    headers.pop("content-length", None)
    return Response(body, headers=headers)


def told(request: Request, make: Callable[[], dict[str, Any] | str]) -> Response:
    """The same of JSON, as an object or as text, packed once."""

    def response() -> Response:
        said = make()
        text = said if isinstance(said, str) else json.dumps(said, separators=(",", ":"))
        body = text.encode()
        if len(body) < PACKED:
            return Response(body, media_type=JSON)
        packed = gzip.compress(body, 6, mtime=0)
        return Response(packed, media_type=JSON, headers={"Content-Encoding": "gzip", "Vary": "Accept-Encoding"})

    return answer(request, response)
