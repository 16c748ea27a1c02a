"""What clips that were read again are read as now."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from app import rereading, system
from app.parameters import LARGEST
from dashcam.catalog import older_reads, rereads
from dashcam.catalog.paging import Cursor
from dashcam.catalog.rereads import ChangeKind

router = APIRouter(prefix="/rereads", tags=["plates"])


class ChangeAnswer(BaseModel):
    """One plate; ``was`` is null of one that was not seen before, ``now`` of one that is not seen any more."""

    model_config = ConfigDict(from_attributes=True)

    change_id: int
    video_id: str
    at: datetime
    """When the clip was read again."""
    best_s: float
    kind: ChangeKind
    was: str | None
    was_confidence: float | None
    now: str | None
    now_confidence: float | None
    said: str | None
    """What a person says it is, which it stays."""


class OlderAnswer(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    clips: int
    crops: int
    """Sightings of theirs."""
    by_crops: int
    """Clips whose file is gone: their archives' crops would be read."""


class RereadAnswer(BaseModel):
    clips: int
    """Times a clip was read again."""
    waiting: int
    """Clips that are still to be."""
    differently: int
    new: int
    gone: int
    older: OlderAnswer
    """What an older reader has read, and could be read again."""
    changes: list[ChangeAnswer]
    """Newest first."""


class AllAgain(BaseModel):
    clips: int
    by_crops: int
    """Of these, clips whose file is gone."""


@router.get("")
async def list_rereads(
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    video_id: Annotated[str | None, Query(max_length=64, description="Of this clip alone.")] = None,
    before: Annotated[datetime | None, Query(description="``at`` of the last one that was given.")] = None,
    change_id: Annotated[int, Query(ge=0, le=LARGEST, description="Of the last one that was given.")] = 0,
) -> RereadAnswer:
    """How many plates are read differently, and which."""
    here = system.current()
    cursor = Cursor(system.with_zone(before), change_id) if before is not None else None
    lines = await here.ask(lambda session: rereads.listed(session, limit, cursor, video_id))
    counts = await here.recent(rereads.counts)
    older = OlderAnswer.model_validate(await here.recent(older_reads.count))
    return RereadAnswer(**vars(counts), older=older, changes=[ChangeAnswer.model_validate(line) for line in lines])


@router.post("", status_code=202)
def read_all() -> AllAgain:
    """Have all that an older reader has read be read again, when nothing else waits."""
    begun = rereading.read_all()
    return AllAgain(clips=begun.clips, by_crops=begun.by_crops)
