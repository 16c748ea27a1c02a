"""What Prometheus is told. What is counted lives in this process and begins anew with it; what stands in the database
is asked for at each scrape, by indices, and what takes long to count is as old as the pages' (`System.recent`)."""

import threading
import time
from collections import OrderedDict
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from dashcam.catalog.devices import DeviceLine
from dashcam.catalog.work import StageBacklog
from dashcam.doctor.finding import Finding
from dashcam.doctor.stores import Room
from dashcam.tasks.model import Outcome, TaskType

MOST_BEGUN = 10_000
TASK_BUCKETS = (1, 2, 5, 10, 20, 60, 120, 300, 600, 1800, 3600)
ROUND_BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
UNKNOWN = "unknown"
"""The type of a task that was begun before this process was."""


class Metrics:
    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.rounds = Histogram(
            "dashcam_dispatch_round_seconds", "A round of the dispatcher.", buckets=ROUND_BUCKETS, registry=registry
        )
        self.durations = Histogram(
            "dashcam_task_seconds",
            "From a device's asking for a task to its result.",
            ["type"],
            buckets=TASK_BUCKETS,
            registry=registry,
        )
        self.completed = Counter(
            "dashcam_tasks_completed", "Tasks by how they ended.", ["type", "outcome"], registry=registry
        )
        self.failures = Counter(
            "dashcam_task_failures", "Failures that devices have reported.", ["type"], registry=registry
        )
        self.pending = Gauge("dashcam_tasks_pending", "Tasks that wait or run.", ["type", "state"], registry=registry)
        self.footage = Gauge(
            "dashcam_pending_footage_seconds", "Footage of the pending tasks.", ["type"], registry=registry
        )
        self.oldest = Gauge(
            "dashcam_oldest_pending_seconds", "Age of the task that has waited longest.", registry=registry
        )
        self.troubled = Gauge(
            "dashcam_tasks_troubled", "Pending tasks that have failed or are held.", registry=registry
        )
        self.seen = Gauge(
            "dashcam_device_last_seen_timestamp_seconds", "Of each device.", ["device", "type"], registry=registry
        )
        self.resting = Gauge(
            "dashcam_device_resting", "1 of a device that takes no work.", ["device"], registry=registry
        )
        self.free = Gauge("dashcam_store_free_bytes", "Free space of each store.", ["store"], registry=registry)
        self.size = Gauge("dashcam_store_size_bytes", "Size of each store.", ["store"], registry=registry)
        self.there = Gauge("dashcam_store_there", "1 of a store that is mounted.", ["store"], registry=registry)
        self.database = Gauge("dashcam_database_bytes", "Size of the database.", registry=registry)
        self.findings = Gauge(
            "dashcam_findings", "What the main server finds wrong with itself.", ["check", "state"], registry=registry
        )
        self._begun: OrderedDict[int, tuple[TaskType, float]] = OrderedDict()
        self._lock = threading.Lock()

    def began(self, task_id: int, kind: TaskType) -> None:
        """A device has asked for the task, as each does when it begins it."""
        with self._lock:
            self._begun[task_id] = kind, time.monotonic()
            self._begun.move_to_end(task_id)
            if len(self._begun) > MOST_BEGUN:
                self._begun.popitem(last=False)

    def ended(self, task_id: int, outcome: Outcome) -> None:
        kind, seconds = self._taken(task_id)
        self.completed.labels(kind, outcome).inc()
        if seconds is not None:
            self.durations.labels(kind).observe(seconds)

    def failed(self, task_id: int) -> None:
        self.failures.labels(self._taken(task_id)[0]).inc()

    def _taken(self, task_id: int) -> tuple[str, float | None]:
        with self._lock:
            begun = self._begun.pop(task_id, None)
        return (UNKNOWN, None) if begun is None else (begun[0].value, time.monotonic() - begun[1])

    def work(self, backlog: list[StageBacklog], troubled: int, oldest: datetime | None, now: datetime) -> None:
        for stage in backlog:
            self.pending.labels(stage.task_type.value, "free").set(stage.pending - stage.held)
            self.pending.labels(stage.task_type.value, "held").set(stage.held)
            self.footage.labels(stage.task_type.value).set(stage.footage_s)
        self.troubled.set(troubled)
        self.oldest.set(0 if oldest is None else (now - oldest).total_seconds())

    def machines(self, devices: list[DeviceLine]) -> None:
        for gauge in (self.seen, self.resting):
            gauge.clear()
        for one in devices:
            self.seen.labels(one.hostname, one.device_type).set(one.last_seen.timestamp())
            self.resting.labels(one.hostname).set(one.drained is not None or one.pause.paused)

    def disks(self, rooms: dict[str, Room | None], database: int) -> None:
        for gauge in (self.free, self.size, self.there):
            gauge.clear()
        for store, room in rooms.items():
            self.there.labels(store).set(room is not None)
            if room is not None:
                self.free.labels(store).set(room.free)
                self.size.labels(store).set(room.total)
        self.database.set(database)

    def found(self, findings: list[Finding]) -> None:
        self.findings.clear()
        for one in findings:
            if one.state in ("warning", "fault"):
                self.findings.labels(one.check, one.state).inc()

    def text(self) -> bytes:
        return generate_latest(self.registry)
