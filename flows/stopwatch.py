"""What a run took, kept in Prefect beside it: `dashcam bench pipeline` adds it up."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
from prefect.artifacts import create_table_artifact

from flows.artifacts import key, leave

TIMES = "times"
LOADING, PROCESS = "(loading)", "(process)"  # where the name of a clip stands otherwise


class Stopwatch:
    """What the stage itself took, for each clip and for loading its models, and what this whole process has used.

    Shows in Prefect as the run's artifact.
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []

    @contextmanager
    def timing(self, what: str) -> Iterator[None]:
        began, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.note(what, time.perf_counter() - began, time.process_time() - cpu)

    def note(self, what: str, seconds: float, cpu_seconds: float) -> None:
        self.rows.append({"clip": what, "seconds": round(seconds, 3), "cpu_seconds": round(cpu_seconds, 3)})

    def publish(self) -> None:
        if self.rows:
            self.note(PROCESS, time.time() - psutil.Process().create_time(), time.process_time())
            told = "The stage's own work, and this process in all"
            leave(create_table_artifact, table=self.rows, key=key(TIMES), description=told)
