"""A plate that both cameras have seen is surer for it, and who overtook whom is told."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from dashcam.catalog import sightings
from dashcam.catalog.corroboration import Corroboration, corroborations
from dashcam.catalog.plates import plate
from dashcam.database import reading, writing
from tests.catalog.rows import NOON, add_sighting, add_video

FAR: dict[str, Any] = {"lat": 52.0, "lon": 4.3, "bearing_deg": 0.0, "major_m": 3.0, "minor_m": 2.0, "angle_deg": 0.0}


def seen(
    engine: Engine, *looks: tuple[str, float, float], metres: float | None = None, speed_mps: float = 10.0, **clip: Any
) -> list[Corroboration | None]:
    """What is told of each look at one plate: camera, second and how sure; ``metres`` away at each."""
    with writing(engine) as session:
        for number, (camera, at_s, sure) in enumerate(looks, 1):
            video = add_video(session, number, NOON, camera=camera, duration_s=600.0, **clip)
            estimate = {"kind": "estimate", "distance_m": metres} | FAR if metres is not None else None
            add_sighting(session, video, "AB12CDE", at_s, confidence=sure, estimate=estimate, speed_mps=speed_mps)
    with reading(engine) as session:
        found = plate(session, "AB12CDE")
        assert found is not None
        cards = sightings.of_plate(session, found.plate_id, limit=None)
        told = corroborations(session, cards)
        return [told.get(number) for number in range(1, len(looks) + 1)]


def test_both_cameras_name_each_other_and_are_as_sure_as_the_surer(engine: Engine) -> None:
    front, rear = seen(engine, ("front", 10, 0.8), ("rear", 20, 0.7))
    assert front is not None and rear is not None
    assert (front.sighting_id, front.camera, front.best_s, front.apart_s, front.later) == (2, "rear", 20, 9.0, True)
    assert (rear.sighting_id, rear.camera, rear.best_s, rear.apart_s, rear.later) == (1, "front", 10, 9.0, False)
    assert front.together == rear.together == 0.8


def test_who_was_behind_and_is_ahead_has_overtaken(engine: Engine) -> None:
    assert [one and one.passing for one in seen(engine, ("rear", 10, 0.9), ("front", 20, 0.9))] == [
        "it overtook you"
    ] * 2


@pytest.mark.parametrize(
    ("seconds", "passing"),
    [(10, "you overtook it"), (2.5, "you passed it"), (1.2, "it came towards you")],
    ids=["falls back slowly", "as if it stood", "twice as fast"],
)
def test_how_fast_a_car_falls_back_tells_what_it_did(engine: Engine, seconds: float, passing: str) -> None:
    """From 12 m before us to 12 m behind us, at 10 m/s of our own."""
    told = seen(engine, ("front", 10, 0.9), ("rear", 10 + seconds, 0.9), metres=12.0)
    assert [one and one.passing for one in told] == [passing] * 2


def test_without_distances_or_our_speed_it_was_passed(engine: Engine) -> None:
    assert [one and one.passing for one in seen(engine, ("front", 10, 0.9), ("rear", 60, 0.9))] == ["you passed it"] * 2


@pytest.mark.parametrize(
    "looks",
    [
        [("front", 10, 0.9), ("rear", 10.5, 0.9)],
        [("front", 10, 0.9), ("rear", 200, 0.9)],
        [("front", 10, 0.9), ("front", 20, 0.9)],
        [("front", 10, 0.9), ("interior", 20, 0.9)],
    ],
    ids=["at one time", "long after", "one camera", "not the other side"],
)
def test_what_supports_nothing(engine: Engine, looks: list[tuple[str, float, float]]) -> None:
    assert seen(engine, *looks) == [None, None]


def test_the_nearest_counts(engine: Engine) -> None:
    told = seen(engine, ("rear", 10, 0.6), ("front", 50, 0.9), ("rear", 80, 0.9))
    assert [one and one.sighting_id for one in told] == [2, 3, 2]


def test_a_clip_dated_by_its_file_alone_supports_nothing(engine: Engine) -> None:
    with writing(engine) as session:
        for number, camera in ((1, "front"), (2, "rear")):
            video = add_video(session, number, NOON + timedelta(seconds=10 * number), camera=camera)
            if camera == "rear":
                video.facts = (video.facts or {}) | {"clock": "file"}
            add_sighting(session, video, "AB12CDE")
    with reading(engine) as session:
        found = plate(session, "AB12CDE")
        assert found is not None
        assert corroborations(session, sightings.of_plate(session, found.plate_id)) == {}


def test_a_car_seen_twice_before_us_did_one_thing(engine: Engine) -> None:
    """The earlier look lies so far back that its own pace would say otherwise."""
    told = seen(engine, ("front", 5, 0.9), ("front", 10, 0.9), ("rear", 12.5, 0.9), metres=12.0)
    assert [one and one.passing for one in told] == ["you passed it"] * 3
