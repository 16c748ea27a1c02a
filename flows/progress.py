"""How far a clip is, told to the main server beside the work: nobody waits for a report, and none is a failure."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dashcam.tasks.client import MainServerClient

INTERVAL_S = 0.5
LAST_REPORT_S = 1.0
"""How long the end of a clip waits for a report that is under way, so that it does not arrive after the end."""

log = logging.getLogger(__name__)


@contextmanager
def reporting(server: MainServerClient, task_id: int, device: str) -> Iterator[Callable[[float], None]]:
    """A callback that takes fractions from 0 to 1 and returns at once; at most two a second are sent, the newest."""
    reporter = Reporter(server, task_id, device)
    reporter.start()
    try:
        yield reporter.report
    finally:
        reporter.end()


class Reporter(threading.Thread):
    def __init__(self, server: MainServerClient, task_id: int, device: str) -> None:
        super().__init__(name=f"progress of task {task_id}", daemon=True)
        self.server, self.task_id, self.device = server, task_id, device
        self.newest: float | None = None
        self.ended = False
        self.changed = threading.Condition()

    def report(self, fraction: float) -> None:
        with self.changed:
            self.newest = fraction
            self.changed.notify()

    def end(self) -> None:
        with self.changed:
            self.ended = True
            self.changed.notify()
        self.join(LAST_REPORT_S)

    def run(self) -> None:
        while (fraction := self.next()) is not None:
            sent = time.monotonic()
            try:
                self.server.progress(self.task_id, fraction, self.device)
            except Exception as error:
                log.debug("progress of task %s not reported: %s", self.task_id, error)
            with self.changed:
                self.changed.wait_for(lambda: self.ended, sent + INTERVAL_S - time.monotonic())

    def next(self) -> float | None:
        """The newest fraction once there is one; None when the clip has ended."""
        with self.changed:
            self.changed.wait_for(lambda: self.ended or self.newest is not None)
            fraction, self.newest = self.newest, None
            return None if self.ended else fraction
