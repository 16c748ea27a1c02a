"""Every five minutes, pool server: clips that lie in the watched folders and are not known yet are handed in; what a
person has deleted goes from the stores.

A file that still grows, is hidden or is named like a partial download waits for a later scan.
"""

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Failed

from blocks.device import load_device
from dashcam.stages.scan import scan as scan_folder
from dashcam.storage.room import Need, shortage
from dashcam.storage.roots import StoreError, split
from dashcam.tasks.client import MainServerClient
from dashcam.upkeep import erasing
from flows.run_names import at_its_time

ERASING_S = 120.0
"""Of one run; the next one goes on."""
WATCHED = ["indoor_nas:raw"]


def run_name() -> str:
    return at_its_time(f"scan of {', '.join(flow_run.parameters.get('folders', WATCHED))}")()


@flow(timeout_seconds=3600, flow_run_name=run_name)
def scan(folders: list[str] = WATCHED) -> State | None:
    """``folders`` are places as ``store:folder``. A store that is away does not keep the others from being scanned."""
    log, device = get_run_logger(), load_device()
    server = MainServerClient(device.server_url, device.token)
    away = []
    for folder in folders:
        try:
            store = split(folder)[0]
            if (why := shortage([Need(f"store {store}", device.stores.root(store))])) is not None:
                server.scan_paused(store, why)
                log.warning("%s: no clips are taken in. %s", folder, why)
                continue
            done = scan_folder(server, device.stores, folder)
        except StoreError as error:
            away.append(str(error))
            continue
        log.info("%s: %d clips, %d new, %d waiting", folder, done.files, done.new, done.waiting)
        for sentence in done.unreadable:
            log.warning(sentence)
    erased = erasing.carry_out(server, device.stores, log.info, ERASING_S)
    for sentence in erased.kept:
        log.warning("deleted, and still there: %s", sentence)
    server.close()
    return Failed(message=" ".join(away)) if away else None
