"""What a search is asked for, by one name each in the page's address, in the REST API and in the export."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import HTTPException, Query
from pydantic import Field, TypeAdapter, ValidationError

from app import reviewing, system
from app.parameters import Number, midnight
from dashcam.catalog.plate_filter import Area, PlateFilter, Sort

LONGEST = 40
"""Characters of a search that are looked at."""
ClipKind = Literal["normal", "parking", "event"]
Fraction = Annotated[float, Field(ge=0, le=1)]
Times = Annotated[int, Field(ge=1, le=1_000_000)]


@dataclass(frozen=True)
class Asked:
    """The parameters as they are given; a dependency of each call that searches."""

    q: Annotated[str, Query(max_length=LONGEST, description="Part of a plate; or all of it with ? and *.")] = ""
    near: Annotated[bool | None, Query(description="Find what a camera may have misread, too.")] = None
    unsure: Annotated[bool, Query(description="Reads that are not confirmed, too.")] = False
    only_unsure: Annotated[bool, Query(description="Nothing but those.")] = False
    since: Annotated[datetime | None, Query(description="Local to the site where no zone is given.")] = None
    until: Annotated[datetime | None, Query(description="Not included.")] = None
    first: Annotated[date | None, Query(description="The first day, local to the site.")] = None
    last: Annotated[date | None, Query(description="The last day.")] = None
    box: Annotated[str | None, Query(description="south,west,north,east in degrees")] = None
    trip: Annotated[Number | None, Query(description="Seen on that trip.")] = None
    camera: Annotated[str | None, Query(max_length=LONGEST, description="front, rear, …")] = None
    kind: Annotated[ClipKind | None, Query(description="Of clip.")] = None
    confidence: Annotated[Fraction | None, Query(description="Of a sighting, at least: 0 to 1.")] = None
    times: Annotated[Times, Query(description="Seen so many times at least.")] = 1
    tag: Annotated[str | None, Query(max_length=LONGEST, description="Of the plate, given by a person.")] = None
    reviewed: Annotated[bool | None, Query(description="Whether you have marked the sighting or its clip so.")] = None
    sort: Annotated[Sort | None, Query(description="With near the surest come first, else those seen last.")] = None

    def wanted(self) -> PlateFilter:
        """Raises `HTTPException` 422 for a box that is none."""
        first = midnight(self.first) if self.first else None
        last = midnight(self.last, days=1) if self.last else None
        starts = [one for one in (self.since and system.with_zone(self.since), first) if one]
        ends = [one for one in (self.until and system.with_zone(self.until), last) if one]
        return PlateFilter(
            text=self.q.strip(),
            near=bool(self.near),
            confirmed_only=not self.unsure,
            unsure_only=self.only_unsure,
            since=max(starts, default=None),
            until=min(ends, default=None),
            region=area(self.box) if self.box else None,
            trip=self.trip,
            camera=self.camera or None,
            kind=self.kind,
            least=self.confidence,
            times=self.times,
            tag=self.tag or None,
            reviewed=self.reviewed,
            reviewer=reviewing.account(),
            sort=self.sort,
        )

    def address(self, **other: Any) -> dict[str, str]:
        """The parameters that say something, as an address has them, some of them replaced."""
        given = asdict(self) | other
        return {name: shown(value) for name, value in given.items() if value != DEFAULTS[name] and value is not None}


def shown(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return value.isoformat() if isinstance(value, date) else f"{value}"


DEFAULTS = asdict(Asked())
_asked = TypeAdapter(Asked)


def understood(parameters: Mapping[str, str]) -> Asked:
    """Of an address that somebody may have bent what can be understood; the rest as if it were not there."""
    given = {name: value for name, value in parameters.items() if name in DEFAULTS and value}
    given["q"] = given.get("q", "")[:LONGEST]
    while True:
        try:
            asked = _asked.validate_python(given)
        except ValidationError as error:
            for wrong in error.errors():
                given.pop(str(wrong["loc"][0]), None)
            continue
        try:
            asked.wanted()
        except HTTPException:
            given = {name: value for name, value in given.items() if name not in ("box", "since", "until")}
            continue
        return asked


def area(box: str) -> Area:
    try:
        south, west, north, east = (float(side) for side in box.split(","))
    except ValueError:
        raise HTTPException(422, f"box is {box!r}, but must be four numbers: south,west,north,east.") from None
    if not (-90 <= south <= north <= 90 and -180 <= west <= east <= 180):
        raise HTTPException(422, "box must be south,west,north,east in degrees, south and west first.")
    return Area(south, west, north, east)
