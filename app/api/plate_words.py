"""What people say of plates and sightings, each with what undoes it; and what their corrections teach."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, Field

from app import saying, system
from app.parameters import Number
from dashcam.catalog import lessons, notes, plates, spot_checks
from dashcam.catalog.lessons import Band, JudgedRead
from dashcam.catalog.merges import CannotSay
from dashcam.catalog.notes import Note
from dashcam.catalog.paging import Cursor
from dashcam.catalog.spot_checks import CheckedBand
from dashcam.database import reading, writing

router = APIRouter(tags=["plates"])
PlateInPath = Annotated[str, Field(max_length=40)]


class Said(BaseModel):
    """A person's word about sightings."""

    sightings: list[Number] = Field(min_length=1, max_length=1000)
    text: str | None = Field(max_length=40)
    """The plate that they show; null: none."""


class WordsSaid(BaseModel):
    words: list[str]
    """What ``DELETE /corrections/{word_id}`` takes back."""


class Into(BaseModel):
    into: PlateInPath


class Rehomed(BaseModel):
    sightings: int
    """They are shown under another plate than before."""


class Confusion(BaseModel):
    read: str
    """Empty: a character that was missed."""
    truth: str
    """Empty: there was none."""
    count: int


class PlateNoteAnswer(Note):
    same: list[str]
    """What is shown as this plate because it was merged into it."""


@router.post("/corrections")
def correct(said: Said) -> WordsSaid:
    """These sightings show that plate, or none. It holds when the clips are done again."""
    here = system.current()
    try:
        with writing(here.engine) as session:
            return WordsSaid(words=saying.correct(session, said.sightings, said.text))
    except CannotSay as error:
        raise HTTPException(409, str(error)) from error


@router.delete("/corrections/{word_id}")
def take_back(word_id: str) -> Literal["ok"]:
    """What was said before holds again, at last what the machine says."""
    here = system.current()
    with writing(here.engine) as session:
        done = saying.take_back(session, [word_id])
    if not done:
        raise HTTPException(404, "There is no such correction (any more).")
    return "ok"


@router.get("/corrections")
def list_corrections(
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: Annotated[datetime | None, Query(description="Of the last one that was given.")] = None,
    word_id: Annotated[str, Query(description="Of the last one that was given.", max_length=64)] = "",
) -> list[JudgedRead]:
    """Newest first, with what the machine had read: what a reader can be trained and tested with."""
    cursor = Cursor(system.with_zone(before), word_id) if before is not None else None
    with reading(system.current().engine) as session:
        return list(lessons.corrections(session, cursor, limit))


@router.get("/corrections/confusions")
def list_confusions() -> list[Confusion]:
    """Which characters our reads confuse, the most frequent first; right ones too."""
    with reading(system.current().engine) as session:
        counts = lessons.confusions(session)
    return [Confusion(read=read, truth=truth, count=count) for (read, truth), count in counts.most_common()]


@router.get("/corrections/bands")
def list_bands() -> list[Band]:
    """How often reads were right, by how sure the reader was."""
    with reading(system.current().engine) as session:
        return lessons.bands(session)


@router.get("/corrections/checks")
def list_checks() -> list[CheckedBand]:
    """How often reads that nobody has chosen were right, by how sure the reader was."""
    with reading(system.current().engine) as session:
        return spot_checks.bands(session)


@router.put("/plates/{plate}/merged")
def merge(plate: PlateInPath, other: Into) -> Rehomed:
    """They are one car: this plate is shown as the other, also what is seen from now on."""
    try:
        with writing(system.current().engine) as session:
            return Rehomed(sightings=saying.merge(session, plate, other.into))
    except CannotSay as error:
        raise HTTPException(409, str(error)) from error


@router.delete("/plates/{plate}/merged")
def split(plate: PlateInPath) -> Rehomed:
    """Take that back."""
    try:
        with writing(system.current().engine) as session:
            return Rehomed(sightings=saying.split(session, plate))
    except CannotSay as error:
        raise HTTPException(409, str(error)) from error


@router.put("/plates/{plate}/apart/{other}")
def keep_apart(plate: PlateInPath, other: PlateInPath) -> Literal["ok"]:
    """They are two cars: nobody asks again."""
    try:
        with writing(system.current().engine) as session:
            saying.apart(session, plate, other)
    except CannotSay as error:
        raise HTTPException(409, str(error)) from error
    return "ok"


@router.delete("/plates/{plate}/apart/{other}")
def ask_again(plate: PlateInPath, other: PlateInPath) -> Literal["ok"]:
    """Take that back."""
    try:
        with writing(system.current().engine) as session:
            saying.ask_again(session, plate, other)
    except CannotSay as error:
        raise HTTPException(409, str(error)) from error
    return "ok"


@router.get("/plates/{plate}/note")
def get_note(plate: PlateInPath) -> PlateNoteAnswer:
    """What a person knows of it."""
    with reading(system.current().engine) as session:
        shown = plates.shown_as(session, plate)
        return PlateNoteAnswer(**notes.of(session, shown).model_dump(), same=plates.merged_into(session, shown))


@router.put("/plates/{plate}/note")
def write_note(plate: PlateInPath, note: Note) -> Note:
    """Name, note, tags, own car, ignored, watched. Gives what was known before: to undo it, put that."""
    try:
        with writing(system.current().engine) as session:
            return saying.write(session, plate, note)
    except CannotSay as error:
        raise HTTPException(409, str(error)) from error


@router.get("/plates/{plate}/misreads")
def list_misreads(plate: PlateInPath) -> list[str]:
    """The plates that may be misreads of this one: who watches it is told of them too."""
    with reading(system.current().engine) as session:
        return list(notes.misreads(session, plate))
