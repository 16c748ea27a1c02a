"""Deleting for good, for the API and the pages alike."""

from datetime import UTC, datetime

from app import system
from app.access import callers
from dashcam.access.roles import Role
from dashcam.upkeep import deleting
from dashcam.upkeep.deleting import Deleted, Wanted


def carry_out(here: system.System, wanted: Wanted) -> Deleted:
    """With a line in the audit log that does not say what it was. Not for the event loop.

    Raises `callers.NotAllowed`, `deleting.NothingToDelete`, `KeyLost`.
    """
    callers.ensure(Role.ADMIN)
    done = deleting.delete(here.engine, here.site, wanted, datetime.now(UTC))
    what = "a plate" if wanted.plate else "clips" if wanted.clips else "days"
    here.access.note(callers.name(), "deletion", f"deleted {what}: {done.clips} clips, {done.sightings} sightings")
    here.wake()
    return done
