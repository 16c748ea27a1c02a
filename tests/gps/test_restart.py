"""A clock that starts again on 1 January is seen through where the file numbers leave no doubt, and only there."""

from datetime import UTC, datetime, timedelta

import pytest

from dashcam.gps.restart import Numbered, counter_of, mended
from dashcam.records import ClockKind

EVENING = datetime(2026, 10, 22, 16, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def clip(counter: int, local: datetime, start: datetime, clock: ClockKind) -> Numbered:
    return Numbered(f"v{counter}", f"{local:%Y_%m%d_%H%M%S}_{counter:06d}F.MP4", counter, start, 60.0, clock)


def lost(counter: int, minute: int, year: int = 2019) -> Numbered:
    local = datetime(year, 1, 1, 0, minute, 5)
    return clip(counter, local, local.replace(tzinfo=UTC), "camera")


def good(counter: int, start: datetime, local: datetime | None = None) -> Numbered:
    return clip(counter, local or start.replace(tzinfo=None) + timedelta(hours=2), start, "utc")


def test_the_same_wrong_clock_with_gps_tells_the_time_of_the_clips_before_it() -> None:
    after = good(14, EVENING + 5 * MINUTE, datetime(2019, 1, 1, 0, 5, 5))
    found = mended([good(11, EVENING - timedelta(days=1)), lost(12, 1), lost(13, 3), after])
    assert found == {"v12": EVENING + MINUTE, "v13": EVENING + 3 * MINUTE}


def test_else_the_last_of_them_ends_where_the_next_begins() -> None:
    found = mended([good(11, EVENING - timedelta(days=1)), lost(12, 0), lost(13, 1), good(14, EVENING)])
    assert found == {"v12": EVENING - 2 * MINUTE, "v13": EVENING - MINUTE}


@pytest.mark.parametrize(
    "clips",
    [
        [lost(12, 0), good(13, EVENING)],
        [good(11, EVENING), lost(12, 0)],
        [good(11, EVENING), lost(12, 0, year=2027), good(13, EVENING + MINUTE)],
        [good(11, EVENING), lost(12, 0), good(13, EVENING - timedelta(days=9))],
        [good(11, EVENING), lost(12, 0), good(60, EVENING + MINUTE)],
        [good(11, EVENING), clip(12, datetime(2019, 3, 1), EVENING, "camera"), good(13, EVENING + MINUTE)],
    ],
    ids=["nothing before", "nothing after", "a real new year", "out of order", "far apart", "any other day"],
)
def test_without_evidence_a_clip_keeps_its_time(clips: list[Numbered]) -> None:
    assert mended(clips) == {}


@pytest.mark.parametrize(
    ("name", "counter"),
    [
        ("2026_0628_133416_000123PF.MP4", 123),
        ("20260628133416_000123.TS", 123),
        ("2026_0628_133416_F.MP4", None),
        ("2026_0628_133416.MP4", None),
        ("holiday.mp4", None),
    ],
)
def test_the_number_stands_at_the_end_of_the_name(name: str, counter: int | None) -> None:
    assert counter_of(name) == counter
