"""A week of driving becomes the trips that a person would draw, in whatever order its clips arrive, and stays so."""

import math
import random
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, select, update
from sqlalchemy.orm import Session

from dashcam.catalog import apply, clocks, deriving, trips
from dashcam.catalog.models import TripDecision, TripRow, Video
from dashcam.database import reading, writing
from dashcam.records import VideoFacts
from dashcam.tasks.model import Completion, TaskType
from tests.catalog.car import CLIP_S, SITE, ZONE, Car, arrive
from tests.conftest import migrated

RESET = datetime(2019, 1, 1, 0, 0, 10)
"""What the camera's clock says after its battery was empty."""


def local(day: int, hour: int, minute: int = 0, *, fold: int = 0) -> datetime:
    return datetime(2026, 10, day, hour, minute, fold=fold, tzinfo=ZONE)


def week() -> list[VideoFacts]:
    """Monday 19 to Sunday 25 October 2026, when summer time ends."""
    car = Car()
    car.drive(local(19, 8), 30)  # Monday: to work and back, the car watches the car park between
    car.park(local(19, 9), 3, timedelta(hours=2))
    car.drive(local(19, 17), 33)
    car.drive(local(20, 8), 21, stand_s=30)  # Tuesday: 12 minutes at the pump with the camera off
    car.drive(local(20, 8, 33), 12)
    car.drive(local(21, 8), 9)  # Wednesday: one clip of 3 minutes was damaged and never arrived
    car.lat += 180 * 15 / 111_000
    car.drive(local(21, 8, 12), 9)
    car.drive(local(21, 12), 9)  # ... and after lunch, ten minutes later, the car was moved without camera
    car.lat += 0.05
    car.drive(local(21, 12, 19), 9)
    # Thursday: the battery was empty; two clips in the garage without GPS, one with, then the clock is right again
    for minute, gps in ((0, False), (3, False), (6, True)):
        start = local(22, 18) + timedelta(minutes=minute)
        car.record(start.astimezone(UTC), CLIP_S, 15.0, local(22, 23), gps=gps, said=RESET + timedelta(minutes=minute))
    car.drive(local(22, 18, 9), 12)
    car.drive(local(24, 23, 40), 30)  # Saturday: over midnight
    car.drive(local(25, 2, 40), 36)  # Sunday: while 3 o'clock becomes 2 o'clock; home at 02:16
    car.park(local(25, 2, 45, fold=1), 2, timedelta(hours=3))
    return car.clips


EXPECTED = [
    # local start, local end, km, driving clips, parked clips, minutes standing still
    ("Mon 08:00", "Mon 08:30", 27.0, 20, 3, 0),
    ("Mon 17:00", "Mon 17:33", 29.7, 22, 0, 0),
    ("Tue 08:00", "Tue 08:45", 29.2, 22, 0, 12),
    ("Wed 08:00", "Wed 08:21", 18.9, 12, 0, 0),
    ("Wed 12:00", "Wed 12:09", 8.1, 6, 0, 0),
    ("Wed 12:19", "Wed 12:28", 8.1, 6, 0, 0),
    ("Thu 18:00", "Thu 18:21", 13.5, 14, 0, 0),
    ("Sat 23:40", "Sun 00:10", 27.0, 20, 0, 0),
    ("Sun 02:40", "Sun 02:16", 32.4, 24, 2, 0),
]


def drawn(session: Session) -> list[tuple[str, str, float, int, int, int]]:
    def clock_of(moment: datetime) -> str:
        return f"{moment.astimezone(ZONE) + timedelta(seconds=2):%a %H:%M}"

    return [
        (
            clock_of(trip.start_utc),
            clock_of(trip.end_utc),
            round(trip.distance_m / 1000, 1),
            trip.clips,
            trip.parked,
            round(sum(stop_s(stop) for stop in trip.stops) / 60),
        )
        for trip in session.scalars(select(TripRow).order_by(TripRow.start_utc))
    ]


def stop_s(stop: dict[str, str]) -> float:
    begin, end = (datetime.fromisoformat(stop[key]) for key in ("start_utc", "end_utc"))
    return (end - begin).total_seconds()


def arrive_in_no_order(engine: Engine) -> None:
    clips = week()
    random.Random(5).shuffle(clips)
    with writing(engine) as session:
        for facts in clips:
            arrive(session, facts)


@pytest.fixture(scope="module")
def week_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("week") / "dashcam.db"
    for engine in migrated(f"sqlite:///{path}"):
        arrive_in_no_order(engine)
    return path


@pytest.fixture
def driven(week_database: Path, tmp_path: Path) -> Iterator[Engine]:
    """The week in the catalogue."""
    shutil.copy(week_database, tmp_path / "dashcam.db")
    yield from migrated(f"sqlite:///{tmp_path / 'dashcam.db'}")


def test_a_week_is_drawn_as_a_person_would(any_engine: Engine) -> None:
    arrive_in_no_order(any_engine)
    with reading(any_engine) as session:
        found = drawn(session)
        assert [one[:2] + one[3:] for one in found] == [one[:2] + one[3:] for one in EXPECTED]
        for trip, expected in zip(found, EXPECTED, strict=True):
            assert math.isclose(trip[2], expected[2], rel_tol=0.03), trip
        tuesday = session.scalars(select(TripRow).order_by(TripRow.start_utc)).all()[2]
        assert [event["kind"] for event in tuesday.events] == ["braking", "stop"]
        event = tuesday.events[1]
        assert round(event["value"] / 60) == 12
        where = session.get_one(Video, event["video_id"])
        assert where.trip_id == tuesday.trip_id and 149 <= event["t_s"] <= 151, "the second in which it begins"
        assert str(clocks.zone_lived_in(session)) == "Europe/Amsterdam"
        front, rear = clocks.cameras(session)
        assert (front.camera, rear.camera, front.ahead_s, rear.ahead_s) == ("front", "rear", 0.0, None)
        assert (front.clips["camera"], front.clips["utc"]) == (2, 76), "two in the garage without GPS"


