"""A clip without GPS is timed by the camera beside it, whose names carry the same clock, whichever arrives first."""

import random
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from dashcam.catalog import clocks
from dashcam.catalog.models import SightingRow, TripRow, Video
from dashcam.database import reading, writing
from dashcam.records import VideoFacts
from tests.catalog.car import CLIP_S, SITE, ZONE, Car, arrive, video_id
from tests.catalog.rows import add_sighting

NOON = datetime(2026, 6, 28, 10, tzinfo=UTC)
WINTER = timedelta(hours=1)
"""The camera's clock was not put forward in spring."""


def two_drives(behind: timedelta = WINTER) -> list[VideoFacts]:
    """The second drive has the names that the first one would have had by the right clock."""
    car = Car()
    for start in (NOON, NOON + timedelta(hours=1)):
        for number in range(3):
            at = start + number * timedelta(seconds=CLIP_S)
            said = at.astimezone(ZONE).replace(tzinfo=None) - behind
            car.record(at, CLIP_S, 15.0, at + timedelta(hours=1), said=said)
    return car.clips


def without_number(facts: VideoFacts) -> VideoFacts:
    return facts.model_copy(update={"name": re.sub(r"_\d{6}(?=[FR])", "_", facts.name)})


def fronts_first(clips: list[VideoFacts]) -> list[VideoFacts]:
    return sorted(clips, key=lambda facts: facts.camera)


def rears_first(clips: list[VideoFacts]) -> list[VideoFacts]:
    return fronts_first(clips)[::-1]


def in_no_order(clips: list[VideoFacts]) -> list[VideoFacts]:
    return random.Random(3).sample(clips, len(clips))


def drive_past(session: Session, clips: list[VideoFacts]) -> None:
    """The clips arrive, and at once a car is seen in each rear one."""
    for facts in clips:
        arrive(session, facts)
        if facts.camera == "rear":
            video = session.get_one(Video, video_id(facts))
            add_sighting(session, video, "LT23CGK", 40.0)
            clocks.follow(session, [video], SITE)


@pytest.mark.parametrize("order", [fronts_first, rears_first, in_no_order])
@pytest.mark.parametrize("numbered", [True, False])
def test_a_rear_clip_of_a_wrong_clock_goes_by_the_front_clip_of_the_same_name(
    any_engine: Engine, order: Callable[[list[VideoFacts]], list[VideoFacts]], numbered: bool
) -> None:
    clips = two_drives() if numbered else [without_number(facts) for facts in two_drives()]
    with writing(any_engine) as session:
        drive_past(session, order(clips))
    with reading(any_engine) as session:
        for front, rear in zip(clips[::2], clips[1::2], strict=True):
            found = session.get_one(Video, video_id(rear))
            assert found.start_utc == front.start_utc + timedelta(seconds=1)
            assert found.facts and found.facts["camera_ahead_s"] == 3600, "an hour less than summer time is"
            (seen,) = session.scalars(select(SightingRow).where(SightingRow.video_id == found.video_id))
            assert seen.seen_utc == front.start_utc + timedelta(seconds=41)
            assert seen.lat == pytest.approx((front.fixes[20].lat + front.fixes[21].lat) / 2, abs=1e-5)
            assert found.trip_id == session.get_one(Video, video_id(front)).trip_id
        assert [trip.clips for trip in session.scalars(select(TripRow))] == [6, 6]


def test_what_a_person_says_wins_until_it_is_taken_back(engine: Engine) -> None:
    def starts() -> list[datetime | None]:
        with reading(engine) as session:
            rear = select(Video).where(Video.camera == "rear").order_by(Video.name)
            return [video.start_utc for video in session.scalars(rear)]

    clips = two_drives()
    with writing(engine) as session:
        for facts in clips:
            arrive(session, facts)
    by_gps = starts()
    assert clocks.correct(engine, "rear", 1800, SITE) == 6
    by_hand = [facts.start_utc - timedelta(minutes=30) for facts in clips[1::2]]
    assert starts() == by_hand
    with writing(engine) as session:
        for facts in clips[::2]:
            arrive(session, facts)
    assert starts() == by_hand
    assert clocks.correct(engine, "rear", 0, SITE) == 6
    assert starts() == by_gps


def test_another_cars_front_clip_of_the_same_name_tells_nothing(engine: Engine) -> None:
    other = [facts for facts in two_drives() if facts.camera == "front"]
    ours = [facts for facts in two_drives() if facts.camera == "rear"]
    far = [facts.model_copy(update={"name": re.sub(r"_000(?=\d{3}F)", "_070", facts.name)}) for facts in other]
    with writing(engine) as session:
        for facts in far + ours:
            arrive(session, facts)
        for facts in ours:
            assert session.get_one(Video, video_id(facts)).start_utc == facts.start_utc


def test_in_the_autumn_hour_that_comes_twice_each_clip_finds_its_own(engine: Engine) -> None:
    car = Car()
    for fold in (0, 1):
        car.drive(datetime(2026, 10, 25, 2, 40, fold=fold, tzinfo=ZONE), 9)
    with writing(engine) as session:
        for facts in rears_first(car.clips):
            arrive(session, facts)
        for facts in car.clips:
            assert session.get_one(Video, video_id(facts)).start_utc == facts.start_utc
