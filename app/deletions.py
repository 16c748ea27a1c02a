"""Deleting for good, for the API and the pages alike."""

from datetime import UTC, datetime

from app import system
from app.access import callers
from dashcam.access.roles import Role
from dashcam.upkeep import deleting, undoing
from dashcam.upkeep.deleting import Deleted, Wanted
from dashcam.upkeep.undoing import GoingLine


def hide(here: system.System, wanted: Wanted | int) -> GoingLine:
    """Nobody is shown it from now on, and it goes for good in a day; a number is that of one sighting. Not for the
    event loop. Raises `callers.NotAllowed`, `undoing.NothingToDelete`, `KeyLost`."""
    callers.ensure(Role.ADMIN)
    now, who = datetime.now(UTC), callers.name()
    if isinstance(wanted, int):
        done, what = undoing.hide_sighting(here.engine, wanted, who, now), "a sighting"
    else:
        done, what = undoing.hide(here.engine, here.site, wanted, who, now), what_of(wanted)
    here.access.note(who, "deletion", f"deleted {what}, which goes for good in a day")
    changed(here)
    return done


def take_back(here: system.System, going_id: int) -> GoingLine:
    """What is there again. Raises `callers.NotAllowed`, `undoing.NotGoing`, `KeyLost`."""
    callers.ensure(Role.ADMIN)
    done = undoing.undo(here.engine, here.site, going_id, datetime.now(UTC))
    here.access.note(callers.name(), "deletion", "took back what was deleted")
    changed(here)
    return done


def finish(here: system.System, going_id: int) -> GoingLine:
    """What is gone for good now. Raises `callers.NotAllowed`, `undoing.NotGoing`, `KeyLost`."""
    callers.ensure(Role.ADMIN)
    done = undoing.finish(here.engine, here.site, going_id, datetime.now(UTC))
    here.access.note(callers.name(), "deletion", "let go for good what was deleted")
    changed(here)
    return done


def changed(here: system.System) -> None:
    here.forget_recent()
    here.wake()


def what_of(wanted: Wanted) -> str:
    return "a plate" if wanted.plate else "clips" if wanted.clips else "days"


def carry_out(here: system.System, wanted: Wanted) -> Deleted:
    """With a line in the audit log that does not say what it was. Not for the event loop.

    Raises `callers.NotAllowed`, `deleting.NothingToDelete`, `KeyLost`.
    """
    callers.ensure(Role.ADMIN)
    done = deleting.delete(here.engine, here.site, wanted, datetime.now(UTC))
    said = f"deleted {what_of(wanted)}: {done.clips} clips, {done.sightings} sightings"
    here.access.note(callers.name(), "deletion", said)
    changed(here)
    return done
