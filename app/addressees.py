"""Whom messages go to, as admins have said on the page Settings; beside those of the settings (``notify.urls``).

An address may hold a password: it is shown nowhere but for the service that it is of.
"""

import hashlib
import re
from datetime import datetime

from pydantic import BaseModel, TypeAdapter

from app.private_words import PrivateWord
from dashcam.config import Site

MOST = 20
LONGEST = 1000
SERVICE = re.compile(r"([a-z][a-z0-9+.-]{1,19})://", re.IGNORECASE)
"""What an address begins with; all that follows may hold a password."""


class MessageAddress(BaseModel):
    url: str
    who: str
    """An admin, who has added it."""
    at: datetime

    @property
    def key(self) -> str:
        """Tells it from others, and nothing else of it."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:16]


WORD = PrivateWord(
    "messages.json",
    TypeAdapter(list[MessageAddress]),
    "no message goes to the addresses in it",
    "Put it right, or remove it and add them anew.",
)


def service(url: str) -> str:
    return found[1].lower() if (found := SERVICE.match(url)) else "unreadable"


def known(site: Site) -> list[MessageAddress]:
    """Raises `Unreadable`."""
    return WORD.known(site) or []


def add(site: Site, url: str, who: str, now: datetime) -> None:
    """Raises ``ValueError`` with a sentence where nobody can be reached by it; and `Unreadable`."""
    import apprise  # a tenth of a second

    if not 0 < len(url) <= LONGEST or apprise.Apprise.instantiate(url, suppress_exceptions=True) is None:
        raise ValueError("That is no address as apprise writes it, such as ntfy://ntfy.lan/dashcam.")
    with WORD.changing(site) as said:
        there = said or []
        if any(one.url == url for one in there) or url in site.notify.urls:
            raise ValueError("Messages go there already.")
        if len(there) >= MOST:
            raise ValueError(f"There are {MOST} addresses already: remove one first.")
        WORD.say(site, [*there, MessageAddress(url=url, who=who, at=now)])


def remove(site: Site, key: str) -> None:
    with WORD.changing(site) as said:
        WORD.say(site, [one for one in said or [] if one.key != key])
