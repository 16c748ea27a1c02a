"""Deleting for good: a clip, a plate, some days; and what machines with the stores see to afterwards."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, Field

from app import deletions as word
from app import system
from app.parameters import Number
from dashcam.catalog import deletions
from dashcam.catalog.pseudonyms import KeyLost
from dashcam.database import reading, writing
from dashcam.upkeep import deleting, undoing
from dashcam.upkeep.deleting import Deleted, Preview, Wanted
from dashcam.upkeep.erasing import LeftBehind
from dashcam.upkeep.undoing import GoingLine, NotGoing

T = TypeVar("T")
Stays = Annotated[bool, Query(description="Hide it alone: it does not go for good until somebody says so.")]
router = APIRouter(prefix="/deletions", tags=["deletions"])


class Settled(BaseModel):
    """What a machine has done about a leftover."""

    since: datetime
    """As it was told."""
    trouble: str | None = Field(None, max_length=4000)
    """Why something lies there still; None: nothing does."""


@router.post("/preview")
def preview(wanted: Wanted) -> Preview:
    """What exactly would go. Changes nothing."""
    here = system.current()
    try:
        with reading(here.engine) as session:
            return deleting.preview(session, here.site, in_utc(wanted))
    except deleting.NothingToDelete as error:
        raise HTTPException(404, str(error)) from error
    except KeyLost as error:
        raise HTTPException(409, str(error)) from error


@router.post("")
def delete(wanted: Wanted) -> Deleted:
    """Delete for good: from the database now, from the stores as soon as a machine that has them sees to it."""
    return acted(lambda here: word.carry_out(here, in_utc(wanted)))


@router.get("/going")
def going() -> list[GoingLine]:
    """What was deleted or hidden and can be had back still, the next to go first."""
    with reading(system.current().engine) as session:
        return undoing.listed(session)


@router.post("/going")
def hide(wanted: Wanted, stays: Stays = False) -> GoingLine:
    """Delete with a day to take it back: nobody is shown it from now on, and then it goes for good."""
    return acted(lambda here: word.hide(here, in_utc(wanted), stays))


@router.post("/going/sightings/{sighting_id}")
def hide_sighting(sighting_id: Number, stays: Stays = False) -> GoingLine:
    """The same, of one sighting."""
    return acted(lambda here: word.hide_sightings(here, [sighting_id], stays))


@router.delete("/going/{going_id}")
def take_back(going_id: Number) -> GoingLine:
    """It is there again as it was."""
    return acted(lambda here: word.take_back(here, going_id))


@router.post("/going/{going_id}/now")
def finish(going_id: Number) -> GoingLine:
    """It goes for good now."""
    return acted(lambda here: word.finish(here, going_id))


@router.get("/leftovers")
def leftovers(limit: Annotated[int, Query(ge=1, le=1000)] = 200, skip: Number = 0) -> list[LeftBehind]:
    """What the stores have still of what was deleted, the oldest first."""
    here = system.current()
    with reading(here.engine) as session:
        return deleting.leftovers(session, limit, skip, here.site.retention.cold_store)


@router.post("/leftovers/{video_id}")
def settle(video_id: str, settled: Settled) -> Literal["ok"]:
    """It is gone, or why it is not."""
    with writing(system.current().engine) as session:
        deletions.settle(session, video_id, settled.since, settled.trouble)
    return "ok"


def acted(act: Callable[[system.System], T]) -> T:
    try:
        return act(system.current())
    except (deleting.NothingToDelete, NotGoing) as error:
        raise HTTPException(404, str(error)) from error
    except KeyLost as error:
        raise HTTPException(409, str(error)) from error


def in_utc(wanted: Wanted) -> Wanted:
    """Days are local to the site where no zone is given."""
    since, until = (moment and system.with_zone(moment) for moment in (wanted.since, wanted.until))
    return wanted.model_copy(update={"since": since, "until": until})
