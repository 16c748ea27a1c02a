"""Messages to whoever the owner names in ``notify.urls``, and an admin on the page Settings."""

import logging
from collections.abc import Sequence

log = logging.getLogger("dashcam")


def send(urls: Sequence[str], about: str, words: str) -> bool:
    """To each address that apprise understands; whether all have taken it. The addresses hold passwords: none is
    written anywhere."""
    import apprise  # a tenth of a second, and only for who is told something

    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    to = apprise.Apprise()
    added = [to.add(url) for url in urls]
    if not all(added):
        log.warning("an address for messages cannot be used: see apprise's documentation for its form")
    return bool(len(to)) and bool(to.notify(body=words, title=f"dashcam: {about}"))
