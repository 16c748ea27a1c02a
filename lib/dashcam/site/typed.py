"""What may stand on no command line, where every user of the machine reads it."""

import getpass
import sys

STANDARD_INPUT = "-"


def unseen(what: str) -> str:
    """The next line of standard input; whoever types it is asked for it, and it is not shown."""
    if sys.stdin.isatty():
        return getpass.getpass(f"{what}: ").strip()
    return sys.stdin.readline().strip()


def url_of(said: str) -> str:
    """A database's URL, which may have a password in it: as said, or for ``-`` what comes on standard input."""
    return unseen("URL of the database") if said == STANDARD_INPUT else said
