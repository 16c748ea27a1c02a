"""Plates out: lists, one with its sightings, the search, and the sightings of a map's window."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel, ConfigDict, computed_field

from app import system, wording
from app.access import callers
from app.parameters import Number
from app.searching import Asked
from dashcam.catalog import followed, plates, readings, search, sightings, suggestions
from dashcam.catalog.corroboration import Corroboration, corroborations
from dashcam.catalog.encounters import Manner, Meaning
from dashcam.catalog.plate_filter import PlateFilter
from dashcam.catalog.plates import PlateCard
from dashcam.catalog.sightings import SightingCard
from dashcam.database import reading
from dashcam.gps.place import Estimate
from dashcam.gps.track import Quality
from dashcam.records import HIDDEN, Box, CharacterProbabilities, Read
from dashcam.storage import layout

router = APIRouter(tags=["plates"])


class Named(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    text: str
    """As it was read; of a hashed plate ``#`` and 16 letters."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def hashed(self) -> bool:
        """It was seen longer ago than plates are kept: what was read and its pictures are gone, time and place stay."""
        return self.text.startswith(HIDDEN)


class SightingPlace(Named):
    """A sighting as a map needs it."""

    sighting_id: int
    video_id: str
    best_s: float
    seen_utc: datetime | None
    lat: float | None
    lon: float | None


class SightingAnswer(SightingPlace):
    confidence: float
    confirmed: bool
    first_s: float
    last_s: float
    reads: int
    box: Box
    crop: str
    """``store:path`` of the crop that was read."""
    accuracy_m: float | None
    place_quality: Quality | None
    """Of our own place: at a fix, between two, or beyond the last one."""
    estimate: Estimate | None
    """Where the other car may have been."""
    other_camera: Corroboration | None = None
    """What the camera on the other side of the car has seen of the same plate within three minutes."""


class PlateAnswer(Named):
    sightings: int
    first_seen: datetime | None
    last_seen: datetime | None


class Differs(BaseModel):
    """Between what was read and what is asked; one of both is empty where a character is missing."""

    model_config = ConfigDict(from_attributes=True)

    at: int
    """Which of the plate's characters, from 0."""
    read: str
    asked: str


class PlateFound(PlateAnswer):
    likelihood: float | None = None
    """With ``near``: how likely it is what was looked for; 1 where nothing differs."""
    differences: list[Differs] = []
    merged: list[str] = []
    """What was looked for is these texts, which a person has merged into the plate."""


class PlateDetail(PlateAnswer):
    seen: list[SightingAnswer]
    """Newest first, as many as were asked for."""


class MetAnswer(Named):
    """How a car was met, and whether it goes along more than the traffic of those roads and hours does."""

    level: Meaning
    manner: Manner
    sentence: str
    trips: int
    days: int
    places: int
    """About half a kilometre each; 0 where no position is known."""
    at_least: bool
    """Of a plate with very many sightings only the newest are looked at."""
    ratio: float
    """How many times likelier this is of a car that follows than of the traffic there."""
    along: list[int]
    """The trips that count for it."""


class SuggestionAnswer(BaseModel):
    """That ``text`` is a misread of ``into``. Yes is ``PUT /plates/{text}/merged``, no
    ``PUT /plates/{text}/apart/{into}``; ``DELETE`` of the same takes it back."""

    text: str
    into: str
    together: bool
    """It was read where the other had been a moment before."""
    confirmed: bool
    """Whether ``text`` was ever read surely."""
    video_id: str
    best_s: float
    """Where to look."""


class ReadingsAnswer(Named):
    video_id: str
    confidence: float
    best_s: float
    slots: CharacterProbabilities
    """By all reads together: of each character what it may be, and how likely."""
    reads: list[Read]
    """In order of time."""


def sighting_answer(one: SightingCard, other: Corroboration | None = None) -> SightingAnswer:
    """Of a card with its reads."""
    crop = layout.address(one.media or "", one.crop)
    return SightingAnswer.model_validate(vars(one) | {"reads": len(one.reads), "crop": crop, "other_camera": other})


def plate_answer(card: PlateCard) -> PlateAnswer:
    return PlateAnswer(
        text=card.text, sightings=card.sightings, first_seen=card.first_seen, last_seen=card.last.seen_utc
    )


