"""What Prefect's client is told by environment; it reads that when it is imported."""

import os
import tempfile
from pathlib import Path

from dashcam.config.model import Site


def tell_prefect(site: Site) -> None:
    """Set what the environment does not say: without its server's address Prefect would start servers of its own."""
    os.environ.setdefault("PREFECT_API_URL", site.server.prefect_url)
    # Prefect's own 180 s is longer than the silence after which blocks/runs.py takes a run for dead
    os.environ.setdefault("PREFECT_FLOWS_HEARTBEAT_FREQUENCY", "30")
    if not has_home():
        os.environ["HOME"] = tempfile.mkdtemp(prefix="dashcam-home-")


def has_home() -> bool:
    """Whether this user has a home folder to write into; Prefect cannot be imported by one who has none."""
    try:
        return os.access(Path.home(), os.W_OK)
    except RuntimeError:
        return False
