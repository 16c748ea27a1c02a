"""ARCHIVE_VIDEO, pool nas: copy, verify and rename into the archive."""

from prefect import flow
from prefect.client.schemas.objects import State

from dashcam.stages import archive as stage
from flows.clips import work_off


@flow
def archive(task_ids: list[int]) -> State:
    return work_off(task_ids, lambda device: stage.run)
