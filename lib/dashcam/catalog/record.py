"""A clip's record as its archive keeps it: what its stages have said, from the table's completed tasks."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from dashcam.catalog.models import Video
from dashcam.records import ClipRecord, StageRecord
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import TaskRow

RECORDED = (TaskType.INGEST_VIDEO, TaskType.PREPROCESS_VIDEO, TaskType.HEAVY_PROCESS_VIDEO)
"""What comes after them the archive itself shows."""


def record_of(session: Session, video_id: str) -> ClipRecord | None:
    """The newest revision of each stage's result; None where ingest or heavy have none, so that it says nothing."""
    query = select(TaskRow).where(TaskRow.video_id == video_id, TaskRow.outcome == "processed")
    done = {row.task_type: row for row in session.scalars(query.order_by(TaskRow.revision)) if row.result is not None}
    if not {TaskType.INGEST_VIDEO, TaskType.HEAVY_PROCESS_VIDEO} <= done.keys():
        return None
    stages = [stage_record(done[stage.value]) for stage in RECORDED if stage.value in done]
    return ClipRecord(video_id=video_id, source=session.get_one(Video, video_id).source, stages=stages)


def stage_record(row: TaskRow) -> StageRecord:
    """Of a completed task."""
    return StageRecord(
        task_type=row.task_type,
        revision=row.revision,
        inputs=row.inputs,
        result=row.result or {},
        outcome=row.outcome or "processed",
        reason=row.reason,
    )
