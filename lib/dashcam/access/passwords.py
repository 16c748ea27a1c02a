"""Passwords, hashed with argon2id."""

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from dashcam import Explained

SHORTEST, LONGEST = 10, 200
"""Characters. Length is all that is asked for: rules about kinds of characters make passwords that are written down."""
AT_ONCE = threading.BoundedSemaphore(2)
"""Each hash takes 64 MB for a twentieth of a second; a flood of log-ins must not take the machine's memory."""

_hasher = PasswordHasher()
_nobody = ""


class Unfit(Explained):
    """No password that may be set; the message says why."""


def hashed(password: str, name: str = "") -> str:
    """Raises `Unfit` for what is too short, too long, or the name of whose it is."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Unfit(f"A password has {SHORTEST} to {LONGEST} characters.")
    if password.lower() == name.lower() or len(set(password)) < 4:
        raise Unfit("That password is the first that anybody would try: take another.")
    if not password.isprintable():
        raise Unfit("A password has characters that can be typed, no others.")
    with AT_ONCE:
        return _hasher.hash(password)


def proves(password_hash: str | None, password: str) -> bool:
    """Whether it is the password; takes as long where there is nobody (None)."""
    global _nobody
    if len(password) > LONGEST or not password.isprintable():
        return False
    with AT_ONCE:
        if password_hash is None and not _nobody:
            _nobody = _hasher.hash("nobody has this password")
        try:
            return _hasher.verify(password_hash or _nobody, password) and password_hash is not None
        except (VerificationError, InvalidHashError):
            return False
