"""How far running tasks are. Kept in memory only: after a restart the workers say it again."""

import threading
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    fraction: float | None
    """None while the device has only said that it has begun."""
    device: str


class ProgressBoard:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_task: dict[int, Progress] = {}

    def begin(self, task_id: int, device: str) -> None:
        with self._lock:
            self._by_task[task_id] = Progress(None, device)

    def report(self, task_id: int, fraction: float, device: str) -> None:
        with self._lock:
            self._by_task[task_id] = Progress(min(max(fraction, 0.0), 1.0), device)

    def forget(self, task_id: int) -> None:
        with self._lock:
            self._by_task.pop(task_id, None)

    def forget_device(self, device: str) -> None:
        """It has stopped in the middle of what it was at."""
        with self._lock:
            self._by_task = {task: at for task, at in self._by_task.items() if at.device != device}

    def snapshot(self) -> dict[int, Progress]:
        with self._lock:
            return dict(self._by_task)
