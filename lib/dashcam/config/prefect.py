"""What Prefect's client and server are told by environment; they read that when they are imported."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from dashcam.config.certificates import authority
from dashcam.config.load import prefect_login
from dashcam.config.model import Site

CHORES_S = 120
"""How often Prefect's server looks for what nobody waits for: its own loops of 5 to 20 s cost a home 14 % of a core."""


def tell_prefect(site: Site, folder: Path | None = None) -> None:
    """Set what the environment does not say: without its server's address Prefect would start servers of its own.

    ``folder`` is the one with the settings. Raises ``ConfigError`` when its ``prefect-login`` may be read by others.
    """
    for name, value in client_settings(site.server.prefect_url, prefect_login(folder)).items():
        os.environ.setdefault(name, value)
    file = authority(folder)
    if file is not None and not site.server.prefect_url.startswith("http://"):
        os.environ.setdefault("PREFECT_API_SSL_CERT_FILE", str(file))
    if not has_home():
        os.environ["HOME"] = tempfile.mkdtemp(prefix="dashcam-home-")


def client_settings(api_url: str, login: str | None) -> dict[str, str]:
    """For whoever asks Prefect. ``login`` is ``user:password``, None for a Prefect that is open to all."""
    return {
        "PREFECT_API_URL": api_url,
        **({"PREFECT_API_AUTH_STRING": login} if login else {}),
        "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
        # Prefect's own 180 s is longer than the silence after which blocks/runs.py takes a run for dead
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        "PREFECT_CLIENT_MAX_RETRIES": "8",
        # each of its many clients would ask for what this server does not have, or has
        "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false",
        "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",
        # a worker hears from the app when a run was offered to it; what Prefect schedules by itself may wait
        "PREFECT_WORKER_QUERY_SECONDS": "15",
    }


def server_settings(login: str, origins: Sequence[str]) -> dict[str, str]:
    """For Prefect's server: its API and UI need ``login`` (``user:password``), and pages of ``origins`` may ask it.
    docs/embedded.md says why Prefect is set like this."""
    services = "PREFECT_SERVER_SERVICES"
    chores = ["SCHEDULER", "LATE_RUNS", "FOREMAN", "PAUSE_EXPIRATIONS"]
    return {
        "PREFECT_SERVER_API_AUTH_STRING": login,
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": ",".join(origins),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        # on SQLite a busy machine lets writers wait longer than the default of 10 s, and answers 503
        "PREFECT_SERVER_DATABASE_TIMEOUT": "60",
        # in-memory leases crash healthy runs after a server restart
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        **{f"{services}_{chore}_LOOP_SECONDS": str(CHORES_S) for chore in (*chores, "REPOSSESSOR")},
        # on a new data folder the first scan waits for this one
        f"{services}_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS": "30",
        # a cancelled run waits for this one
        f"{services}_CANCELLATION_CLEANUP_LOOP_SECONDS": "60",
        "PREFECT_EVENTS_PROACTIVE_GRANULARITY": "PT60S",
        # few runs ahead: what came due while the machine was off is not worked off afterwards
        f"{services}_SCHEDULER_MIN_RUNS": "2",
        f"{services}_SCHEDULER_MAX_RUNS": "2",
        f"{services}_SCHEDULER_MIN_SCHEDULED_TIME": "PT0S",
    }


def has_home() -> bool:
    """Whether this user has a home folder to write into; Prefect cannot be imported by one who has none."""
    try:
        return os.access(Path.home(), os.W_OK)
    except RuntimeError:
        return False
