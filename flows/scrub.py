"""Every night, pool server: archives are read against their manifests, a few hours long and slowly, in turn.

What is damaged is made anew from its bundle or its clip while one of them is there. docs/backup.md.
"""

from contextlib import closing

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from blocks.device import load_device
from dashcam.storage.roots import StoreError
from dashcam.tasks.client import MainServerClient
from dashcam.upkeep.scrub import scrub as scrub_archives
from flows.run_names import at_its_time


@flow(timeout_seconds=12 * 3600, flow_run_name=at_its_time("scrub"))
def scrub(mb_per_s: float = 20, hours: float = 2) -> State:
    """``mb_per_s``: read no faster than this; ``hours``: no longer than this a night."""
    log, device = get_run_logger(), load_device()
    with closing(MainServerClient(device.server_url, device.token)) as server:
        try:
            done = scrub_archives(server, device.stores, mb_per_s=mb_per_s, hours=hours, tell=log.warning)
        except StoreError as error:
            return Failed(message=str(error))
    message = f"{done.archives} archives read, {done.bytes:,} bytes; {done.completed} given their clip's record"
    lost = [video_id for video_id in done.damaged if video_id not in done.mended_by]
    if lost:
        return Failed(message=f"{message}. Damaged, and nothing is left to mend them from: {', '.join(lost[:5])}.")
    return Completed(message=f"{message}; {len(done.damaged)} are done again" if done.damaged else message)
