"""PREPROCESS_VIDEO, pool jetson: the cheap look that says where plates may be."""

from prefect import flow
from prefect.client.schemas.objects import State

from dashcam.stages.preprocess import Preprocess
from flows.clips import work_off


@flow
def preprocess(task_ids: list[int]) -> State:
    return work_off(task_ids, lambda device: Preprocess(device.settings).run)
