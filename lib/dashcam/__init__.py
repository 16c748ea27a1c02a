"""dashcam-processor's library: from dashcam clips to a searchable record of plates.

Knows nothing of Prefect, NiceGUI or FastAPI; `flows/`, `blocks/` and `app/` stand on it.
"""

__version__ = "0.1.0"


class Explained(Exception):
    """An error that a person can understand and mend; the message is one plain sentence: what, where, what to do."""
