"""Plates as keyed hashes: who has the key can say whether a hash is a given plate's, nobody can read the plate off it.

The key lies in a file of mode 0600. Without it the hashes are of no use to anybody, their owner included.
"""

import base64
import hashlib
import hmac
import secrets
from pathlib import Path

from sqlalchemy.engine import make_url

from dashcam import Explained, whole_file
from dashcam.catalog import plate_text
from dashcam.config import Site
from dashcam.records import HIDDEN

NAME = "privacy.key"
LENGTH = 16
"""Characters of base32, 80 bits."""


class KeyLost(Explained):
    """The key of the hashes is not there."""


class Pseudonyms:
    def __init__(self, key: bytes) -> None:
        self.key = key

    def of(self, text: str) -> str:
        """Of a plate as it is typed; of what is a hash already that."""
        if text.startswith(HIDDEN):
            return text
        digest = hmac.digest(self.key, plate_text.normalised(text).encode(), hashlib.sha256)
        return HIDDEN + base64.b32encode(digest).decode()[:LENGTH].lower()


def key_file(site: Site) -> Path:
    if site.privacy.key_file is not None:
        return Path(site.privacy.key_file)
    url = make_url(site.server.database_url)
    beside = url.get_backend_name() == "sqlite" and url.database
    return (
        Path(url.database).parent if beside and url.database else Path("/var/lib/dashcam-processor")
    ) / "privacy.key"


def of_site(site: Site, make: bool = False) -> Pseudonyms:
    """With the site's key; ``make`` one where there is none yet. Raises `KeyLost`."""
    file = key_file(site)
    try:
        if make and not file.exists():
            make_key(file)
        key = bytes.fromhex(file.read_text().strip())
        if file.stat().st_mode & 0o077:
            file.chmod(0o600)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no key"
        raise KeyLost(
            f"The key of hashed and deleted plates, {file}, cannot be read ({why}): put it back from a copy, or name "
            "it in privacy.key_file."
        ) from error
    return Pseudonyms(key)


def make_key(file: Path) -> None:
    """Once: a second one would make all hashes of the first worthless."""
    whole_file.make(file, f"{secrets.token_hex(32)}\n".encode())
