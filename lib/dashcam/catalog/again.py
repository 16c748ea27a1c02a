"""A clip is done again from one of its stages on: a new revision of that stage's task, which the later ones follow."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from dashcam.catalog.models import Video
from dashcam.records import VideoFacts
from dashcam.storage.roots import split
from dashcam.tasks import table
from dashcam.tasks.chain import STAGES
from dashcam.tasks.model import InputRef, NewTask, TaskType
from dashcam.tasks.row import TaskRow


class NotAgain(Exception):
    """The clip cannot be done again from that stage on; the message is one plain sentence."""


def do_again(session: Session, video: Video, stage: TaskType, source: str | None = None) -> int:
    """Publish the stage's task once more, with the inputs it had last, and the clip at ``source`` where it reads that.

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
    last = next((task for task in reversed(tasks) if task.task_type == stage), None)
    if last is None:
        raise NotAgain(f"{video.name} has not come as far as {stage}: do it again from an earlier stage on.")
    table.close(session, video.video_id, later, f"replaced: {stage} is done again")
    video.outcome = None
    video.reason = (VideoFacts.model_validate(video.facts).damage or None) if video.facts else None
    if last.state == "pending":
        table.release(session, last.task_id)
        return last.task_id
    revision = 1 + max(task.revision for task in tasks)
    table.publish(session, NewTask(task_type=stage, video_id=video.video_id, inputs=inputs(last, source)), revision)
    wanted = TaskRow.video_id == video.video_id, TaskRow.task_type == stage, TaskRow.revision == revision
    return session.scalars(select(TaskRow.task_id).where(*wanted)).one()


def inputs(last: TaskRow, source: str | None) -> list[InputRef]:
    refs = [InputRef.model_validate(ref) for ref in last.inputs]
    if source is None:
        return refs
    store, path = split(source)
    clip = InputRef(device=store, path=str(path), type="video")
    return [clip if ref.type == clip.type else ref for ref in refs]
