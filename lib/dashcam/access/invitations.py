"""Codes with which one device joins: short enough to be typed, good once and for an hour."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from dashcam import Explained
from dashcam.access import keys
from dashcam.access.models import Invitation
from dashcam.config.pools import pool_of

LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""None of them is taken for another. Eight are 40 bits: too many for whoever may try a few a minute, for an hour."""
GOOD_FOR = timedelta(hours=1)


class CodeRefused(Explained):
    """The code lets nobody join; the message is one plain sentence, the same for each reason."""


@dataclass(frozen=True)
class Code:
    text: str
    """As a person types it; nowhere else."""
    expires_at: datetime


def invite(session: Session, now: datetime, hostname: str | None = None, device_type: str | None = None) -> Code:
    """A new code; for a device of that name and type where they are given. ``ValueError`` for an unknown type."""
    if device_type is not None:
        pool_of(device_type)
    letters = "".join(secrets.choice(LETTERS) for _ in range(8))
    expires_at = now + GOOD_FOR
    session.add(
        Invitation(
            code_hash=keys.digest(letters),
            hostname=hostname,
            device_type=device_type,
            created_at=now,
            expires_at=expires_at,
        )
    )
    session.flush()
    return Code(f"{letters[:4]}-{letters[4:]}", expires_at)


def redeem(session: Session, code: str, hostname: str, now: datetime) -> Invitation:
    """What the code invites to; it is good for nobody else from then on. Raises `CodeRefused`."""
    letters = "".join(letter for letter in code[:64].upper() if letter.isalnum())
    wanted = keys.digest(letters)
    good = (Invitation.code_hash == wanted) & Invitation.used_at.is_(None) & (Invitation.expires_at > now)
    used = update(Invitation).where(good).values(used_at=now, used_by=hostname).returning(Invitation.invitation_id)
    if session.scalar(used) is None:
        raise CodeRefused(
            "This code lets nobody join: it was used, is older than an hour, or is mistyped. On the main server "
            "`dashcam device invite` makes another."
        )
    return session.scalars(select(Invitation).where(Invitation.code_hash == wanted)).one()
