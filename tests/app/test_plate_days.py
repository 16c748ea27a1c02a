"""The days on which a plate was seen: as this house counts them, a year at a time, asked for cheaply."""

import gc
import re
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, insert

from app.pages import plate_days
from dashcam.catalog import sightings
from dashcam.catalog.models import SightingRow
from dashcam.database import reading, writing
from tests.catalog.rows import NOON, add_sighting, add_video

ZONE = ZoneInfo("Europe/Amsterdam")
LATE = datetime(2026, 6, 28, 22, 30, tzinfo=UTC)
"""Half past midnight of the 29th in Amsterdam."""


def test_a_day_is_the_houses_own_and_leads_to_its_list() -> None:
    seen = plate_days.counted([LATE, LATE - timedelta(hours=1), LATE - timedelta(days=400)], ZONE)
    assert seen == {date(2026, 6, 29): 1, date(2026, 6, 28): 1, date(2025, 5, 25): 1}
    text = plate_days.piece("LT23CGK", seen, None)
    assert re.findall(r'href="([^"]+)" aria-label="([^"]+)"', text) == [
        ("/plates/LT23CGK?day=2025-05-25", "2025, its last day"),
        ("/plates/LT23CGK?day=2026-06-28", "Sunday, 28 June 2026: 1 sighting"),
        ("/plates/LT23CGK?day=2026-06-29", "Monday, 29 June 2026: 1 sighting"),
    ]
    chosen = plate_days.piece("LT23CGK", seen, date(2025, 5, 25))
    assert 'aria-current="date">25<' in chosen and "29 June" not in chosen and 'href="/plates/LT23CGK">' in chosen


def test_of_a_plate_that_is_seen_daily_the_last_months_are_open_and_the_chosen_day() -> None:
    seen = Counter(date(2026, 1, 1) + timedelta(days=number) for number in range(200))
    closed, _, last = plate_days.piece("TAX1", seen, None).partition("</details>")
    assert '<summary class="muted small">Jan to May</summary>' in closed and "<details>" in closed
    assert re.findall('title="[A-Z][a-z]+day, 1 ([A-Z][a-z]+) 2026', last) == ["June", "July"]
    assert "<details open>" in plate_days.piece("TAX1", seen, date(2026, 2, 3))
    assert "<details" not in plate_days.piece("TAX1", Counter(dict.fromkeys(list(seen)[:62], 1)), None)
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
        assert len(sightings.times_of_plate(session, number)) == 3


def test_ten_thousand_sightings_cost_less_than_a_page_may(engine: Engine) -> None:
    with writing(engine) as session:
        row = add_sighting(session, add_video(session, 1), "TAX1", 1.0)
        number = row.plate_id
        known = {column.name: getattr(row, column.name) for column in SightingRow.__table__.columns}
        del known["sighting_id"]
        rows = [known | {"crop": f"plates/{at}.jpg", "seen_utc": NOON - timedelta(hours=at)} for at in range(1, 10_000)]
        session.execute(insert(SightingRow), rows)
    with reading(engine) as session:
        gc.disable()  # one look through what all tests before have left costs as much
        try:
            began = time.thread_time()
            seen = plate_days.counted(sightings.times_of_plate(session, number), ZONE)
            text = plate_days.piece("TAX1", seen, None)
            took = time.thread_time() - began
        finally:
            gc.enable()
        assert took < 0.3
    assert seen.total() == 10_000 and len(text) < 120_000
