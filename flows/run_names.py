"""Names of runs that a schedule starts: until they begin they have ones that nobody chose."""

from collections.abc import Callable

from prefect.runtime import flow_run


def at_its_time(what: str) -> Callable[[], str]:
    """For ``flow_run_name``: what the run is, and when it was to begin by this machine's clock."""
    return lambda: f"{what} at {flow_run.scheduled_start_time.astimezone():%Y-%m-%d %H:%M}"
