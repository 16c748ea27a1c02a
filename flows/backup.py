"""Every night, pool server: the main server copies its database, proves the copy, and keeps the newest few.

What no archive can tell (a person's decisions) is written beside the archives with it. docs/backup.md.
"""

from contextlib import closing

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from blocks.device import load_device
from dashcam.tasks.client import MainServerClient
from dashcam.upkeep.asking import take_backup
from flows.run_names import at_its_time


@flow(timeout_seconds=6 * 3600, flow_run_name=at_its_time("backup"))
def backup() -> State:
    device = load_device()
    with closing(MainServerClient(device.server_url, device.token)) as server:
        state = take_backup(server)
    if state["state"] != "done" or state["reason"]:
        return Failed(message=state["reason"] or "The main server was started anew meanwhile; the next night follows.")
    newest = state["backups"][0]
    return Completed(message=f"{newest['file']}, {newest['bytes']:,} bytes, proven")
