"""A clip is done again from one of its stages on: a new revision of that stage's task, which the later ones follow."""

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from dashcam.catalog.models import Video
from dashcam.records import VideoFacts
from dashcam.storage import layout
from dashcam.tasks import table
from dashcam.tasks.chain import STAGES
from dashcam.tasks.model import ARCHIVE, CLIP, InputRef, NewTask, TaskType
from dashcam.tasks.row import TaskRow


class NotAgain(Exception):
    """The clip cannot be done again from that stage on; the message is one plain sentence."""


def do_again(session: Session, video: Video, stage: TaskType, source: str | None = None) -> int:
    """Publish the stage's task once more, with the inputs it had last, and the clip at ``source`` where it reads that;
    the archive there instead of a clip that is gone, which has to be through for it.

    What is pending at later stages ends: it would go on with what is made anew. A task of the stage itself that is
    pending is only released. Gives the number of the task that is offered now. Raises `NotAgain`.
    """
    order = list(STAGES)
    earlier, later = order[: order.index(stage)], order[order.index(stage) + 1 :]
    of_video = select(TaskRow).where(TaskRow.video_id == video.video_id).order_by(TaskRow.revision, TaskRow.task_id)
    tasks = session.scalars(of_video).all()
    for task in tasks:
        if task.state == "pending" and task.task_type in earlier:
            raise NotAgain(f"{video.name} is at {task.task_type} still, and comes to {stage} by itself.")
        if task.state == "pending" and task.task_type in later and source == layout.archive(video.video_id):
            raise NotAgain(f"{video.name} is at {task.task_type} still: its archive is read again when it is through.")
    of_stage = [task for task in tasks if task.task_type == stage]
    if not of_stage:
        raise NotAgain(f"{video.name} has not come as far as {stage}: do it again from an earlier stage on.")
    last = of_stage[-1]
    table.close(session, video.video_id, later, f"replaced: {stage} is done again")
    begin(video)
    if last.state == "pending":
        table.release(session, last.task_id)
        return last.task_id
    revision = 1 + max(task.revision for task in tasks)
    refs = inputs(video.video_id, of_stage, source)
    table.publish(session, NewTask(task_type=stage, video_id=video.video_id, inputs=refs), revision)
    wanted = TaskRow.video_id == video.video_id, TaskRow.task_type == stage, TaskRow.revision == revision
    return session.scalars(select(TaskRow.task_id).where(*wanted)).one()


def begin(video: Video) -> None:
    """It is on its way again."""
    video.outcome = None
    video.reason = (VideoFacts.model_validate(video.facts).damage or None) if video.facts else None


class HasInputs(Protocol):
    @property
    def inputs(self) -> Any: ...


def inputs(video_id: str, before: Sequence[HasInputs], source: str | None) -> list[InputRef]:
    """Of one more task of a stage, by those that there were."""
    given = [[InputRef.model_validate(ref) for ref in task.inputs] for task in before]
    if source is None:
        return given[-1]
    if source == layout.archive(video_id):
        return [InputRef.of(source, ARCHIVE)]
    of_clip = [refs for refs in given if any(ref.type == CLIP for ref in refs)]
    beside = [ref for ref in (of_clip or [[]])[-1] if ref.type != CLIP]
    return [InputRef.of(source, CLIP), *beside]


def from_archive(session: Session, task_id: int) -> bool:
    """The clip that the task was to read is gone, and its archive has all that was found in it: its crops are read
    instead, where plates are what the task looks for."""
    task = session.get_one(TaskRow, task_id)
    if task.state != "pending" or task.task_type != TaskType.HEAVY_PROCESS_VIDEO:
        return False
    task.inputs = [InputRef.of(layout.archive(task.video_id), ARCHIVE).model_dump()]
    return True