def test_processing_everything_again_changes_nothing(driven: Engine) -> None:
    def numbered(session: Session) -> dict[str, int | None]:
        return {video.video_id: video.trip_id for video in session.scalars(select(Video))}

    with writing(driven) as session:
        before, trips_before = numbered(session), drawn(session)
        for facts in week()[::7]:
            arrive(session, facts)
    deriving.derive_everything(driven, SITE.trips)
    with reading(driven) as session:
        assert (numbered(session), drawn(session)) == (before, trips_before)


def numbers(session: Session) -> list[int]:
    return list(session.scalars(select(TripRow.trip_id).order_by(TripRow.start_utc)))


def first_clips(session: Session, number: int, camera: str = "front") -> list[str]:
    query = select(Video.video_id).where(Video.trip_id == number, Video.camera == camera).order_by(Video.start_utc)
    return list(session.scalars(query))


def test_a_split_and_a_merge_survive_new_processing_and_can_be_undone(driven: Engine) -> None:
    with writing(driven) as session:
        original = drawn(session)
        monday, evening = numbers(session)[:2]
        clip = first_clips(session, monday)[4]
        assert trips.split(session, monday, clip, SITE.trips) is None
        joined, before = trips.merge(session, evening, SITE.trips)
        assert before is None
        decided = drawn(session)
    assert [one[:2] for one in decided[:3]] == [
        ("Mon 08:00", "Mon 08:12"),
        ("Mon 08:12", "Mon 17:33"),
        ("Tue 08:00", "Tue 08:45"),
    ]
    with writing(driven) as session:
        for facts in week()[:60]:
            arrive(session, facts)
    deriving.derive_everything(driven, SITE.trips)
    with writing(driven) as session:
        assert drawn(session) == decided
        trips.restore(session, clip, None, SITE.trips)
        trips.restore(session, joined, None, SITE.trips)
        assert drawn(session) == original
        assert session.scalars(select(TripDecision)).all() == []


def test_what_cannot_be_split_or_merged_is_said(driven: Engine) -> None:
    with writing(driven) as session:
        first, second = numbers(session)[:2]
        clips = first_clips(session, first)
        with pytest.raises(trips.NoSuchTrip, match="begins with this clip already"):
            trips.split(session, first, clips[0], SITE.trips)
        with pytest.raises(trips.NoSuchTrip, match="no driving clip"):
            trips.split(session, second, clips[1], SITE.trips)
        with pytest.raises(trips.NoSuchTrip, match="no trip before"):
            trips.merge(session, first, SITE.trips)
        with pytest.raises(trips.NoSuchTrip, match="no trip 999"):
            trips.merge(session, 999, SITE.trips)


def test_a_clip_of_no_length_can_be_joined_and_split_again(any_engine: Engine) -> None:
    car = Car()
    car.drive(local(19, 8), 6)
    later = local(19, 10).astimezone(UTC)
    car.record(later, 2.0, 0.0, later, rear=False)  # of a clip without index one position was saved
    car.clips[-1] = car.clips[-1].model_copy(update={"duration_s": 0.0, "frames": 0})
    with writing(any_engine) as session:
        for facts in car.clips:
            arrive(session, facts)
        first, second = numbers(session)
        (clip,) = first_clips(session, second)
        assert trips.merge(session, second, SITE.trips) == (clip, None)
        assert numbers(session) == [first]
        assert trips.split(session, first, clip, SITE.trips) == "merge"
        assert [one[3] for one in drawn(session)] == [4, 1]


def test_a_clip_that_turns_out_to_be_unreadable_leaves_its_trip_unless_it_tells_where_the_car_was(
    driven: Engine,
) -> None:
    unreadable = Completion(outcome="rejected", reason="No frame decodes.")
    with writing(driven) as session:
        number = numbers(session)[0]
        front, rear = (first_clips(session, number, camera)[5] for camera in ("front", "rear"))
        for clip in (front, rear):
            apply.apply(session, TaskType.PREPROCESS_VIDEO, clip, unreadable, SITE)
        assert session.get_one(TripRow, number).clips == 19
        assert session.get_one(Video, rear).trip_id is None
        assert session.get_one(Video, front).trip_id == number


def test_clips_of_an_older_version_get_their_trips_at_the_next_start(driven: Engine) -> None:
    with writing(driven) as session:
        before = drawn(session)
        session.execute(update(Video).values(trip_id=None, drive=None, clock=None, counter=None))
        session.execute(delete(TripRow))
    deriving.catch_up(driven, SITE.trips)
    with reading(driven) as session:
        assert drawn(session) == before


def test_clips_that_are_ingested_at_once_still_make_one_trip(any_engine: Engine) -> None:
    car = Car()
    car.drive(local(19, 8), 18)
    ready = threading.Barrier(4)

    def ingest(clips: list[VideoFacts]) -> None:
        ready.wait()
        for facts in clips:
            with writing(any_engine) as session:
                arrive(session, facts)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(ingest, car.clips[worker::4]) for worker in range(4)]:
            done.result()
    with reading(any_engine) as session:
        assert [one[:2] + one[3:] for one in drawn(session)] == [("Mon 08:00", "Mon 08:18", 12, 0, 0)]
