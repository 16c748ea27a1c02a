"""Faults of a NAS as those who use it see them, in the midst of reading and writing: by name in `FAULTS`.

Other than those in `damage`, which strike at what Python does with files, these strike at what anybody does: the
decoder reads the clip, the encoder writes the small copy (`chaos.fragile`).
"""

from functools import partial

from dashcam.chaos.fragile import Ailment, Onset
from dashcam.chaos.trial import Fault, Trial
from dashcam.chaos.world import Run
from dashcam.storage import layout
from dashcam.tasks.chain import STAGES
from dashcam.tasks.model import TaskType

COMMON_OPERATIONS = 6
"""Half the time a trouble sets in before so many."""


def fails(store: str, trouble: Ailment, at: Onset, trial: Trial, run: Run) -> str | None:
    """From one operation on, until the worker has given up or is through."""
    nas = trial.nas[store]
    if trial.healing:
        return None
    nas.be(trouble, at, int(trial.dice.expovariate(0.7 / COMMON_OPERATIONS)))
    try:
        trial.go_on(run)
    finally:
        met = nas.heal()
    return f"at {met}" if met else None


READERS = [stage for stage, one in STAGES.items() if one.reads_clip]
WRITERS = [TaskType.PREPROCESS_VIDEO, TaskType.HEAVY_PROCESS_VIDEO]
INDOOR = [stage for stage in STAGES if stage is not TaskType.FINALIZE_VIDEO]
SHED = [TaskType.ARCHIVE_VIDEO, TaskType.FINALIZE_VIDEO]

FAULTS: dict[str, Fault] = {
    "nas-read-error": Fault(partial(fails, layout.INDOOR, "eio", "read"), READERS, on_nas=True),
    "nas-write-error": Fault(partial(fails, layout.INDOOR, "eio", "write"), WRITERS, on_nas=True),
    "nas-fills": Fault(partial(fails, layout.INDOOR, "full", "write"), WRITERS, on_nas=True),
    "nas-read-only": Fault(partial(fails, layout.INDOOR, "read-only", "any"), INDOOR, on_nas=True),
    "nas-stale": Fault(partial(fails, layout.INDOOR, "stale", "any"), on_nas=True),
    "shed-nas-read-error": Fault(partial(fails, layout.SHED, "eio", "read"), SHED, on_nas=True),
    "shed-nas-write-error": Fault(partial(fails, layout.SHED, "eio", "write"), SHED[:1], on_nas=True),
    "shed-nas-fills": Fault(partial(fails, layout.SHED, "full", "write"), SHED[:1], on_nas=True),
    "shed-nas-stale": Fault(partial(fails, layout.SHED, "stale", "any"), SHED, on_nas=True),
}
