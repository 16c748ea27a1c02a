"""``python -m flows.forkserver [MODULE ...] DESCRIPTOR``: has Prefect, all flows and these modules imported and forks.

What Prefect's server needs too comes first: it is forked then, and goes on importing on another core.

Before the imports the libraries for linear algebra are told to start no threads. ONNX Runtime is left to the
flow that needs it.
"""

import importlib
import os
import socket
import sys
from collections.abc import Iterator, Sequence

from dashcam.embedded.forkserver import serve

FIRST = ("prefect.main", "prefect.workers.process", "fastapi", "sqlalchemy.ext.asyncio", "alembic.operations")
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


def imports(modules: Sequence[str]) -> Iterator[None]:
    for some in (FIRST, (*WARM, *modules)):
        for module in some:
            importlib.import_module(module)
        yield


def main() -> None:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    job = serve(socket.socket(fileno=int(sys.argv[-1])), imports(sys.argv[1:-1]))
    if job is not None:
        job()


if __name__ == "__main__":
    main()
