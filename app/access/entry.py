"""Who a request comes from, and the log-in; one per main server, as `app.system.System.access`."""

import asyncio
import hashlib
import hmac
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeVar

import jwt
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.requests import HTTPConnection

from app.access.addresses import client_address, is_from_here, is_loopback
from app.access.callers import Caller
from app.access.limits import Limits
from dashcam import Explained
from dashcam.access import audit, keys, passwords, sessions, tokens, users
from dashcam.access.models import Account
from dashcam.access.roles import Role, role_of
from dashcam.config import Site
from dashcam.database import reading, writing

COOKIE = "dashcam_session"
KNOWN_S = 5.0
"""So long a session or token that was looked up is not looked up again; whatever changes here is seen at once."""
MOST_KNOWN = 1000
LOOKED_BACK = timedelta(hours=1)
log = logging.getLogger("dashcam")
T = TypeVar("T")


class WrongPassword(Explained):
    """Name and password do not go together; says no more, so that nobody learns which names there are."""


class Access:
    def __init__(self, engine: Engine, site: Site, token: str) -> None:
        self.engine, self.site, self.token = engine, site, token
        self.limits = Limits(self._attempts)
        self._signing_key = hmac.new(token.encode(), b"API tokens that expire", hashlib.sha256).digest()
        self._known: dict[str, tuple[float, Caller]] = {}

    @property
    def lasts(self) -> timedelta:
        return timedelta(days=self.site.access.session_days)

    @property
    def needs_login(self) -> bool:
        """Whether nobody is let in without; where not, those on this machine are."""
        server, login = self.site.server, self.site.access.login
        return login == "on" or (login == "auto" and not (is_loopback(server.host) and is_loopback(server.url)))

    def is_open_to(self, connection: HTTPConnection) -> bool:
        if self.site.access.login == "off":
            return True
        return not self.needs_login and is_from_here(connection)

    def address(self, connection: HTTPConnection) -> str:
        return client_address(connection, self.site.access.trusted_proxies)

    def at_once(self, proof: str) -> Caller | None:
        """Who that proves, where it takes no look at the database: the site's token, or what was looked up just now."""
        if hmac.compare_digest(proof.encode(), f"Bearer {self.token}".encode()):
            return Caller("the site's token", "site", Role.ADMIN)
        until, caller = self._known.get(keys.digest(proof), (0.0, None))
        return caller if time.monotonic() < until else None

    def by_header(self, header: str, now: datetime) -> Caller | None:
        """Who an ``Authorization`` header proves. `tokens.Refused` where it did once. Not for the event loop."""
        scheme, _, secret = header.partition(" ")
        if scheme.lower() != "bearer" or not secret:
            return None
        look = self._by_jwt if secret.count(".") == 2 else self._by_token
        return self._remember(header, look(secret, now))

    def by_cookie(self, secret: str, address: str, now: datetime) -> Caller | None:
        """Who the cookie of a browser proves. Not for the event loop."""
        return self._remember(cookie_proof(secret, address), self._by_session(secret, address, now))

    def forget(self) -> None:
        """What is known of sessions and tokens: something about them has changed."""
        self._known.clear()

    def change(self, what: Callable[[Session], T]) -> T:
        """A change of who may what, which holds from the next request on. Not for the event loop."""
        try:
            with writing(self.engine) as session:
                return what(session)
        finally:
            self.forget()

    def note(self, who: str, kind: audit.Kind, what: str, address: str = "") -> None:
        """Into the audit log. Not for the event loop."""
        try:
            with writing(self.engine) as session:
                audit.note(session, datetime.now(UTC), who, kind, what, address)
        except SQLAlchemyError as error:
            log.error("the audit log lacks that %s %s (%s): %s", who, kind, what, error)

    def standing(self) -> str:
        """Who is let in, as it is said at the start."""
        if self.site.access.login == "off":
            return "Log-in is off (access.login): whoever reaches this server sees and changes everything."
        if self.needs_login:
            return "Log-in is on: whoever comes in has a name and a password."
        return "Without log-in, because only this machine reaches this server; over a network log-in would be on."

    async def keep_tidy(self) -> None:
        """Until cancelled: what is old enough is forgotten, once a day."""
        while True:
            try:
                await asyncio.to_thread(self.tidy)
            except SQLAlchemyError as error:
                log.warning("old log-ins and entries of the audit log are still there (%s)", error)
            await asyncio.sleep(86_400)

    def tidy(self) -> None:
        now = datetime.now(UTC)
        with writing(self.engine) as session:
            audit.forget(session, now)
            sessions.forget_expired(session, now)

    def proven(self, name: str, password: str, address: str) -> Account:
        """The person whose password it is. `WrongPassword`, `limits.TooMany`. Not for the event loop."""
        name = users.normalised(name)[:100]
        self.limits.count(name, address)
        with reading(self.engine) as session:
            account = users.by_name(session, name)
        right = passwords.proves(account.password_hash if account else None, password)
        if account is None or not right or account.disabled:
            # what was typed as a name may be a password
            self.note(account.name if account else audit.SOMEBODY, "log-in", audit.NOT_LET_IN, address)
            raise WrongPassword("That name and password do not go together.")
        self.limits.forgive(name, address)
        return account

    def log_in(self, name: str, password: str, address: str, agent: str) -> str:
        """What the cookie is to hold; raises as `proven` does."""
        account = self.proven(name, password, address)
        secret = self.change(
            lambda session: sessions.begin(session, account, datetime.now(UTC), self.lasts, address, agent)
        )
        self.note(account.name, "log-in", audit.LOGGED_IN, address)
        return secret

    def log_out(self, caller: Caller, address: str) -> None:
        if caller.session_id is not None:
            ended = caller.session_id
            self.change(lambda session: sessions.end(session, ended))
            self.note(caller.who, "log-in", "logged out", address)

    def signed(self, account: Account, now: datetime) -> tuple[str, datetime]:
        """What lets a program in as this person, and until when."""
        until = now + timedelta(hours=self.site.access.token_hours)
        claims = {"sub": str(account.account_id), "role": account.role, "iat": now.timestamp(), "exp": until}
        return jwt.encode(claims, self._signing_key, algorithm="HS256"), until

    def _attempts(self) -> list[audit.Attempt]:
        """What was tried before this start, as far back as the limits look."""
        with reading(self.engine) as session:
            return audit.attempts(session, datetime.now(UTC) - LOOKED_BACK)

    def _remember(self, proof: str, caller: Caller | None) -> Caller | None:
        if caller is not None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[keys.digest(proof)] = time.monotonic() + KNOWN_S, caller
        return caller

    def _by_session(self, secret: str, address: str, now: datetime) -> Caller | None:
        with reading(self.engine) as session:
            found = sessions.find(session, secret, now)
        if found is None:
            return None
        if sessions.is_note_due(found, now, address):
            self._try(lambda session: sessions.note_use(session, found.session_id, now, self.lasts, address))
        return person(found.account, "session", found.session_id)

    def _by_token(self, secret: str, now: datetime) -> Caller | None:
        with reading(self.engine) as session:
            row = tokens.find(session, secret, now)
        if row is None:
            return None
        if tokens.is_note_due(row, now):
            self._try(lambda session: tokens.note_use(session, row.token_id, now))
        if row.kind == tokens.DEVICE:
            return Caller(f"device {row.hostname}", "device", None, tokens.scope_of(row))
        if row.account is not None:
            who, may = f"{row.account.name} (token {row.name})", tokens.rights_of(row)
            return Caller(who, "token", may, account_id=row.account_id, from_date=row.account.from_date)
        return Caller(f"token {row.name}", "token", tokens.rights_of(row))

    def _by_jwt(self, secret: str, now: datetime) -> Caller | None:
        try:
            claims = jwt.decode(
                secret, self._signing_key, algorithms=["HS256"], options={"require": ["sub", "iat", "exp"]}
            )
            account_id, issued = int(claims["sub"]), float(claims["iat"])
        except jwt.ExpiredSignatureError:
            raise tokens.Refused("This token has ended: ask POST /api/v1/auth/token for another.") from None
        except (jwt.InvalidTokenError, ValueError):
            return None
        with reading(self.engine) as session:
            account = session.get(Account, account_id)
        if account is None or account.disabled or issued < account.valid_from.timestamp():
            raise tokens.Refused("This token lets nobody in any more: ask POST /api/v1/auth/token for another.")
        return person(account, "token")

    def _try(self, what: Callable[[Session], None]) -> None:
        """A note that may be missed: whoever asks is not kept waiting by a database that is busy."""
        try:
            with writing(self.engine) as session:
                what(session)
        except SQLAlchemyError as error:
            log.warning("when a session or token was used last is not written down (%s)", error)


def cookie_proof(secret: str, address: str) -> str:
    return f"{secret} from {address}"


def person(account: Account, via: Literal["session", "token"], session_id: int | None = None) -> Caller:
    return Caller(
        account.name,
        via,
        role_of(account.role),
        account_id=account.account_id,
        session_id=session_id,
        from_date=account.from_date,
    )
