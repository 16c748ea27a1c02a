"""What each answer tells the browser: which scripts are ours, and that nobody else may frame or guess anything."""

import re
import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NONCE = "{nonce}"
"""Stands in a policy for what marks this answer's own scripts."""
POLICY = (
    f"default-src 'self'; script-src 'self' 'nonce-{NONCE}' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'self'"
)
"""``unsafe-eval``: NiceGUI's Vue compiles its templates in the browser. A script that somebody has smuggled in, or an
``onerror`` of an element, has no nonce and does not run."""
SCRIPT = re.compile(rb"<script(?=[\s>])")
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "SAMEORIGIN",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Headers:
    """Puts them on; an HTML answer without a policy of its own gets `POLICY`, and its scripts the nonce."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        nonce, body = secrets.token_urlsafe(16), bytearray()
        held: Message | None = None

        async def add(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ALWAYS.items():
                    headers.setdefault(name, value)
                if is_marked(headers):
                    policy = headers.get("Content-Security-Policy", POLICY)
                    headers["Content-Security-Policy"] = policy.replace(NONCE, nonce)
                    held = message
                    return
            elif held is not None:
                body.extend(message.get("body", b""))
                if message.get("more_body"):
                    return
                whole = SCRIPT.sub(f'<script nonce="{nonce}"'.encode(), bytes(body))
                headers = MutableHeaders(scope=held)
                headers["Content-Length"] = str(len(whole))
                await send(held)
                held = None
                message = {"type": "http.response.body", "body": whole}
            await send(message)

        await self.app(scope, receive, add)


def is_marked(headers: MutableHeaders) -> bool:
    """Whether it is HTML whose scripts are to be marked, in the clear and not marked yet."""
    if not headers.get("content-type", "").startswith("text/html") or "content-encoding" in headers:
        return False
    return NONCE in headers.get("Content-Security-Policy", POLICY)
