"""When one trip ends and the next begins; each clip belongs to one trip, in whatever order they come."""

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashcam.config.model import TripSettings
from dashcam.gps.drive import Drive, Event, Place, Still
from dashcam.gps.trips import Trip, TripClip, events, stops, trips

NOON = datetime(2026, 6, 28, 12, 0, tzinfo=UTC)
SETTINGS = TripSettings()
KM = 1 / 111.2


def drive(begin_km: float, end_km: float, *, first_s: float = 0.0, last_s: float = 59.0) -> Drive:
    """North from one kilometre to the other."""
    first, last = (Place(t_s=t, lat=52 + km * KM, lon=4) for t, km in ((first_s, begin_km), (last_s, end_km)))
    way = 1000 * (end_km - begin_km)
    box = (first.lat, 4.0, last.lat, 4.0)
    return Drive(first=first, last=last, distance_m=way, moving_s=59, max_mps=17, box=box, still=[], events=[])


def clip(minute: float, name: str = "", **fields: object) -> TripClip:
    start = NOON + timedelta(minutes=minute)
    return TripClip(name or f"{fields.get('camera', 'front')}{minute}", start, 60.0, **({"camera": "front"} | fields))  # type: ignore[arg-type]


def shape(found: list[Trip]) -> list[list[str]]:
    return [[one.video_id for one in trip.clips] for trip in found]


@pytest.mark.parametrize(
    ("pause_min", "moved_km", "together"),
    [
        (0.02, 0.05, True),
        (4.9, 9.0, True),
        (5.1, 9.0, False),
        (12.0, 0.3, True),
        (12.0, 0.7, False),
        (15.1, 0.0, False),
    ],
    ids=["next clip", "a clip is missing", "moved without camera", "fuel stop", "driven on", "parked"],
)
def test_a_trip_ends_with_a_long_pause_or_when_the_car_was_moved(
    pause_min: float, moved_km: float, together: bool
) -> None:
    before = clip(0, drive=drive(0, 1))
    after = clip(1 + pause_min, drive=drive(1 + moved_km, 2 + moved_km))
    assert len(trips([before, after], {}, SETTINGS)) == (1 if together else 2)


def test_a_receiver_that_wakes_up_late_does_not_end_a_trip() -> None:
    late = clip(11, drive=drive(1.9, 2.2, first_s=40.0))
    assert len(trips([clip(0, drive=drive(0, 1)), late], {}, SETTINGS)) == 1


def test_without_positions_the_pause_decides() -> None:
    assert shape(trips([clip(0), clip(10), clip(30)], {}, SETTINGS)) == [["front0", "front10"], ["front30"]]


def test_cameras_that_ran_together_are_one_moment_and_the_way_is_counted_once() -> None:
    both = [clip(0, drive=drive(0, 1)), clip(0.03, camera="rear", drive=drive(0, 1)), clip(1.02, drive=drive(1, 2))]
    (found,) = trips(both, {}, SETTINGS)
    assert [len(moment.clips) for moment in found.moments] == [2, 1]
    assert found.distance_m == pytest.approx(2000, abs=5)


def test_two_cameras_of_one_name_in_a_car_are_one_moment_too() -> None:
    twice = [
        clip(0, "a0", drive=drive(0, 1)), clip(0.01, "b0", drive=drive(0.2, 1, first_s=12)),
        clip(1, "a1", drive=drive(1, 2)), clip(1.01, "b1"),
    ]  # fmt: skip
    (found,) = trips(twice, {}, SETTINGS)
    assert [len(moment.clips) for moment in found.moments] == [2, 2]
    assert found.distance_m == pytest.approx(2000, abs=5)


def test_two_cars_at_once_are_no_way_between_them() -> None:
    there = [clip(0, "a0", drive=drive(0, 1)), clip(1, "a1", drive=drive(1, 2))]
    elsewhere = [clip(0.1, "b0", drive=drive(50, 51)), clip(1.1, "b1", drive=drive(51, 52))]
    found = trips([*there, *elsewhere], {}, SETTINGS)
    assert sum(trip.distance_m for trip in found) == pytest.approx(4000, abs=10)


