"""Whether a browser asks for one of our own pages, or because a page of somebody else told it to."""

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from app.access.refusals import Refusal

ASKS_ONLY = ("GET", "HEAD", "OPTIONS")
FOREIGN = "A page of another site asked for this, and that does not count as you: open it from here."


def ensure_own(connection: HTTPConnection, url: str) -> None:
    """Raises `Refusal` for what another site's page makes a browser do: its forms, scripts, pictures and websockets.

    A link that a person follows is right. ``Origin`` is sent by every browser with all that changes something and with
    every websocket; what sends none is no browser.
    """
    origin = connection.headers.get("origin")
    if origin is not None and origin.lower() not in own(connection, url):
        raise Refusal(403, FOREIGN)
    site = connection.headers.get("sec-fetch-site", "none")
    follows = connection.headers.get("sec-fetch-mode") == "navigate" and connection.scope.get("method") in ASKS_ONLY
    if site not in ("none", "same-origin") and not follows:
        raise Refusal(403, FOREIGN)


def own(connection: HTTPConnection, url: str) -> set[str]:
    """The origins of our pages: as this request names us, and as the settings do. A proxy may speak HTTPS for us."""
    host = connection.headers.get("host", "").lower()
    return {f"http://{host}", f"https://{host}", origin_of(url)}


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
