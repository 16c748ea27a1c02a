"""Whose certificates count, when the main server is asked over HTTPS."""

import os
import ssl
from pathlib import Path

from dashcam.config.load import DEFAULT_FOLDER

AUTHORITY_FILE = "authority.crt"
"""In the folder with the settings: who vouches for the main server's name, where that is no one the world knows."""


def authority(folder: Path | None = None) -> Path | None:
    """The site's own, or None where it has none. The folder with the settings need not be there yet."""
    file = (folder or Path(os.environ.get("DASHCAM_CONFIG") or DEFAULT_FOLDER)) / AUTHORITY_FILE
    return file if file.is_file() else None


def certificates(url: str) -> ssl.SSLContext | bool:
    """As ``verify`` for httpx. A site with an authority of its own trusts that one alone.

    Reading the world's certificates takes 20 ms of CPU a client, and http has no use for them. A redirection to another
    address is never followed.
    """
    if url.startswith("http://"):
        return False
    if file := authority():
        return ssl.create_default_context(cafile=str(file))
    import httpx

    # with SSL_CERT_FILE, which a client that passes proxies by (trust_env=False) would pass by too
    return httpx.create_ssl_context()
