"""What a person says of clips' work, for REST and for the pages: who goes first, what is tried again.

Who did it is in the audit log. Each of these waits for the database: to be called beside the event loop.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from app import system
from app.access import callers
from dashcam.access import audit
from dashcam.access.roles import Role
from dashcam.catalog import trips
from dashcam.catalog.models import TripRow, Video
from dashcam.database import writing
from dashcam.tasks import line
from dashcam.tasks.model import TaskType


class NoSuch(Exception):
    """There is no such clip or trip; the message says so."""


def retry_failed(stage: TaskType | None = None) -> int:
    """Have all that failed or is held tried again, in short transactions; how many tasks."""
    callers.ensure(Role.MEMBER)
    here, share, tasks = system.current(), None, 0
    while share is None or share.after:
        with writing(here.engine) as session:
            share = line.retry_failed(session, share.after if share else None, stage)
            tasks += len(share.video_ids)
            if tasks and share.after is None:
                note(session, f"had all that failed tried again: {tasks:,} of {stage or 'all stages'}")
        here.wake(*share.video_ids)
    here.shortages.try_again()
    return tasks


def clip_first(video_id: str, back: bool = False) -> int:
    """Put the clip first in line, or ``back``; how many tasks that changes. Raises `NoSuch`."""

    def its(session: Session) -> list[str]:
        if session.get(Video, video_id) is None:
            raise NoSuch(f"There is no video {video_id}.")
        return [video_id]

    return move(its, f"clip {video_id}", back)


def trip_first(trip_id: int, back: bool = False) -> int:
    """The same for all clips of a trip. Raises `NoSuch`."""

    def its(session: Session) -> list[str]:
        if session.get(TripRow, trip_id) is None:
            raise NoSuch(f"There is no trip {trip_id} (any more): look at the list of trips.")
        return trips.clips(session, trip_id)

    return move(its, f"trip {trip_id}", back)


def move(its: Callable[[Session], list[str]], what: str, back: bool) -> int:
    callers.ensure(Role.MEMBER)
    here = system.current()
    with writing(here.engine) as session:
        video_ids = its(session)
        changed = (line.put_back if back else line.put_first)(session, video_ids)
        if changed:
            note(session, f"{'put back in line' if back else 'put first in line'}: {what}")
    here.wake(*video_ids)
    return changed


def note(session: Session, did: str) -> None:
    audit.note(session, datetime.now(UTC), callers.name(), "correction", did)
