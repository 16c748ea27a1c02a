"""Every night, pool server: what is to go by the rules is announced, and goes where the owner has turned that on.

Until then (``retention.enabled``) it is only reported. docs/retention.md has the rules and what is refused.
"""

from contextlib import closing

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from blocks.device import load_device
from dashcam.storage.roots import StoreError
from dashcam.tasks.client import MainServerClient
from dashcam.upkeep import removing
from flows.run_names import at_its_time


@flow(timeout_seconds=6 * 3600, flow_run_name=at_its_time("retention"))
def retention() -> State:
    log, device = get_run_logger(), load_device()
    with closing(MainServerClient(device.server_url, device.token)) as server:
        plan = removing.announce(server, device.stores, unattended=True)
        about = f"plan {plan.plan_id}: {len(plan.items)} things, about {plan.bytes:,} bytes"
        log.info("%s; %d more are due", about, plan.later)
        for sentence in plan.nearly_full:
            log.warning(sentence)
        refused = " ".join(plan.refused)
        if plan.report_only:
            return Completed(message=" ".join([f"Reported only, {about}.", *plan.refused, *plan.nearly_full]))
        if refused:
            return Failed(message=f"Nothing was removed. {refused}")
        try:
            done = removing.carry_out(server, device.stores, plan, log.info)
        except (StoreError, OSError) as error:
            return Failed(message=f"Stopped: {error}")
    message = f"{done.removed} of {len(plan.items)} things removed, {done.bytes:,} bytes"
    return Completed(message=f"{message}; kept: {' '.join(done.kept[:5])}" if done.kept else message)
