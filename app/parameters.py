"""Parameters that several calls take, by one name each, and what none of them takes."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, NamedTuple

from fastapi import HTTPException, Query, Request
from fastapi import Path as InPath
from fastapi.dependencies.models import Dependant
from pydantic import Field

from app import system
from dashcam.catalog.paging import Cursor
from dashcam.config.pools import POOLS
from dashcam.media.names import printable

LARGEST = 2**31 - 1
"""What PostgreSQL takes for an id."""
Number = Annotated[int, Field(ge=0, le=LARGEST)]
"""An id, or how many entries to pass over."""
VideoId = Annotated[str, InPath(pattern="^[0-9a-f]{16}$")]
HALF_A_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]")


class TimeRange(NamedTuple):
    """In UTC; None is without a limit."""

    since: datetime | None = None
    until: datetime | None = None


def time_range(
    since: Annotated[datetime | None, Query(description="Local to the site where no zone is given.")] = None,
    until: Annotated[datetime | None, Query(description="Not included.")] = None,
) -> TimeRange:
    return TimeRange(since and system.with_zone(since), until and system.with_zone(until))


async def pool(
    device_type: Annotated[str | None, Query(description=f"{', '.join(POOLS)}; or the name of a pool.")] = None,
) -> str | None:
    """The work pool of a device type, as the deployment guide names them, or of itself."""
    known = POOLS | {name: name for name in POOLS.values()}
    if device_type is None or device_type in known:
        return device_type and known[device_type]
    raise HTTPException(422, f"{printable(device_type)} is no device type: there are {', '.join(known)}.")


async def only_known(request: Request) -> None:
    """Refuses a query parameter that the route does not have: ignored, it would pass for a filter that was heeded."""
    if not request.query_params:
        return
    known = list(dict.fromkeys(names(request.scope["route"].dependant)))
    for name in request.query_params:
        if name not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            raise HTTPException(422, f"{printable(name)} is no parameter of this call: {takes}.")


def names(of: Dependant) -> Iterator[str]:
    yield from (parameter.alias for parameter in of.query_params)
    for one in of.dependencies:
        yield from names(one)


async def whole_characters(request: Request) -> None:
    """Refuses JSON with half a character (a lone surrogate): no database and no answer can hold it."""
    body = await request.body()
    if HALF_A_CHARACTER.search(body):
        try:
            json.dumps(json.loads(body), ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise HTTPException(422, "A text in the body ends in half a character (a lone surrogate).") from None
        except ValueError:
            return  # no JSON, which the route says itself


def midnight(day: date | str, days: int = 0) -> datetime | None:
    """When the day begins here, or so many days later, in UTC; None when it is no date."""
    try:
        that = (date.fromisoformat(day) if isinstance(day, str) else day) + timedelta(days=days)
        return datetime.combine(that, time(), system.current().zone()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def day_of(text: str) -> tuple[date, tuple[datetime, datetime]] | None:
    """The day in an address, with when it begins and ends here; None when it is none."""
    begin, end = midnight(text), midnight(text, days=1)
    return (date.fromisoformat(text), (begin, end)) if begin and end else None


def cursor_text(cursor: Cursor | None) -> str:
    return f"{cursor.when.isoformat()}~{cursor.key}" if cursor else ""


def cursor_of(text: str, key: Callable[[str], object]) -> Cursor | None:
    """The cursor in an address; None, that is the first page, when somebody has bent it."""
    when, _, last = text.partition("~")
    at = moment_of(when)
    try:
        found = key(last)
    except ValueError:
        return None
    if at is None or (isinstance(found, int) and abs(found) > LARGEST):
        return None
    return Cursor(at, found)


def moment_of(text: str) -> datetime | None:
    """The moment in an address, in UTC; None when it is none, or has no zone."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
