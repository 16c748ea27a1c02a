"""What the flow `sweep` asks: whose folders lie about, and which clips must have an archive."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from app import system
from dashcam.database import reading
from dashcam.upkeep import orphans
from dashcam.upkeep.sweep import Folder, Word

router = APIRouter(prefix="/sweep", tags=["retention"])


class Folders(BaseModel):
    folders: list[Folder] = Field(max_length=1000)


@router.post("/judge")
def judge(asked: Folders) -> list[Word]:
    """Of each folder of intermediates whether it was left behind, and why it is kept otherwise. Changes nothing."""
    with reading(system.current().engine) as session:
        return orphans.judge(session, asked.folders)


@router.get("/archives")
def archives(
    after: Annotated[str, Query(max_length=64)] = "", limit: Annotated[int, Query(ge=1, le=10_000)] = 5000
) -> list[str]:
    """Clips that must have a folder in the archive, by their id, from behind ``after``."""
    with reading(system.current().engine) as session:
        return orphans.archived(session, after, limit)
