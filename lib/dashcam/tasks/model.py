"""Tasks as they travel: between table, REST API and flows."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from dashcam.config.pools import DeviceType
from dashcam.records import ClipRecord, VideoFacts


class TaskType(StrEnum):
    INGEST_VIDEO = "INGEST_VIDEO"
    PREPROCESS_VIDEO = "PREPROCESS_VIDEO"
    HEAVY_PROCESS_VIDEO = "HEAVY_PROCESS_VIDEO"
    ARCHIVE_VIDEO = "ARCHIVE_VIDEO"
    FINALIZE_VIDEO = "FINALIZE_VIDEO"


CLIP, ARCHIVE = "video", "archive"
"""Types of inputs: the clip itself, and the folder of its archive."""

BEGINS = "X-Dashcam-Begins"
"""The header by which a device that asks for a task says, percent-encoded, that it is the one to work on it now."""

TaskState = Literal["pending", "complete"]
Outcome = Literal["processed", "rejected", "vanished"]


class InputRef(BaseModel):
    """One input of a task, in the owner's form: ``{"device": "indoor_nas", "path": "raw/…", "type": "video"}``.

    One of type ``parameters`` has ``values`` too: what the stage goes by, and where that is written.
    """

    model_config = ConfigDict(frozen=True)

    device: str
    path: str
    type: str = "video"
    values: dict[str, int | float] | None = Field(None, exclude_if=lambda values: values is None)

    @property
    def uri(self) -> str:
        """The same place in ``store:relative/path`` form."""
        return f"{self.device}:{self.path}"

    @classmethod
    def of(cls, uri: str, type: str) -> "InputRef":
        store, _, path = uri.partition(":")
        return cls(device=store, path=path, type=type)


class Listed(NamedTuple):
    """One line of a folder's listing: path below the store, size in bytes, time of last change in nanoseconds."""

    path: str
    size: int
    mtime_ns: int


class NewTask(BaseModel):
    """A task to be published; publishing the same (type, video, revision) twice is one task."""

    task_type: TaskType
    video_id: str
    inputs: list[InputRef]


class Task(BaseModel):
    task_id: int
    task_type: TaskType
    video_id: str
    video: VideoFacts | None = None
    """What ingest found out about the clip; None until then. Its fixes only with a preprocessing task that is asked for
    by its number."""
    record: ClipRecord | None = None
    """What the stages before it have found out; only with an archiving task that is asked for by its number."""
    revision: int
    device_type: DeviceType
    """As the deployment guide names them: what its pool is meant for."""
    state: TaskState
    inputs: list[InputRef]
    created_at: datetime
    completed_at: datetime | None = None
    attempts: int = 0
    """How many times the task has been offered to a worker."""
    failures: int = 0
    """How many of these ended in a reported failure."""
    last_error: str | None = None
    not_before: datetime | None = None
    first: bool = False
    """A person has put it first in line."""
    hold: str | None = None
    """Why nothing offers this task to a worker until a person says so, e.g. "run cancelled in Prefect"."""
    flow_run_id: str | None = None
    outcome: Outcome | None = None
    reason: str | None = None
    result: dict[str, Any] | None = None
    progress: float | None = None
    """How far the device working on it says it is, 0 to 1."""
    device: str | None = None

    def input(self, type: str) -> InputRef:
        """The input of that type; ``KeyError`` when the task has none."""
        for ref in self.inputs:
            if ref.type == type:
                return ref
        raise KeyError(f"task {self.task_id} ({self.task_type}) has no input of type {type!r}")


class TaskBrief(BaseModel):
    """Of a pending task what somebody who follows its clip wants to know."""

    task_id: int
    task_type: TaskType
    video_id: str
    failures: int = 0
    hold: str | None = None
    last_error: str | None = None
    not_before: datetime | None = None
    progress: float | None = None
    """How far the device working on it says it is, 0 to 1."""
    device: str | None = None

    @property
    def waits(self) -> bool:
        """There was no room for it; ``last_error`` says where."""
        return self.not_before is not None and not self.failures


class Changes(BaseModel):
    """Which clips' tasks have changed since an earlier answer, and what is under way now."""

    epoch: str
    """Another one after a restart of the main server."""
    number: int
    video_ids: list[str] | None = None
    """Each once; None where more has changed than was kept, so that every clip is to be looked at."""
    running: list[TaskBrief] = []


class Completion(BaseModel):
    """What a worker sends when a task is done. ``rejected`` and ``vanished`` end the video with a reason, for good.

    ``task_type`` and ``video_id`` say whose task it was: with a backup put back meanwhile, its number may be another's.
    """

    outcome: Outcome = "processed"
    reason: str | None = None
    result: dict[str, Any] | None = None
    publish: list[NewTask] = []
    task_type: TaskType | None = None
    video_id: str | None = None
