"""dashcam-processor's library: from dashcam clips to a searchable record of plates.

Knows nothing of Prefect, NiceGUI or FastAPI; `flows/`, `blocks/` and `app/` stand on it.
"""

__version__ = "0.1.0"
