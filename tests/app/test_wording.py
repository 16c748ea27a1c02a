"""Times, sizes and states in words."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import wording

SUMMER, WINTER = datetime(2026, 6, 28, 12, 0, tzinfo=UTC), datetime(2026, 1, 28, 12, 0, tzinfo=UTC)


def test_days_are_named_as_people_name_them() -> None:
    today = date(2026, 6, 28)
    assert wording.day_title(today, today) == "Today, 28 June"
    assert wording.day_title(date(2026, 6, 27), today) == "Yesterday, 27 June"
    assert wording.day_title(date(2026, 6, 20), today) == "Saturday, 20 June"
    assert wording.day_title(date(2025, 12, 31), today) == "Wednesday, 31 December 2025"


@pytest.mark.parametrize(
    ("seconds", "shown", "inside"),
    [(0, "0:00", "0:00.0"), (59.96, "1:00", "1:00.0"), (61.25, "1:01", "1:01.2"), (3725, "1:02:05", "62:05.0")],
)
def test_seconds_are_shown_as_a_player_shows_them(seconds: float, shown: str, inside: str) -> None:
    assert (wording.duration(seconds), wording.second(seconds)) == (shown, inside)


@given(st.floats(0, 1))
def test_only_what_is_certain_is_shown_as_100_percent(fraction: float) -> None:
    assert (wording.percent(fraction) == "100 %") == (fraction == 1)


@pytest.mark.parametrize(
    ("past", "words"),
    [(3, "just now"), (42, "42 seconds ago"), (60, "1 minute ago"), (7300, "2 hours ago"), (200_000, "2 days ago")],
)
def test_how_long_ago(past: int, words: str) -> None:
    assert wording.ago(SUMMER - timedelta(seconds=past), SUMMER) == words


def test_a_short_moment_names_the_year_only_when_it_is_another() -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    assert wording.short_moment(WINTER, zone, SUMMER) == "28 Jan, 13:00"
    assert wording.short_moment(WINTER.replace(year=2024), zone, SUMMER) == "28 Jan 2024"


def test_trips_and_clocks_in_words() -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    assert wording.span(SUMMER, SUMMER + timedelta(minutes=45), zone) == "14:00 – 14:45"
    assert wording.span(SUMMER, SUMMER + timedelta(hours=11), zone) == "14:00 – 01:00 (29 Jun)"
    assert [wording.distance(metres) for metres in (88.4, 949, 11_460)] == ["88 m", "949 m", "11.5 km"]
    assert wording.speed(27.78) == "100 km/h"
    assert [wording.ahead(seconds) for seconds in (7203.0, -14400.0, 0.0)] == [
        "2 h 3 s ahead of UTC",
        "4 h behind UTC",
        "0 s ahead of UTC",
    ]
