"""HEAVY_PROCESS_VIDEO, pool gpu: one decode that feeds detector, tracker, reader, encoder and crops."""

from prefect import flow
from prefect.client.schemas.objects import State

from dashcam.stages.heavy import Heavy
from flows.clips import work_off


@flow
def heavy(task_ids: list[int]) -> State:
    return work_off(task_ids, lambda device: Heavy(device.settings).run)
