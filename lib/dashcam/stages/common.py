"""What every stage gets and gives back."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from dashcam import Explained
from dashcam.config import DeviceSettings
from dashcam.media import identity
from dashcam.records import Record
from dashcam.storage.roots import StoreError, Stores
from dashcam.tasks.chain import STAGES
from dashcam.tasks.model import NewTask, Task


class Rejected(Explained):
    """This clip can never be processed; the message is the plain sentence a person will read.

    ``result`` is what could be saved of it all the same.
    """

    def __init__(self, message: str, result: Record | None = None) -> None:
        super().__init__(message)
        self.result = result


class StageError(Explained):
    """This attempt failed, for a reason that lies with the device and not with the clip; the message is the plain
    sentence a person will read. The task is offered again by itself."""


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


def ensure_its_clip(task: Task, stores: Stores) -> None:
    """What lies at the clip's place is that clip, if the stage reads it: people, and cameras that count from 1 again,
    put another one there. Raises `StageError`; ``OSError`` and `StoreError` when it cannot be read."""
    if STAGES[task.task_type].reads_clip and identity.video_id(stores.path(task.input("video").uri)) != task.video_id:
        raise StageError(
            f"{task.input('video').path} is not the clip any more that was handed in: it was still being written, or "
            "was replaced."
        )


def clip_vanished(task: Task, stores: Stores) -> bool:
    """The clip that the stage must read is in its place no more, and the store is there: a person, the camera's
    software or a retention rule has removed or replaced it. An empty store counts as not mounted."""
    if not STAGES[task.task_type].reads_clip:
        return False
    clip = task.input("video")
    try:
        path = stores.path(clip.uri)
        gone = not path.exists() or identity.video_id(path) != task.video_id
        return gone and any(stores.root(clip.device).iterdir())
    except (StoreError, OSError):
        return False
