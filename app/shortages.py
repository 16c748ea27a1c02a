"""Where there is no room at the moment, as devices have told and as the main server sees of its own database's disk.

In memory alone: a shortage that lasts is told again within minutes, and one that is over is forgotten as soon.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine

from dashcam.storage.room import Need, shortage
from dashcam.tasks.model import TaskType
from dashcam.tasks.table import ROOM_WAIT

TASKS_KEPT_S = 3 * ROOM_WAIT.total_seconds()
INTAKE_KEPT_S = 900.0
"""A scan comes every five minutes."""


@dataclass(frozen=True)
class Shortage:
    sentence: str
    at: float
    kept_s: float


@dataclass
class Shortages:
    """``now`` are seconds of a clock that only goes forward."""

    engine: Engine
    now: Callable[[], float] = time.monotonic
    told: dict[str, Shortage] = field(default_factory=dict)

    def stage(self, task_type: TaskType, sentence: str) -> None:
        """A clip at this stage does not fit."""
        self.told[task_type] = Shortage(f"Clips wait. {sentence}", self.now(), TASKS_KEPT_S)

    def intake(self, store: str, sentence: str) -> None:
        """No clips are taken in from this store."""
        self.told[store] = Shortage(f"No clips are taken in. {sentence}", self.now(), INTAKE_KEPT_S)

    def over(self, key: str) -> None:
        """Of a stage or a store."""
        self.told.pop(key, None)

    def try_again(self) -> None:
        """A person says so: every stage is tried at once."""
        for task_type in TaskType:
            self.over(task_type)

    def waits(self, task_type: TaskType) -> bool:
        """Whether clips at this stage are left alone for the moment: one of them has just not fitted, so each would
        start a process to find out the same."""
        told = self.told.get(task_type)
        return told is not None and self.now() - told.at < ROOM_WAIT.total_seconds()

    def of_database(self) -> str | None:
        """Why nothing more is to be taken in: the disk of an SQLite database has little room left."""
        if self.engine.dialect.name != "sqlite" or not self.engine.url.database:
            return None
        try:
            return shortage([Need("the database", Path(self.engine.url.database).absolute().parent)])
        except OSError:
            return None

    def sentences(self) -> list[str]:
        """For whoever may make room, each once."""
        lasting = [one.sentence for one in list(self.told.values()) if self.now() - one.at < one.kept_s]
        own = self.of_database()
        return list(dict.fromkeys(([f"No clips are taken in. {own}"] if own else []) + lasting))
