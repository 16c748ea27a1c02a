"""Which device class runs a task type, and at which revision."""

from dataclasses import dataclass

from dashcam.tasks.model import CLIP, Task, TaskType


@dataclass(frozen=True)
class Stage:
    """A stage as the dispatcher sees it.

    ``pool`` is the Prefect work pool, ``flow`` the deployment ``<flow>/<flow>`` that works its tasks off. Raising
    ``revision`` makes newly published tasks of this type distinct from those already done. ``reads_clip``: it
    looks at the clip itself (`reads_clip` says whether a task does). ``urgent``: a person waits for what comes of it.
    """

    pool: str
    flow: str
    revision: int = 1
    reads_clip: bool = False
    urgent: bool = True


STAGES = {
    TaskType.INGEST_VIDEO: Stage("server", "ingest", reads_clip=True),
    TaskType.PREPROCESS_VIDEO: Stage("jetson", "preprocess", reads_clip=True),
    TaskType.HEAVY_PROCESS_VIDEO: Stage("gpu", "heavy", reads_clip=True),
    TaskType.ARCHIVE_VIDEO: Stage("nas", "archive", urgent=False),
    TaskType.FINALIZE_VIDEO: Stage("server", "finalize", urgent=False),
}
"""In the order in which a clip travels."""

POOLS = ("server", "jetson", "gpu", "nas")


def reads_clip(task: Task) -> bool:
    """Whether the task can do nothing without the clip itself. One that is to read the archive's crops has no clip
    among its inputs."""
    return STAGES[task.task_type].reads_clip and any(ref.type == CLIP for ref in task.inputs)


def before(task_type: TaskType) -> TaskType | None:
    """The stage that a clip has passed when it comes to this one."""
    order = list(STAGES)
    place = order.index(task_type)
    return order[place - 1] if place else None
