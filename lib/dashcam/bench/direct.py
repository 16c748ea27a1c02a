"""The stages as plain functions on a pair of empty stores, one clip after the other: what the pipeline's work costs."""

import logging
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from dashcam.config import DeviceSettings
from dashcam.config.pools import DEVICE_TYPE_OF
from dashcam.embedded.job import local_ref
from dashcam.media import identity
from dashcam.records import VideoFacts
from dashcam.stages.common import StageContext, StageFunction, StageOutput
from dashcam.stages.every import stages_on
from dashcam.storage.roots import Stores
from dashcam.tasks.chain import STAGES
from dashcam.tasks.model import NewTask, Task, TaskType


def run_stages(clips: Sequence[Path], folder: Path) -> tuple[dict[TaskType, float], float]:
    """Seconds by the clock that each stage took for all clips, and how many seconds of footage they are."""
    roots = {name: folder / name for name in ("indoor_nas", "shed_nas", "scratch")}
    for root in roots.values():
        root.mkdir(parents=True)
    device = DeviceSettings(scratch=roots["scratch"])
    stores = Stores(roots | {"local": Path("/")})
    stages = stages_on(device)
    took: dict[TaskType, float] = dict.fromkeys(STAGES, 0.0)
    footage_s = 0.0
    for clip in clips:
        facts: VideoFacts | None = None
        following = [NewTask(task_type=next(iter(STAGES)), video_id=identity.video_id(clip), inputs=[local_ref(clip)])]
        while following:
            (new,) = following
            began = time.perf_counter()
            output = one_stage(stages[new.task_type], task_of(new, facts), stores, device)
            took[new.task_type] += time.perf_counter() - began
            if isinstance(output.result, VideoFacts):
                facts = output.result.model_copy(update={"fixes": []})
                footage_s += facts.duration_s
            following = output.publish
    return took, footage_s


def one_stage(stage: StageFunction, task: Task, stores: Stores, device: DeviceSettings) -> StageOutput:
    with tempfile.TemporaryDirectory(dir=device.scratch) as scratch:
        return stage(task, StageContext(stores, Path(scratch), device, logging.getLogger("dashcam.bench")))


def task_of(new: NewTask, facts: VideoFacts | None) -> Task:
    stage = STAGES[new.task_type]
    return Task(
        task_id=1,
        task_type=new.task_type,
        video_id=new.video_id,
        video=facts,
        revision=stage.revision,
        device_type=DEVICE_TYPE_OF[stage.pool],
        state="pending",
        inputs=new.inputs,
        created_at=datetime.now(UTC),
    )
