"""Every five minutes, pool server: clips that lie in the watched folders and are not known yet are handed in.

A file that still grows, is hidden or is named like a partial download waits for a later scan.
"""

from prefect import flow, get_run_logger

from blocks.device import load_device
from dashcam.stages.scan import scan as scan_folder
from dashcam.storage.roots import StoreError
from dashcam.tasks.client import MainServerClient

WATCHED = ["indoor_nas:raw"]


@flow(timeout_seconds=3600)
def scan(folders: list[str] = WATCHED) -> None:
    """``folders`` are places as ``store:folder``. A store that is away does not keep the others from being scanned."""
    log, device = get_run_logger(), load_device()
    server = MainServerClient(device.server_url, device.token)
    away = []
    for folder in folders:
        try:
            done = scan_folder(server, device.stores, folder)
        except StoreError as error:
            away.append(str(error))
            continue
        log.info("%s: %d clips, %d new, %d waiting", folder, done.files, done.new, done.waiting)
        for sentence in done.unreadable:
            log.warning(sentence)
    server.close()
    if away:
        raise RuntimeError(" ".join(away))
