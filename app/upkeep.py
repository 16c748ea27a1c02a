"""Backups and decisions, as the running main server keeps them: beside the event loop, one at a time."""

import asyncio
import contextlib
import logging
import math
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from dashcam import Explained
from dashcam.access import audit
from dashcam.catalog import deletions, hiding, notes
from dashcam.config import Site
from dashcam.database import reading, writing
from dashcam.storage import layout
from dashcam.storage.roots import StoreError, Stores
from dashcam.upkeep import backup, decisions, deleting, undoing

LOOK_S = 60.0
HASH_S = 6 * 3600.0
"""How often it is looked which plates are to be hashed."""
OVERDUE = timedelta(days=2)
"""A backup comes every night."""

log = logging.getLogger("dashcam")


class BackupState(BaseModel):
    state: Literal["none", "running", "done", "failed"]
    """Of the last backup since the main server was started."""
    reason: str | None = None
    """Why it failed, or why there is no copy of it in the archive's store."""
    ended_at: datetime | None = None
    folder: str
    backups: list[backup.Backup]
    """Newest first."""

    @property
    def newest(self) -> datetime | None:
        return self.backups[0].taken_at if self.backups else None


@dataclass
class Upkeep:
    """One per main server."""

    engine: Engine
    site: Site
    stores: Stores
    state: Literal["none", "running", "done", "failed"] = "none"
    reason: str | None = None
    ended_at: datetime | None = None
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    written: bytes = b""
    """What a person had said when it was last written down."""
    _one: threading.Lock = field(default_factory=threading.Lock)

    @property
    def folder(self) -> Path:
        return backup.folder_of(self.site.server.database_url, self.site.backup.folder)

    def told(self) -> BackupState:
        return BackupState(
            state=self.state,
            reason=self.reason,
            ended_at=self.ended_at,
            folder=str(self.folder),
            backups=backup.backups(self.folder),
        )

    def trouble(self, now: datetime) -> str | None:
        """What a person should know about the backups; None while all is well."""
        if self.state == "failed" or (self.state == "done" and self.reason):
            return self.reason
        newest = self.told().newest
        if newest is None and now - self.began_at > OVERDUE:
            return "There is no backup of the database yet: run `dashcam backup`, and see why none came by night."
        if newest is not None and now - newest > OVERDUE:
            return f"The newest backup of the database is of {newest:%Y-%m-%d}: run `dashcam backup`."
        return None

    def begin(self) -> bool:
        """Take a backup in a thread of its own; False when one is under way."""
        if not self._one.acquire(blocking=False):
            return False
        self.state, self.reason = "running", None
        threading.Thread(target=self._take, name="backup", daemon=True).start()
        return True

    def _take(self) -> None:
        try:
            newest = backup.take(self.engine, self.folder, self.site.backup.keep)
            self.reason = self._copy_away(newest)
            self.state = "done"
            log.info("backup %s: %d bytes, proven", newest.file, newest.bytes)
        except (Explained, OSError, SQLAlchemyError) as error:
            self.state, self.reason = "failed", f"There is no new backup of the database: {error}"
            log.warning("%s", self.reason)
        finally:
            self.ended_at = datetime.now(UTC)
            self._one.release()

    def _copy_away(self, newest: backup.Backup) -> str | None:
        """Beside the archives, with the decisions; why that could not be, in a sentence."""
        if layout.SHED not in self.stores.roots:
            return None
        try:
            backup.second_copy(self.folder, newest, self.stores.path(layout.BACKUPS), self.site.backup.keep)
            self.write_decisions()
        except (Explained, OSError) as error:
            return f"The backup lies on the main server alone: {error}"
        return None

    def learn_deletions(self) -> None:
        """What was deleted stays deleted, whichever database this is: one that was restored, or made anew."""
        with reading(self.engine) as session:
            deletions.ensure_key(session, self.site)
        gone = deleting.learn(self.engine, self.site, deleting.told(self.folder, self.stores), datetime.now(UTC))
        if gone:
            log.warning("%d clips and sightings had come back that were deleted: they are gone again", gone)
        with reading(self.engine) as session:
            words = deletions.said(session)
        deleting.write_list(self.folder, words)

    def hash_plates(self) -> None:
        """Of plates from before ``privacy.hash_plates_after_days`` only hashes are kept, but for watched ones."""
        privacy, now, count = self.site.privacy, datetime.now(UTC), 0
        if privacy.hash_plates_after_days is None:
            return
        before = now - timedelta(days=privacy.hash_plates_after_days)
        with writing(self.engine) as session:
            watched = notes.kept_by_name(session, self.site)
            names = deletions.names_for(session, self.site)
            hiding.name_again(session, names, watched)
            audit.forget_plates(session, before)
        while True:
            with writing(self.engine) as session:
                done = hiding.hide(session, names, watched, before, now)
            count += done
            if not done:
                break
        if count:
            log.info("plates of %d clips are hashed: they were seen before %s", count, f"{before:%Y-%m-%d}")

    def write_decisions(self) -> None:
        """All that no archive can tell, into the archive's store. Raises `StoreError`, `StorageError`, ``OSError``."""
        self.learn_deletions()
        with reading(self.engine) as session:
            every, words = decisions.all_of(session), decisions.to_bytes(decisions.said(session))
        decisions.write(self.stores, every)
        self.written = words

    def something_went(self) -> None:
        """Retention has removed something, which no archive can tell: it is written down within the minute."""
        self.written = b""

    def keep_decisions(self) -> None:
        """Write them down when a person has said something since."""
        with reading(self.engine) as session:
            words = decisions.to_bytes(decisions.said(session))
        if words != self.written and layout.SHED in self.stores.roots:
            self.write_decisions()

    def let_go(self) -> None:
        """What a person has deleted, and nobody wants back, is gone for good when its day is over."""
        try:
            if count := undoing.see_to(self.engine, self.site, datetime.now(UTC)):
                log.info("%d things that a person has deleted have gone for good", count)
        except (Explained, OSError) as error:
            log.warning("what was deleted has not gone yet, and stays hidden: %s", error)

    async def go_on(self) -> None:
        """Until cancelled."""
        hashed = -math.inf
        while True:
            await asyncio.sleep(LOOK_S)
            with contextlib.suppress(SQLAlchemyError):
                try:
                    if time.monotonic() - hashed > HASH_S:
                        await asyncio.to_thread(self.hash_plates)
                        hashed = time.monotonic()
                    await asyncio.to_thread(self.let_go)
                    await asyncio.to_thread(self.keep_decisions)
                except (StoreError, Explained, OSError) as error:
                    log.warning("what a person has decided is not written beside the archives yet: %s", error)
