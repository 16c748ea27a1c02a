"""Which system a command means: the site's main server, or the embedded one of a data folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dashcam import config

if TYPE_CHECKING:
    from dashcam.embedded.home import Home
    from dashcam.tasks.client import MainServerClient


def home_of(data: Path | None) -> "Home":
    """The data folder that was named, else the default one."""
    from dashcam.embedded.home import Home, default_data

    return Home((data or default_data()).absolute())


@contextmanager
def main_server(data: Path | None) -> "Iterator[MainServerClient]":
    """The site's server when ``$DASHCAM_CONFIG`` names one, else the embedded system's, started if it does not run."""
    from dashcam.tasks.client import MainServerClient

    site_token = config.token() if data is None and (config.config_folder() / "config.json").exists() else None
    if site_token:
        yield MainServerClient(config.load_site().server.url, site_token, patience_s=10)
        return
    from dashcam.embedded.system import embedded_system

    with embedded_system(home_of(data), lambda line: None) as system:
        system.start_app()
        yield system.client()
