"""Deleting and hiding, for the API and the pages alike."""

from collections.abc import Sequence
from datetime import UTC, datetime

from app import system
from app.access import callers
from dashcam.access.roles import Role
from dashcam.catalog.aside_rows import NEVER
from dashcam.upkeep import deleting, undoing
from dashcam.upkeep.deleting import Deleted, Wanted
from dashcam.upkeep.undoing import GoingLine


def hide(here: system.System, wanted: Wanted, stays: bool = False) -> GoingLine:
    """Nobody is shown it from now on, and it goes for good in a day, or ``stays`` hidden. Not for the event loop.

    Raises `callers.NotAllowed`, `undoing.NothingToDelete`, `KeyLost`.
    """
    callers.ensure(Role.ADMIN)
    who = callers.name()
    done = undoing.hide(here.engine, here.site, wanted, who, datetime.now(UTC), NEVER if stays else None)
    did = f"hid {what_of(wanted)}" if stays else f"deleted {what_of(wanted)}, which goes for good in a day"
    here.access.note(who, "deletion", did)
    changed(here)
    return done


def hide_sightings(here: system.System, sighting_ids: Sequence[int], stays: bool = False) -> GoingLine:
    """The same of single sightings, all or none; in one line."""
    callers.ensure(Role.ADMIN)
    who = callers.name()
    done = undoing.hide_sightings(here.engine, sighting_ids, who, datetime.now(UTC), NEVER if stays else None)
    count = len(set(sighting_ids))
    what = "a sighting" if count == 1 else f"{count} sightings"
    goes = ", which goes" if count == 1 else ", which go"
    here.access.note(who, "deletion", f"hid {what}" if stays else f"deleted {what}{goes} for good in a day")
    changed(here)
    return done


def take_back(here: system.System, going_id: int) -> GoingLine:
    """What is there again. Raises `callers.NotAllowed`, `undoing.NotGoing`, `KeyLost`."""
    callers.ensure(Role.ADMIN)
    done = undoing.undo(here.engine, here.site, going_id, datetime.now(UTC))
    here.access.note(callers.name(), "deletion", "took back what was deleted or hidden")
    changed(here)
    return done


def finish(here: system.System, going_id: int) -> GoingLine:
    """What is gone for good now. Raises `callers.NotAllowed`, `undoing.NotGoing`, `KeyLost`."""
    callers.ensure(Role.ADMIN)
    done = undoing.finish(here.engine, here.site, going_id, datetime.now(UTC))
    here.access.note(callers.name(), "deletion", "let go for good what was deleted or hidden")
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
