"""Asking the main server for what it does in a while: it is asked again until it has ended, however long it takes."""

import time
from typing import Any

from dashcam.tasks.client import MainServerClient, ServerRefused

AGAIN_S = 0.5
UNDER_WAY = 409


def take_backup(server: MainServerClient) -> dict[str, Any]:
    """The state at its end; where one is under way already, of that one. Raises `httpx.HTTPError`."""
    try:
        server.call("POST", "/backup")
    except ServerRefused as refused:
        if refused.status != UNDER_WAY:
            raise
    while True:
        state: dict[str, Any] = server.call("GET", "/backup")
        if state["state"] != "running":
            return state
        time.sleep(AGAIN_S)
