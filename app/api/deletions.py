"""Deleting for good: a clip, a plate, some days; and what machines with the stores see to afterwards."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, Field

from app import deletions as word
from app import system
from app.parameters import Number
from dashcam.catalog import deletions
from dashcam.catalog.pseudonyms import KeyLost
from dashcam.database import reading, writing
from dashcam.upkeep import deleting
from dashcam.upkeep.deleting import Deleted, Preview, Wanted
from dashcam.upkeep.erasing import LeftBehind

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
    here = system.current()
    try:
        return word.carry_out(here, in_utc(wanted))
    except deleting.NothingToDelete as error:
        raise HTTPException(404, str(error)) from error
    except KeyLost as error:
        raise HTTPException(409, str(error)) from error


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


def in_utc(wanted: Wanted) -> Wanted:
    """Days are local to the site where no zone is given."""
    since, until = (moment and system.with_zone(moment) for moment in (wanted.since, wanted.until))
    return wanted.model_copy(update={"since": since, "until": until})
