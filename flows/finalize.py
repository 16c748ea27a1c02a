"""FINALIZE_VIDEO, pool server: check the archive against its manifest, let intermediates go."""

from prefect import flow
from prefect.client.schemas.objects import State

from dashcam.stages import finalize as stage
from flows.clips import work_off


@flow
def finalize(task_ids: list[int]) -> State:
    return work_off(task_ids, lambda device: stage.run)
