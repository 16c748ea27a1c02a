"""One flow run, in a process of its own: ``main`` here is what a worker has started, ``python -m flows.run`` where
nothing forks. The worker says by environment which run, and which of our flows: nothing is taken from the run itself.
"""

import os
from functools import partial
from uuid import UUID

import prefect.context
import prefect.flow_engine
from prefect._internal.control_listener import configure_from_env
from prefect._internal.metrics import RunMetrics
from prefect.engine import _drive_run_flow_result, handle_engine_signals
from prefect.flow_engine import load_flow, load_flow_run, run_flow
from prefect.logging.loggers import flow_run_logger


def leave_heartbeats_behind() -> None:
    """A run's end waits for the thread that tells of its heartbeats, which sleeps whole seconds; it ends with the
    process anyway."""
    prefect.flow_engine._send_heartbeats = partial(prefect.flow_engine._send_heartbeats, join_on_exit=False)


def main() -> None:
    """As ``python -m prefect.engine``, in a process that may have been forked from one with other settings."""
    prefect.context.refresh_global_settings_context()
    leave_heartbeats_behind()
    run_id = UUID(os.environ["PREFECT__FLOW_RUN_ID"])
    configure_from_env()
    with handle_engine_signals(run_id):
        run = load_flow_run(flow_run_id=run_id)
        flow, log = load_flow(run), flow_run_logger(flow_run=run)
        with RunMetrics(run, flow):
            _drive_run_flow_result(flow, run_flow(flow, flow_run=run, error_logger=log))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
