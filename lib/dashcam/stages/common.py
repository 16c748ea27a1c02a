"""What every stage gets and gives back."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from dashcam.config import DeviceSettings
from dashcam.records import Record
from dashcam.storage.roots import Stores
from dashcam.tasks.model import NewTask


class Rejected(Exception):
    """This clip can never be processed; the message is the plain sentence a person will read.

    ``result`` is what could be saved of it all the same.
    """

    def __init__(self, message: str, result: Record | None = None) -> None:
        super().__init__(message)
        self.result = result


@dataclass(frozen=True)
class StageContext:
    """The device a stage runs on.

    ``scratch`` is an empty folder of this run's own, removed afterwards; ``progress`` takes a fraction from 0 to 1.
    """

    stores: Stores
    scratch: Path
    device: DeviceSettings
    log: logging.Logger | logging.LoggerAdapter[logging.Logger]
    progress: Callable[[float], None] = lambda fraction: None


@dataclass(frozen=True)
class StageOutput:
    """What a stage hands to ``complete``: its result and the tasks that follow."""

    result: Record
    publish: list[NewTask] = field(default_factory=list)
