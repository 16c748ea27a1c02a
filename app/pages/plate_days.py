"""The days on which a plate was seen, on its page: a year's as a strip, each a link to what was seen on it.

A piece of HTML of our own: as elements of the page a year of them would be most of its weight.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from itertools import groupby
from typing import NamedTuple

from sqlalchemy.orm import Session

from app import addresses, wording
from app.found import TEMPLATES
from app.pages.still import Piece
from dashcam.catalog import sightings
from dashcam.catalog.plates import PlateSummary

OFTEN = 3
"""Sightings on a day from which on it stands out."""
MOST = 62
"""Days that are open; the months before are a click away, or the list of sightings would begin below the window."""


class DayLink(NamedTuple):
    number: int
    href: str
    name: str
    often: bool
    here: bool


class Month(NamedTuple):
    name: str
    days: list[DayLink]


@dataclass(frozen=True)
class SeenDays:
    """``of_year`` says how often it was seen on each day of the one ``year`` that is shown."""

    year: int
    of_year: Counter[date]
    last_of: dict[int, date]
    """The last day of each year."""


def seen_days(session: Session, plate: PlateSummary, chosen: date | None, zone: tzinfo | None) -> SeenDays | None:
    """In the year of the ``chosen`` day, else in the last; None where no time is known."""
    if plate.last_seen is None:
        return None
    year = (chosen or plate.last_seen.astimezone(zone)).year
    times = sightings.times_of_plate(session, plate.plate_id, (begin_of(year, zone), begin_of(year + 1, zone)))
    last_of = {day.year: day for day in last_days(session, plate, zone)}
    return SeenDays(year, Counter(when.astimezone(zone).date() for when in times), last_of)


def last_days(session: Session, plate: PlateSummary, zone: tzinfo | None) -> Iterator[date]:
    """Of each year in which it was seen, latest first."""
    last = plate.last_seen
    while last is not None:
        day = last.astimezone(zone).date()
        yield day
        last = sightings.last_of_plate(session, plate.plate_id, begin_of(day.year, zone))


def begin_of(year: int, zone: tzinfo | None) -> datetime:
    """In UTC; of the first year and the last, which an address may name, no zone tells that."""
    return datetime(min(max(year, 2), 9999), 1, 1, tzinfo=zone).astimezone(UTC)


def strip(text: str, seen: SeenDays, chosen: date | None) -> None:
    Piece(piece(text, seen, chosen))  # our own template, in which whatever comes in is text


def day_url(here: str, day: date) -> str:
    return f"{here}?day={day.isoformat()}"


def piece(text: str, seen: SeenDays, chosen: date | None) -> str:
    here, days = addresses.plate_url(text), sorted(seen.of_year)
    months = [
        Month(f"{date(seen.year, month, 1):%b}", [day_of(here, day, seen.of_year[day], chosen) for day in of_month])
        for month, of_month in groupby(days, key=lambda day: day.month)
    ]
    earlier = months_before(months)
    return TEMPLATES.get_template("days.html").render(
        years=[
            {"year": one, "shown": one == seen.year, "href": day_url(here, day), "name": f"{one}, its last day"}
            for one, day in sorted(seen.last_of.items())
        ],
        said=f"seen on {wording.count(len(days), 'day')}",
        all=here if chosen else "",
        earlier=months[:earlier],
        opened=any(day.here for month in months[:earlier] for day in month.days),
        months=months[earlier:],
    )


def months_before(months: list[Month]) -> int:
    """How many of the year's first months are closed: of the last ones as many are open as have `MOST` days, or one."""
    left, number = MOST, len(months)
    while number and (left := left - len(months[number - 1].days)) >= 0:
        number -= 1
    return min(number, len(months) - 1)


def day_of(here: str, day: date, times: int, chosen: date | None) -> DayLink:
    """``here``: the address of the plate's page, made once for all days."""
    name = f"{day:%A, %-d %B %Y}: {wording.count(times, 'sighting')}"
    return DayLink(day.day, day_url(here, day), name, times >= OFTEN, day == chosen)
