"""What the chaos tests share: clips, engines, and what an undisturbed run makes of the clips."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from dashcam.chaos.clips import base_clips
from dashcam.chaos.invariants import canonical
from dashcam.chaos.world import World, device
from dashcam.stages.common import StageFunction
from dashcam.stages.every import stages_on
from dashcam.tasks.model import TaskType


@dataclass(frozen=True)
class Undisturbed:
    clips: list[Path]
    stages: dict[TaskType, StageFunction]
    reference: dict[str, str]


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    folder = tmp_path_factory.mktemp("undisturbed")
    clips = base_clips(folder / "clips")
    stages = stages_on(device(folder / "scratch"))
    world = World(folder / "world", stages)
    with world.clock.ticking():
        for clip in clips:
            world.hand_in(world.put(clip.name, clip.read_bytes()))
        world.work_off()
    reference = canonical(world.engine, world.names, world.roots)
    world.close()
    return Undisturbed(clips, stages, reference)
