"""What systemd wants to hear of a service of ``Type=notify``; nothing anywhere else."""

import asyncio
import contextlib
import os
import socket

ADDRESS = os.environ.pop("NOTIFY_SOCKET", "")
"""Taken out of the environment: what this process starts is not the service."""
WATCHDOG_S = int(os.environ.pop("WATCHDOG_USEC", "0")) / 1e6


def tell(state: str) -> None:
    """``READY=1`` or ``WATCHDOG=1``. Best effort: a service works without being heard."""
    if not ADDRESS or not hasattr(socket, "AF_UNIX"):
        return
    address = f"\0{ADDRESS[1:]}" if ADDRESS.startswith("@") else ADDRESS
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
        to.sendto(state.encode(), address)


async def keep_telling() -> None:
    """That it is ready, and from now on that its event loop goes round; until cancelled."""
    tell("READY=1")
    while WATCHDOG_S:
        tell("WATCHDOG=1")
        await asyncio.sleep(WATCHDOG_S / 3)
