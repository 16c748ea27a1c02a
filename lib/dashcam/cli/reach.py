"""Which system a command means: the site's main server, or the embedded one of a data folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dashcam import config

PATIENCE_S = 10.0
"""With a server that does not answer: a person waits."""

if TYPE_CHECKING:
    from dashcam.embedded.home import Home
    from dashcam.storage.roots import Stores
    from dashcam.tasks.client import MainServerClient


def home_of(data: Path | None) -> "Home":
    """The data folder that was named, else the default one."""
    from dashcam.embedded.home import Home, default_data

    return Home((data or default_data()).absolute())


def stores_of(data: Path | None) -> "Stores":
    """The stores as this machine has them mounted, of the same system as `main_server`, which has to be there."""
    from dashcam.storage.roots import Stores

    site = config.load_site() if is_site(data) else config.load_site(home_of(data).config)
    device = config.load_device() if is_site(data) else None
    return Stores(site.store_roots(device), site.store_markers())


def scratch_of(data: Path | None) -> Path:
    """The folder for temporary files on this machine, of the same system as `main_server`."""
    from dashcam.embedded.home import device_name

    if is_site(data):
        return config.load_device().scratch
    return config.load_device(home_of(data).config, device_name("server")).scratch


def is_site(data: Path | None) -> bool:
    """Whether a command means the site of ``$DASHCAM_CONFIG``, and not the embedded system."""
    return data is None and (config.config_folder() / "config.json").exists() and bool(config.token())


@contextmanager
def main_server(data: Path | None) -> "Iterator[MainServerClient]":
    """The site's server when ``$DASHCAM_CONFIG`` names one, else the embedded system's, started if it does not run."""
    from dashcam.tasks.client import MainServerClient

    if is_site(data):
        yield MainServerClient(config.load_site().server.url, config.token() or "", patience_s=PATIENCE_S)
        return
    from dashcam.embedded.system import embedded_system

    with embedded_system(home_of(data), lambda line: None) as system:
        system.start_app()
        yield system.client()