def test_parking_clips_go_with_the_trip_before_and_lengthen_nothing() -> None:
    clips = [clip(-5, kind="parking"), clip(0), clip(8, kind="parking"), clip(300, kind="parking"), clip(310)]
    first, second = trips(clips, {}, SETTINGS)
    assert [one.video_id for one in first.parked] == ["front-5", "front8", "front300"]
    assert (first.end_utc, second.parked) == (NOON + timedelta(minutes=1), [])
    assert trips([clip(0, kind="parking")], {}, SETTINGS) == []


def test_what_a_person_decided_wins_over_the_rule_for_whichever_camera() -> None:
    clips = [clip(0), clip(1), clip(1.02, camera="rear"), clip(100)]
    assert shape(trips(clips, {"rear1.02": "split"}, SETTINGS)) == [["front0"], ["front1", "rear1.02"], ["front100"]]
    assert len(trips(clips, {"front100": "merge"}, SETTINGS)) == 1


def test_standing_goes_on_over_clips_and_the_pause_between_them() -> None:
    halt = Still(start_s=30, end_s=60, lat=52 + KM, lon=4)
    before = clip(0, drive=drive(0, 1).model_copy(update={"still": [halt]}))
    waiting = Still(start_s=0, end_s=20, lat=52 + KM, lon=4)
    after = clip(11, drive=drive(1, 2).model_copy(update={"still": [waiting]}))
    (found,) = trips([before, after], {}, SETTINGS)
    (stop,) = stops(found)
    assert (stop.video_id, stop.t_s, stop.duration_s) == ("front0", 30, 10 * 60 + 50)
    (event,) = events(found, [stop])
    assert (event.kind, event.utc) == ("stop", NOON + timedelta(seconds=30))


def test_a_traffic_light_is_no_stop() -> None:
    halt = Still(start_s=10, end_s=50, lat=52, lon=4)
    (found,) = trips([clip(0, drive=drive(0, 1).model_copy(update={"still": [halt]}))], {}, SETTINGS)
    assert stops(found) == []


def test_speeding_over_the_end_of_a_clip_is_one_event() -> None:
    def fast(begin_s: float, end_s: float) -> Event:
        return Event(kind="speeding", t_s=begin_s, end_s=end_s, value=40, lat=52, lon=4)

    first = clip(0, drive=drive(0, 2).model_copy(update={"events": [fast(57, 59)]}))
    second = clip(1.01, drive=drive(2, 4).model_copy(update={"events": [fast(0, 9)]}))
    (found,) = trips([first, second], {}, SETTINGS)
    assert [(event.video_id, event.t_s) for event in events(found, [])] == [("front0", 57)]


clips_of_a_day = st.lists(
    st.builds(
        lambda minute, camera, kind, km: clip(
            minute, camera=camera, kind=kind, drive=None if km is None else drive(km, km + 1)
        ),
        st.integers(0, 600),
        st.sampled_from(["front", "rear"]),
        st.sampled_from(["normal", "event", "parking"]),
        st.none() | st.floats(0, 100),
    ),
    unique_by=lambda one: one.video_id,
    max_size=25,
)


@given(clips_of_a_day, st.randoms(use_true_random=False))
def test_every_driving_clip_is_in_one_trip_whatever_the_order(clips: list[TripClip], rng: random.Random) -> None:
    found = trips(clips, {}, SETTINGS)
    placed = [one.video_id for trip in found for one in [*trip.clips, *trip.parked]]
    driven = {one.video_id for one in clips if one.kind != "parking"}
    assert len(placed) == len(set(placed))
    assert set(placed) == ({one.video_id for one in clips} if driven else set())
    for trip, following in pairwise(found):
        assert trip.start_utc < following.start_utc
    shuffled = list(clips)
    rng.shuffle(shuffled)
    assert shape(trips(shuffled, {}, SETTINGS)) == shape(found)
