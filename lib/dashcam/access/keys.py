"""Secrets that machines hold: 256 random bits, of which the database has the SHA-256."""

import hashlib
import secrets

LONGEST = 512
"""Characters of what is looked up; nothing of ours is longer."""


def new(prefix: str = "") -> str:
    """The prefix tells a person, and whoever searches files for secrets, what it is."""
    return prefix + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
