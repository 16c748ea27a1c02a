"""Addresses of pages, pictures and files of our own."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

STATIC = Path(__file__).parent / "static"


def url(path: str, parameters: Mapping[str, str]) -> str:
    """The address of a page with the parameters that are set."""
    given = {key: value for key, value in parameters.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


def video_url(video_id: str, at_s: float | None = None) -> str:
    return f"/videos/{quote(video_id)}" + ("" if at_s is None else f"?t={at_s:.2f}")


def plate_url(text: str) -> str:
    return f"/plates/{quote(text, safe='')}"


def media_url(video_id: str, path: str) -> str:
    return f"/media/{quote(video_id)}/{quote(path)}"


def static_url(name: str) -> str:
    return f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


def trip_url(trip_id: int) -> str:
    return f"/trips/{trip_id}"
