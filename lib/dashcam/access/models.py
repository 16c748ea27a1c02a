"""The tables of who may in, made and changed by ``migrations/`` only. No secret is in them, only what proves one."""

from datetime import datetime

from sqlalchemy import JSON as Json
from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from dashcam.database import Base, UtcDateTime


class Account(Base):
    """A person."""

    __tablename__ = "account"

    account_id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    """In small letters (`users.NAME`)."""
    password_hash: Mapped[str]
    """argon2id, with its salt and costs."""
    role: Mapped[str]
    """`roles.Role` as a word."""
    from_date: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """What was recorded before is not there for this person; None: all is."""
    disabled: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime)
    """Whatever proved this person before then (API tokens that expire) proves nothing any more."""


class LoginSession(Base):
    """A browser in which a person has logged in; ended sessions have no row."""

    __tablename__ = "login_session"

    session_id: Mapped[int] = mapped_column(primary_key=True)
    secret_hash: Mapped[str] = mapped_column(unique=True)
    """SHA-256 of what the cookie holds."""
    account_id: Mapped[int] = mapped_column(ForeignKey("account.account_id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    address: Mapped[str]
    """Where it was used last."""
    agent: Mapped[str]
    """The browser, as it names itself."""

    account: Mapped[Account] = relationship()


class AccessToken(Base):
    """What a device or a program proves itself with; a revoked one keeps its row."""

    __tablename__ = "access_token"

    token_id: Mapped[int] = mapped_column(primary_key=True)
    secret_hash: Mapped[str] = mapped_column(unique=True)
    """SHA-256; of 256 random bits it needs no salt."""
    name: Mapped[str]
    kind: Mapped[str]
    """``device`` or ``api``."""
    role: Mapped[str | None]
    """Of an ``api`` token."""
    hostname: Mapped[str | None] = mapped_column(index=True)
    """Of a ``device`` token, as the device reports itself; its workers for single pools are ``<hostname>-<pool>``."""
    device_type: Mapped[str | None]
    task_types: Mapped[list[str]] = mapped_column(Json, default=list)
    """What a device may complete."""
    stores: Mapped[list[str]] = mapped_column(Json, default=list)
    """Whose files a device may hand in."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used: Mapped[datetime | None] = mapped_column(UtcDateTime)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.account_id", ondelete="CASCADE"), index=True)
    """Of an ``api`` token that a person has made: it lets in no further than they are, and no longer."""

    account: Mapped[Account | None] = relationship()


class Invitation(Base):
    """With whose code one device may join."""

    __tablename__ = "invitation"

    invitation_id: Mapped[int] = mapped_column(primary_key=True)
    code_hash: Mapped[str] = mapped_column(unique=True)
    """SHA-256. Short as the code is, it ends before anybody has counted through them."""
    hostname: Mapped[str | None]
    """The device that it is for; None: any."""
    device_type: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    used_by: Mapped[str | None]


class AuditEntry(Base):
    """Who looked a plate up, corrected, exported, deleted or logged in. Never a secret."""

    __tablename__ = "audit"
    __table_args__ = (Index("audit_kind", "kind", "at", "audit_id"), Index("audit_at", "at", "audit_id"))

    audit_id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    who: Mapped[str]
    kind: Mapped[str]
    """`audit.Kind`."""
    what: Mapped[str]
    address: Mapped[str]
