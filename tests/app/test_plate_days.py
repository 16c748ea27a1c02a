"""The days on which a plate was seen: as this house counts them, a year at a time, asked for cheaply."""

import gc
import re
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, insert

from app.pages import plate_days
from app.pages.plate_days import SeenDays
from dashcam.catalog import plates, sightings
from dashcam.catalog.models import SightingRow
from dashcam.database import reading, writing
from tests.catalog.rows import NOON, add_sighting, add_video

ZONE = ZoneInfo("Europe/Amsterdam")
LATE = datetime(2026, 6, 28, 22, 30, tzinfo=UTC)
"""Half past midnight of the 29th in Amsterdam."""
NEW_YEAR = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)


def seen_of(engine: Engine, chosen: date | None = None) -> SeenDays:
    with reading(engine) as session:
        summary = plates.plate(session, "LT23CGK")
        assert summary is not None
        seen = plate_days.seen_days(session, summary, chosen, ZONE)
    assert seen is not None
    return seen


def test_a_day_is_the_houses_own_and_leads_to_its_list(engine: Engine) -> None:
    with writing(engine) as session:
        for number, start in enumerate((LATE, LATE - timedelta(hours=1), LATE - timedelta(days=400)), 1):
            add_sighting(session, add_video(session, number, start), "LT23CGK", 1.0)
    seen = seen_of(engine)
    assert seen.of_year == {date(2026, 6, 29): 1, date(2026, 6, 28): 1}
    text = plate_days.piece("LT23CGK", seen, None)
    assert re.findall(r'href="([^"]+)" aria-label="([^"]+)"', text) == [
        ("/plates/LT23CGK?day=2025-05-25", "2025, its last day"),
        ("/plates/LT23CGK?day=2026-06-28", "Sunday, 28 June 2026: 1 sighting"),
        ("/plates/LT23CGK?day=2026-06-29", "Monday, 29 June 2026: 1 sighting"),
    ]
    day = date(2025, 5, 25)
    chosen = plate_days.piece("LT23CGK", seen_of(engine, day), day)
    assert 'aria-current="date">25<' in chosen and "29 June" not in chosen and 'href="/plates/LT23CGK">' in chosen


def test_the_first_night_of_a_year_here_is_of_that_year(engine: Engine) -> None:
    """In Amsterdam a year begins an hour earlier than in UTC."""
    with writing(engine) as session:
        for number, start in enumerate((NEW_YEAR, NEW_YEAR - timedelta(hours=1), NEW_YEAR + timedelta(days=400)), 1):
            add_sighting(session, add_video(session, number, start), "LT23CGK", 1.0)
    last_of = {2025: date(2025, 12, 31), 2026: date(2026, 1, 1), 2027: date(2027, 2, 5)}
    assert seen_of(engine).last_of == last_of, "of each year, whichever is shown"
    assert seen_of(engine, date(2025, 1, 1)).of_year == {date(2025, 12, 31): 1}
    assert seen_of(engine, date(2026, 6, 1)).of_year == {date(2026, 1, 1): 1}


@pytest.mark.parametrize("day", [date.min, date(2, 1, 1), date.max])
def test_a_day_that_nobody_has_lived_is_one_on_which_it_was_not_seen(engine: Engine, day: date) -> None:
    with writing(engine) as session:
        add_sighting(session, add_video(session, 1, LATE), "LT23CGK", 1.0)
    seen = seen_of(engine, day)
    assert not seen.of_year and "seen on 0 days" in plate_days.piece("LT23CGK", seen, day)


def test_of_a_plate_that_is_seen_daily_the_last_months_are_open_and_the_chosen_day() -> None:
    days = Counter(date(2026, 1, 1) + timedelta(days=number) for number in range(200))
    seen = SeenDays(2026, days, {2026: max(days)})
    closed, _, last = plate_days.piece("TAX1", seen, None).partition("</details>")
    assert '<summary class="muted small">Jan to May</summary>' in closed and "<details>" in closed
    assert re.findall('title="[A-Z][a-z]+day, 1 ([A-Z][a-z]+) 2026', last) == ["June", "July"]
    assert "<details open>" in plate_days.piece("TAX1", seen, date(2026, 2, 3))
    few = SeenDays(2026, Counter(list(days)[:62]), seen.last_of)
    assert "<details" not in plate_days.piece("TAX1", few, None)
    assert closed.count("aria-label") + last.count("aria-label") == 200 + 1, "each day once, and the list's own name"


def test_the_list_of_a_day_holds_that_day_alone(engine: Engine) -> None:
    with writing(engine) as session:
        clip = add_video(session, 1)
        for at in (1.0, 2.0, 3.0):
            add_sighting(session, clip, "TAX1", at)
        number = add_sighting(session, add_video(session, 2, None), "TAX1", 1.0).plate_id
    with reading(engine) as session:
        span = NOON + timedelta(seconds=1), NOON + timedelta(seconds=3)
        found = sightings.of_plate(session, number, span=span)
        assert [one.best_s for one in found] == [2.0, 1.0], "its end is the next day's"
        assert [when - NOON for when in sightings.times_of_plate(session, number, span)] == [
            timedelta(seconds=1), timedelta(seconds=2),
        ]  # fmt: skip


def test_ten_thousand_sightings_cost_less_than_a_page_may(engine: Engine) -> None:
    with writing(engine) as session:
        row = add_sighting(session, add_video(session, 1), "TAX1", 1.0)
        known = {column.name: getattr(row, column.name) for column in SightingRow.__table__.columns}
        del known["sighting_id"]
        rows = [known | {"crop": f"plates/{at}.jpg", "seen_utc": NOON - timedelta(hours=at)} for at in range(1, 10_000)]
        session.execute(insert(SightingRow), rows)
    with reading(engine) as session:
        gc.disable()  # one look through what all tests before have left costs as much
        try:
            began = time.thread_time()
            summary = plates.plate(session, "TAX1")
            seen = summary and plate_days.seen_days(session, summary, None, ZONE)
            text = plate_days.piece("TAX1", seen, None) if seen else ""
            took = time.thread_time() - began
        finally:
            gc.enable()
        assert took < 0.3
    assert seen and len(seen.of_year) > 150 and 20_000 < len(text) < 120_000
