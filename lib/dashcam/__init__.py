"""dashcam-processor's library: from dashcam clips to a searchable record of plates.

Knows nothing of Prefect, NiceGUI or FastAPI; `flows/`, `blocks/` and `app/` stand on it.
"""

import os
from collections.abc import Callable

__version__ = "0.1.0"

# Nothing leaves the house. ONNX Runtime reports to its maker from 1.29 on, and so does Prefect's client; each looks
# when it is imported, and what is imported or started here comes later.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
os.environ["DO_NOT_TRACK"] = "1"


class Explained(Exception):
    """An error that a person can understand and mend; the message is one plain sentence: what, where, what to do."""


NO_USE_TRYING = 78
"""The exit status (sysexits' EX_CONFIG) of a process that has said in one sentence why it cannot run."""

Say = Callable[[str], None]
"""Takes a line that tells a person what is going on."""
