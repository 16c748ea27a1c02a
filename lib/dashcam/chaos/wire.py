"""The network between the workers and the main server: a TCP proxy on this machine that can be cut."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Literal

WireState = Literal["whole", "refused", "silent"]


class Wire:
    """Forwards each connection to the port that ``target`` names at that moment; used as a context manager.

    ``state`` is how the network is: ``refused`` ends every connection and each new one at once, ``silent`` keeps them
    and lets nothing through, as a cable that was pulled does.
    """

    def __init__(self, target: Callable[[], int | None]) -> None:
        self.target = target
        self.port = 0
        self.state: WireState = "whole"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="wire", daemon=True)
        self._writers: set[asyncio.StreamWriter] = set()
        self._listening = threading.Event()
        self._whole = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "Wire":
        self._thread.start()
        self._listening.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def cut(self, state: WireState) -> None:
        self._loop.call_soon_threadsafe(self._become, state)

    def mend(self) -> None:
        self._loop.call_soon_threadsafe(self._become, "whole")

    def _become(self, state: WireState) -> None:
        # a connection that was silent is not taken up where it was: its packets are lost
        if state == "refused" or (state == "whole" and self.state == "silent"):
            for writer in self._writers:
                writer.transport.abort()
        self.state = state
        (self._whole.set if state == "whole" else self._whole.clear)()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._whole.set()
        server = self._loop.run_until_complete(asyncio.start_server(self._connected, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        self._loop.run_forever()
        server.close()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = self.target()
        if self.state == "refused" or port is None:
            writer.transport.abort()
            return
        self._writers.add(writer)
        try:
            await self._whole.wait()
            there, back = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.transport.abort()
            return
        finally:
            self._writers.discard(writer)
        both = {writer, back}
        self._writers |= both
        try:
            await asyncio.gather(self._forward(reader, back), self._forward(there, writer))
        finally:
            self._writers -= both
            for one in both:
                one.close()

    async def _forward(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                await self._whole.wait()
                sink.write(data)
                await sink.drain()
        with contextlib.suppress(OSError, RuntimeError):
            sink.write_eof()