@router.get("/plates")
def list_plates(limit: Annotated[int, Query(ge=1, le=1000)] = 100, offset: Number = 0) -> list[PlateAnswer]:
    """Confirmed plates, last seen first."""
    return [plate_answer(card) for card in page(PlateFilter(), limit, offset)]


@router.get("/plates/{plate}")
def get_plate(plate: str, limit: Annotated[int, Query(ge=1, le=2000)] = 500, offset: Number = 0) -> PlateDetail:
    """One plate, by its text, with its newest sightings; ``sightings`` is how many there are. All of them at once, as
    a table, are at ``/export/sightings.csv?plate=``."""
    with reading(system.current().engine) as session:
        found = plates.plate(session, plate)
        seen = (
            [] if found is None else sightings.of_plate(session, found.plate_id, limit=limit, skip=offset, reads=True)
        )
        others = corroborations(session, seen)
    if found is None:
        raise HTTPException(404, f"No plate {plate} has been seen.")
    return PlateDetail(
        text=found.text,
        sightings=found.sightings,
        first_seen=found.first_seen,
        last_seen=found.last_seen,
        seen=[sighting_answer(one, others.get(one.sighting_id)) for one in seen],
    )


@router.get("/plates/{plate}/met")
def get_met(plate: str) -> MetAnswer:
    """On how many trips, days and places it was met, and whether it follows: `docs/followed.md`."""
    here = system.current()
    with reading(here.engine) as session:
        found = plates.plate(session, plate)
        how = None if found is None else followed.met(session, found.plate_id, here.zone())
    if found is None or how is None:
        raise HTTPException(404, f"No plate {plate} has been seen.")
    return MetAnswer(
        text=found.text,
        sentence=wording.met(how),
        ratio=round(how.ratio, 1),
        along=[one.trip_id for one in how.weight.along],
        **{name: getattr(how, name) for name in ("level", "manner", "trips", "days", "places", "at_least")},
    )


@router.get("/suggestions")
def list_suggestions(limit: Annotated[int, Query(ge=1, le=100)] = suggestions.ASKED) -> list[SuggestionAnswer]:
    """Two plates each that are probably one car and of which nobody has said so, the likeliest first."""
    if callers.view()[1] is not None:  # an answer would count for sightings that they do not see
        return []
    with reading(system.current().engine) as session:
        pairs = suggestions.suggestions(session, limit)
    return [
        SuggestionAnswer(
            text=pair.one.text,
            into=pair.into.text,
            together=pair.together,
            confirmed=pair.one.confirmed,
            video_id=pair.one.video_id,
            best_s=pair.one.best_s,
        )
        for pair in pairs
    ]


@router.get("/search")
def find_plates(
    asked: Annotated[Asked, Depends()],
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Number = 0,
) -> list[PlateFound]:
    """Plates by what is remembered: text, time, place; last seen first, with ``near`` the likeliest first."""
    found = []
    for card in page(asked.wanted(), limit, offset):
        differs = [Differs.model_validate(one) for one in card.match.differences] if card.match else []
        likelihood = round(card.match.likelihood, 4) if card.match else None
        known = plate_answer(card).model_dump() | {"likelihood": likelihood, "differences": differs}
        found.append(PlateFound(**known, merged=list(card.merged)))
    return found


def page(wanted: PlateFilter, limit: int, offset: int) -> list[PlateCard]:
    with reading(system.current().engine) as session:
        return search.plates(session, wanted, limit=limit, skip=offset)


@router.get("/sightings")
def list_sightings(
    asked: Annotated[Asked, Depends()], limit: Annotated[int, Query(ge=1, le=2000)] = 500
) -> list[SightingPlace]:
    """Sightings in a region and time, newest first: what a map's window shows. ``q`` and ``near`` do not count here."""
    with reading(system.current().engine) as session:
        return [SightingPlace.model_validate(one) for one in search.sightings(session, asked.wanted(), limit=limit)]


@router.get("/sightings/{sighting_id}/reads")
def get_reads(sighting_id: Number) -> ReadingsAnswer:
    """What was read of a sighting: each read's characters with their probabilities."""
    with reading(system.current().engine) as session:
        found = readings.of_sighting(session, sighting_id)
    if found is None:
        raise HTTPException(404, f"There is no sighting {sighting_id} (any more).")
    return ReadingsAnswer.model_validate(found)
