"""Every night, pool server: what crashes and late runs have left in our folders goes, after a time of grace."""

from contextlib import closing

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from blocks.device import load_device
from dashcam.tasks.client import MainServerClient
from dashcam.upkeep.sweep import scratches_of
from dashcam.upkeep.sweep import sweep as sweep_folders
from flows.run_names import at_its_time


@flow(timeout_seconds=6 * 3600, flow_run_name=at_its_time("sweep"))
def sweep(grace_hours: float = 24) -> State:
    """``grace_hours``: what was changed later than this is left alone."""
    log, device = get_run_logger(), load_device()
    scratches = scratches_of(device.settings.scratch)
    with closing(MainServerClient(device.server_url, device.token)) as server:
        swept = sweep_folders(server, device.stores, scratches, grace_hours * 3600, tell=log.info)
    for sentence in swept.trouble:
        log.warning(sentence)
    size = sum(one.bytes for one in swept.removed)
    message = f"{len(swept.removed)} things removed, {size:,} bytes; {len(swept.left) - len(swept.removed)} reported"
    return Failed(message=f"{message}. {swept.trouble[0]}") if swept.trouble else Completed(message=message)
