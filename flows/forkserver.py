"""``python -m flows.forkserver [MODULE ...] DESCRIPTOR``: has Prefect, all flows and these modules imported and forks.

Before the imports the libraries for linear algebra are told to start no threads. ONNX Runtime is left to the
flow that needs it.
"""

import gc
import importlib
import os
import socket
import sys

from dashcam.embedded.forkserver import serve

WARM = (
    "flows.worker",
    "flows.run",
    "flows.ingest",
    "flows.preprocess",
    "flows.heavy",
    "flows.archive",
    "flows.finalize",
    "flows.scan",
    # what every run of a flow would import
    "anyio._backends._asyncio",
    "prefect.task_engine",
    "prefect.utilities.visualization",
)


def main() -> None:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.disable()  # there is none: what is imported stays
    for module in (*WARM, *sys.argv[1:-1]):
        importlib.import_module(module)
    gc.enable()
    gc.freeze()  # or the first collection in each process would copy every page that is shared
    job = serve(socket.socket(fileno=int(sys.argv[-1])))
    if job is not None:
        job()


if __name__ == "__main__":
    main()
