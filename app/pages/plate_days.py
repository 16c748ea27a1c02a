"""The days on which a plate was seen, on its page: a year's as a strip, each a link to what was seen on it.

A piece of HTML of our own: as elements of the page a year of them would be most of its weight.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, tzinfo
from itertools import groupby
from typing import NamedTuple

from app import addresses, wording
from app.found import TEMPLATES
from app.pages.still import Piece

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


def counted(times: Iterable[datetime], zone: tzinfo | None) -> Counter[date]:
    return Counter(when.astimezone(zone).date() for when in times)


def strip(text: str, seen: Counter[date], chosen: date | None) -> None:
    if seen:
        Piece(piece(text, seen, chosen))  # our own template, in which whatever comes in is text


def day_url(text: str, day: date) -> str:
    return addresses.url(addresses.plate_url(text), {"day": day.isoformat()})


def piece(text: str, seen: Counter[date], chosen: date | None) -> str:
    last_of = {day.year: day for day in sorted(seen)}
    year = (chosen or max(seen)).year
    days = sorted(day for day in seen if day.year == year)
    months = [
        Month(f"{date(year, month, 1):%b}", [day_of(text, day, seen[day], chosen) for day in of_month])
        for month, of_month in groupby(days, key=lambda day: day.month)
    ]
    earlier = months_before(months)
    return TEMPLATES.get_template("days.html").render(
        years=[
            {"year": one, "shown": one == year, "href": day_url(text, day), "name": f"{one}, its last day"}
            for one, day in last_of.items()
        ],
        said=f"seen on {wording.count(len(days), 'day')}",
        all=addresses.plate_url(text) if chosen else "",
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


def day_of(text: str, day: date, times: int, chosen: date | None) -> DayLink:
    name = f"{day:%A, %-d %B %Y}: {wording.count(times, 'sighting')}"
    return DayLink(day.day, day_url(text, day), name, times >= OFTEN, day == chosen)
