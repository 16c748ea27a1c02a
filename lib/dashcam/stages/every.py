"""All stages at once, for who runs a clip through them without Prefect."""

from dashcam.config import DeviceSettings
from dashcam.stages import archive, finalize, ingest
from dashcam.stages.common import StageFunction
from dashcam.stages.heavy import Heavy
from dashcam.stages.preprocess import Preprocess
from dashcam.tasks.model import TaskType


def stages_on(device: DeviceSettings) -> dict[TaskType, StageFunction]:
    """With the engines that this machine has, loaded."""
    return {
        TaskType.INGEST_VIDEO: ingest.run,
        TaskType.PREPROCESS_VIDEO: Preprocess(device).run,
        TaskType.HEAVY_PROCESS_VIDEO: Heavy(device).run,
        TaskType.ARCHIVE_VIDEO: archive.run,
        TaskType.FINALIZE_VIDEO: finalize.run,
    }
