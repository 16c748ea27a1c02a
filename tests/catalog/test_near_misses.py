"""Hard braking behind a car that comes close fast is a near miss; parked cars, lights and ordinary traffic are none."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from dashcam.catalog.models import Video
from dashcam.catalog.near_misses import LEFT_S, left_s, misses
from dashcam.config.model import PlaceSettings
from dashcam.database import reading, writing
from dashcam.gps.trips import TripEvent
from tests.catalog.rows import NOON, add_sighting, add_video

PLACE = PlaceSettings()
WIDTH, FOCAL_PX = 1920, 700.0


def reads(away: Callable[[float], float], beside_m: float = 0.0, focal: float = FOCAL_PX) -> list[dict[str, Any]]:
    """Of a plate ``away`` so many metres, ten times a second over two seconds; boxes are drawn to whole pixels."""

    def box(metres: float) -> Iterator[float]:
        middle, foot = WIDTH / 2 + focal * beside_m / metres, 600.0
        wide, high = focal * PLACE.plate_width_m / metres, focal * PLACE.plate_height_m / metres
        yield from map(float, map(round, (middle - wide / 2, foot - high, middle + wide / 2, foot)))

    known = {"pts": 0, "text": "AB12CDE", "confidence": 0.9, "legibility": 0.9, "slots": []}
    return [known | {"t_s": n / 10, "box": [*box(away(n / 10))]} for n in range(20)]


def towards(metres: float, mps: float) -> Callable[[float], float]:
    return lambda t_s: metres - mps * t_s


@given(st.floats(8, 15), st.floats(500, 1500))
@settings(max_examples=50)
def test_the_time_that_was_left_is_told_whatever_the_lens(metres: float, focal: float) -> None:
    """It comes to within a second and a half of us, and nearer."""
    mps = metres / 3.4
    found = left_s(reads(towards(metres, mps), focal=focal), WIDTH, PLACE)
    assert found is not None and found == pytest.approx(3.4 - 1.9, abs=0.5)


@pytest.mark.parametrize(
    ("away", "beside_m"),
    [
        (towards(12.0, 4.0), 2.6),
        (towards(12.0, 4.0), -2.4),
        (towards(20.0, 0.0), 0.0),
        (towards(10.0, -3.0), 0.0),
        (towards(25.0, 3.0), 0.0),
        (lambda t_s: 9 + 0.3 * math.sin(9 * t_s), 0.0),
    ],
    ids=["parked at the right", "parked at the left", "as fast as we", "drives away", "far", "drawn unsteadily"],
)
def test_what_is_none(away: Callable[[float], float], beside_m: float) -> None:
    assert left_s(reads(away, beside_m), WIDTH, PLACE) is None


def test_few_reads_tell_nothing() -> None:
    for count in range(4):
        assert left_s(reads(towards(12.0, 5.0))[-count:] if count else [], WIDTH, PLACE) is None


def test_a_pixel_more_within_a_tenth_of_a_second_is_how_a_box_is_drawn() -> None:
    boxes = (0.0, 40.0), (0.033, 40.0), (0.067, 41.0), (0.1, 42.0)
    few = [{"t_s": t_s, "box": [960 - wide / 2, 590.0, 960 + wide / 2, 599.0]} for t_s, wide in boxes]
    assert left_s(few, WIDTH, PLACE) is None


def braking(video: Video, t_s: float, kind: str = "braking") -> TripEvent:
    told = {"kind": kind, "utc": NOON, "value": 6.0, "lat": 52.0, "lon": 4.0, "video_id": video.video_id, "t_s": t_s}
    return TripEvent.model_validate(told)


@pytest.fixture
def clips(engine: Engine) -> list[Video]:
    """In each a car comes close between 20 and 22 s."""
    found = []
    with writing(engine) as session:
        for number, camera in enumerate(("front", "rear"), 1):
            video = add_video(session, number, camera=camera)
            video.facts = (video.facts or {}) | {"width": WIDTH, "height": 1080}
            close = [read | {"t_s": 20 + read["t_s"]} for read in reads(towards(12.0, 4.0))]
            add_sighting(session, video, "AB12CDE", 21.0, first_s=20.0, last_s=22.0, reads=close)
            found.append(video)
    return found


def test_a_braking_is_one_where_a_car_ahead_came_close_then(engine: Engine, clips: list[Video]) -> None:
    front, rear = clips
    events = [braking(front, 20.0), braking(front, 40.0), braking(rear, 20.0), braking(front, 20.5, "cornering")]
    with reading(engine) as session:
        found = misses(session, events, PLACE)
        assert misses(session, events[1:], PLACE) == {}
    assert list(found) == [(front.video_id, 20.0)]
    assert 0.5 < found[front.video_id, 20.0] <= LEFT_S
