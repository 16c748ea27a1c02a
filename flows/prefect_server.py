"""Prefect's server, ``python -m flows.prefect_server start ...``, with its garbage collected beside the event loop.

On SQLite Prefect 3.8 froze for a minute now and then: statements that had met a locked database were garbage, and
freeing one waits while its connection, in use again, waits for the lock, up to 60 s. In the event loop's thread
that keeps whoever holds the lock from ever committing. In a thread of its own nobody minds.
"""

import gc
import sys
import threading
import time

YOUNG_S, ALL_S = 1.0, 60.0


def collect_beside() -> None:
    """From now on no other thread of this process collects garbage."""
    gc.disable()
    threading.Thread(target=collect, daemon=True, name="garbage").start()


def collect() -> None:
    everything = time.monotonic() + ALL_S
    while True:
        time.sleep(YOUNG_S)
        gc.collect(1)
        if time.monotonic() > everything:
            gc.collect()
            everything = time.monotonic() + ALL_S


def main() -> None:
    collect_beside()
    from prefect.cli import app

    sys.argv.insert(1, "server")
    app()


if __name__ == "__main__":
    main()
