"""Whether the stores are there that a pool's stages open; where one is not, the worker takes nothing.

The indoor NAS, which sees its own disks alone, never takes what is to be copied to the shed.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future

from dashcam.storage.layout import INDOOR, SHED
from dashcam.storage.roots import StoreError, Stores

NEEDED = {"jetson": (INDOOR,), "gpu": (INDOOR,), "nas": (INDOOR, SHED)}
"""The server's worker has housekeeping to do without any; a clip whose store it misses there waits by itself."""
LOOK_S = 5.0
UNSEEN = "its stores have not been looked at yet"
PATIENCE_S = 10.0
"""A mount whose server has gone answers nothing at all."""


class Mounts:
    def __init__(self, stores: Stores, pool: str, changed: Callable[[], None]) -> None:
        """``changed`` is called when ``missing`` has changed."""
        self.stores, self.needed, self.changed = stores, NEEDED.get(pool, ()), changed
        self.missing: str | None = UNSEEN if self.needed else None
        """Why it cannot work."""

    async def watch(self) -> None:
        while True:
            looking = asyncio.wrap_future(self.looked())
            await asyncio.wait({looking}, timeout=PATIENCE_S)
            if not looking.done():
                self.say(f"{' or '.join(self.needed)} does not answer: see to its mount")
            self.say(await looking)
            await asyncio.sleep(LOOK_S)

    def looked(self) -> Future[str | None]:
        """In a thread that keeps no process from ending: a mount that hangs may do so for ever."""
        answer: Future[str | None] = Future()
        answer.set_running_or_notify_cancel()  # who gives up waiting leaves it as it is

        def look() -> None:
            try:
                answer.set_result(self.look())
            except Exception as error:  # whoever waits raises it
                answer.set_exception(error)

        threading.Thread(target=look, daemon=True, name="mounts").start()
        return answer

    def look(self) -> str | None:
        for store in self.needed:
            try:
                self.stores.root(store)
            except StoreError as error:
                return str(error).removesuffix(".")
            except OSError as error:
                return f"{store} cannot be looked into ({error.strerror}): see to its mount"
        return None

    def say(self, missing: str | None) -> None:
        if missing != self.missing:
            self.missing = missing
            self.changed()
