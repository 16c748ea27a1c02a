"""Searches that people keep."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from app import addresses, system
from app.access import callers
from app.parameters import Number
from app.searching import Asked
from dashcam.catalog import saved_searches
from dashcam.catalog.saved_searches import LONGEST_NAME, NotSaved
from dashcam.database import reading

router = APIRouter(tags=["plates"])


class SavedAnswer(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    search_id: int
    name: str
    query: str
    """The parameters of ``GET /api/v1/search``, as an address has them."""
    created_at: datetime


def account() -> int | None:
    """Whose searches; None on a site without log-in, and for the site's own token."""
    caller = callers.current()
    return caller.account_id if caller else None


@router.get("/searches")
def list_saved() -> list[SavedAnswer]:
    """One's own, by name."""
    with reading(system.current().engine) as session:
        return [SavedAnswer.model_validate(one) for one in saved_searches.saved(session, account())]


class NewSearch(BaseModel):
    name: str = Field(min_length=1, max_length=LONGEST_NAME)


@router.post("/searches")
async def save_search(new: NewSearch, asked: Annotated[Asked, Depends()]) -> SavedAnswer:
    """Keep a search by its name; one of the same name is replaced."""
    await asyncio.to_thread(asked.wanted)  # it is one that can be asked
    mine, query = account(), addresses.url("", asked.address()).removeprefix("?")

    def write(session: Session) -> SavedAnswer:
        row = saved_searches.save(session, mine, new.name, query, datetime.now(UTC))
        return SavedAnswer.model_validate(row)

    try:
        return await system.current().change(write)
    except NotSaved as error:
        raise HTTPException(409, str(error)) from error


@router.delete("/searches/{search_id}", status_code=204)
async def remove_search(search_id: Number) -> None:
    mine = account()
    if not await system.current().change(lambda session: saved_searches.remove(session, mine, search_id)):
        raise HTTPException(404, f"You have no saved search {search_id}: `GET /api/v1/searches` lists them.")
