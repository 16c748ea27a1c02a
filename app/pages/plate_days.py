"""The days on which a plate was seen, on its page: a year's as a strip, each a link to what was seen on it.

A piece of HTML of our own: as elements of the page a year of them would be most of its weight.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, tzinfo
from itertools import groupby
from typing import Any

from app import addresses, wording
from app.found import TEMPLATES
from app.pages.still import Piece

OFTEN = 3
"""Sightings on a day from which on it stands out."""


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
    return TEMPLATES.get_template("days.html").render(
        years=[
            {"year": one, "shown": one == year, "href": day_url(text, day), "name": f"{one}, its last day"}
            for one, day in last_of.items()
        ],
        said=f"seen on {wording.count(len(days), 'day')}",
        all=addresses.plate_url(text) if chosen else "",
        months=[
            {"name": f"{date(year, month, 1):%b}", "days": [day_of(text, day, seen[day], chosen) for day in of_month]}
            for month, of_month in groupby(days, key=lambda day: day.month)
        ],
    )


def day_of(text: str, day: date, times: int, chosen: date | None) -> dict[str, Any]:
    return {
        "number": day.day,
        "href": day_url(text, day),
        "name": f"{day:%A, %-d %B %Y}: {wording.count(times, 'sighting')}",
        "often": times >= OFTEN,
        "here": day == chosen,
    }
