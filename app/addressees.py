"""Whom messages go to, as admins have said on the page Settings; beside those of the settings (``notify.urls``).

An address may hold a password: it lies in a file of mode 0600 of its own, in no database and no backup, and is shown
nowhere but for the service that it is of.
"""

import hashlib
import re
from datetime import datetime
from pathlib import Path
from threading import Lock

from pydantic import BaseModel, TypeAdapter, ValidationError

from dashcam import Explained, whole_file
from dashcam.catalog import pseudonyms
from dashcam.config import Site

NAME = "messages.json"
MOST = 20
LONGEST = 1000
SERVICE = re.compile(r"([a-z][a-z0-9+.-]{1,19})://", re.IGNORECASE)
"""What an address begins with; all that follows may hold a password."""
ONE_AT_A_TIME = Lock()


class MessageAddress(BaseModel):
    url: str
    who: str
    """An admin, who has added it."""
    at: datetime

    @property
    def key(self) -> str:
        """Tells it from others, and nothing else of it."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:16]


ALL = TypeAdapter(list[MessageAddress])


def service(url: str) -> str:
    return found[1].lower() if (found := SERVICE.match(url)) else "unreadable"


def file_of(site: Site) -> Path:
    """Beside the key of the hashes."""
    return pseudonyms.key_file(site).parent / NAME


class Unreadable(Explained):
    """The file of the addresses cannot be read, and is left as it is."""


def known(site: Site) -> list[MessageAddress]:
    """Raises `Unreadable`."""
    file = file_of(site)
    try:
        return ALL.validate_json(file.read_bytes())
    except FileNotFoundError:
        return []
    except (OSError, ValidationError):
        what = f"{file} cannot be read: no message goes to the addresses in it."
        raise Unreadable(f"{what} Put it right, or remove it and add them anew.") from None


def add(site: Site, url: str, who: str, now: datetime) -> None:
    """Raises ``ValueError`` with a sentence where nobody can be reached by it; and `Unreadable`."""
    import apprise  # a tenth of a second

    if not 0 < len(url) <= LONGEST or apprise.Apprise.instantiate(url, suppress_exceptions=True) is None:
        raise ValueError("That is no address as apprise writes it, such as ntfy://ntfy.lan/dashcam.")
    with ONE_AT_A_TIME:
        there = known(site)
        if any(one.url == url for one in there) or url in site.notify.urls:
            raise ValueError("Messages go there already.")
        if len(there) >= MOST:
            raise ValueError(f"There are {MOST} addresses already: remove one first.")
        write(file_of(site), [*there, MessageAddress(url=url, who=who, at=now)])


def remove(site: Site, key: str) -> None:
    with ONE_AT_A_TIME:
        write(file_of(site), [one for one in known(site) if one.key != key])


def write(file: Path, addressees: list[MessageAddress]) -> None:
    whole_file.write(file, ALL.dump_json(addressees, indent=1))
