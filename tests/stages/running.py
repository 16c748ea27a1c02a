"""A device in a temporary folder for stage tests: two stores, a scratch folder per run."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from dashcam.config import DeviceSettings
from dashcam.records import VideoFacts
from dashcam.stages.common import StageContext, StageOutput
from dashcam.stages.heavy import Heavy
from dashcam.stages.preprocess import Preprocess
from dashcam.storage.roots import Stores
from dashcam.tasks.model import InputRef, Task, TaskType


class Device:
    """``run_both`` takes a clip through preprocessing and the heavy stage as a worker would."""

    def __init__(self, home: Path, settings: DeviceSettings = DeviceSettings(proposals="none")) -> None:
        self.home = home
        self.nas = home / "nas"
        self.nas.mkdir(parents=True)
        self.settings = settings
        self._runs = 0

    def context(self, clip: Path, progress: Callable[[float], None] = lambda fraction: None) -> StageContext:
        self._runs += 1
        scratch = self.home / f"scratch{self._runs}"
        scratch.mkdir()
        stores = Stores({"indoor_nas": self.nas, "local": clip.parent})
        return StageContext(stores, scratch, self.settings, logging.getLogger("stage"), progress)

    def preprocess(self, clip: Path, video: VideoFacts | None = None, stage: Preprocess | None = None) -> StageOutput:
        todo = task(TaskType.PREPROCESS_VIDEO, clip, [InputRef(device="local", path=clip.name)])
        return (stage or Preprocess(self.settings)).run(todo.model_copy(update={"video": video}), self.context(clip))

    def run_both(self, clip: Path, heavy: Heavy) -> StageOutput:
        found = self.preprocess(clip)
        return heavy.run(task(TaskType.HEAVY_PROCESS_VIDEO, clip, found.publish[0].inputs), self.context(clip))


def task(kind: TaskType, clip: Path, inputs: list[InputRef]) -> Task:
    return Task(
        task_id=1,
        task_type=kind,
        video_id=clip.stem,
        revision=1,
        device_type="rtx_4090",
        state="pending",
        inputs=inputs,
        created_at=datetime(2026, 6, 28, tzinfo=UTC),
    )
