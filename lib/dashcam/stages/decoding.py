"""What it means that nothing of a clip can be decoded."""

from dashcam.media.coding import NoDecoder
from dashcam.media.decode import DecodeError, UnknownCoding
from dashcam.stages.common import Rejected, StageError
from dashcam.tasks.model import Task


def verdict(task: Task, error: DecodeError | NoDecoder) -> Rejected | StageError:
    """The clip's fault, for good; or this device's, where another one can."""
    if isinstance(error, NoDecoder):
        return StageError(str(error))
    if isinstance(error, UnknownCoding) and task.video and task.video.codec:  # the main server knew it
        return StageError(str(NoDecoder(task.video.name, task.video.codec)))
    return Rejected(str(error))
