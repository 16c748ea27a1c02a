"""Every week, pool server: the main server's catalogue puts itself in order (`dashcam.upkeep.maintenance`)."""

from contextlib import closing

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from blocks.device import load_device
from dashcam.tasks.client import MainServerClient
from flows.run_names import at_its_time


@flow(timeout_seconds=3600, flow_run_name=at_its_time("maintenance"))
def maintenance() -> State:
    device = load_device()
    with closing(MainServerClient(device.server_url, device.token)) as server:
        done = server.call("POST", "/maintenance", timeout=1800)
    return Completed(message=f"{done['plates']} plates: {done['mended']} mended; {done['forgotten']} things forgotten")
