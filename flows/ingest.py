"""INGEST_VIDEO, pool server: probe, validate, hash, name, time, GPS."""

from prefect import flow
from prefect.client.schemas.objects import State

from dashcam.stages import ingest as stage
from flows.clips import work_off


@flow
def ingest(task_ids: list[int]) -> State:
    return work_off(task_ids, lambda device: stage.run)
