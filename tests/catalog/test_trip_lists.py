"""What a trip's page is given, however long the car stood afterwards."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from dashcam.catalog import deriving, search, trips
from dashcam.catalog import trips as trip_table
from dashcam.catalog import videos as video_table
from dashcam.catalog.models import TripRow
from dashcam.catalog.trips import Beside
from dashcam.config.model import TripSettings
from dashcam.database import reading, writing
from tests.catalog.rows import NOON, add_sighting, add_video


def test_parked_clips_push_no_driven_one_off_the_page(any_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trip_table, "MOST_DRIVEN", 6)
    monkeypatch.setattr(trip_table, "MOST_PARKED", 3)
    with writing(any_engine) as session:
        for number in range(6):
            add_video(session, number, NOON + number * timedelta(seconds=10), clock="utc")
        for number in range(10, 20):
            video = add_video(session, number, NOON + number * timedelta(minutes=1), clock="utc")
            video.facts = {**(video.facts or {}), "kind": "parking"}
        session.flush()
        deriving.derive(session, NOON, NOON + timedelta(days=1), TripSettings())
        (whole,) = session.scalars(select(TripRow.trip_id))
        trips.split(session, whole, f"{3:016x}", TripSettings())
    with reading(any_engine) as session:
        later = session.scalars(select(TripRow.trip_id).order_by(TripRow.start_utc.desc())).first()
        found = trip_table.trip(session, later or 0)
    assert found is not None
    assert [int(clip.video_id, 16) for clip in found.driven] == [3, 4, 5]
    assert [int(clip.video_id, 16) for clip in found.parked] == [17, 18, 19]
    assert (found.card.clips, found.card.parked) == (3, 10)
    assert found.decisions == {f"{3:016x}": "split"}


def test_a_clip_that_nothing_but_its_files_date_dates_is_in_no_trip_and_marked(any_engine: Engine) -> None:
    with writing(any_engine) as session:
        for number in range(3):
            video = add_video(session, number, NOON + number * timedelta(seconds=10), clock="utc")
            if number:
                video.facts = {**(video.facts or {}), "clock": "file"}
                add_sighting(session, video, "LT23CGK")
        deriving.derive(session, NOON, NOON + timedelta(days=1), TripSettings())
    with reading(any_engine) as session:
        cards = video_table.videos(session)
        assert [(card.guessed, card.trip_id is None) for card in cards] == [(True, True), (True, True), (False, False)]
        assert [card.last.guessed for card in search.plates(session)] == [True]


def test_trips_that_are_far_apart_are_not_offered_as_one(any_engine: Engine) -> None:
    with writing(any_engine) as session:
        for number, hours in enumerate((0, 5, 24 * 150)):
            add_video(session, number, NOON + timedelta(hours=hours), clock="utc")
        deriving.derive(session, NOON, NOON + timedelta(days=200), TripSettings())
        first, second, third = session.scalars(select(TripRow.trip_id).order_by(TripRow.start_utc))
    with reading(any_engine) as session:
        found = [trip_table.trip(session, number) for number in (first, second, third)]
    beside = [(one.before, one.after) for one in found if one is not None]
    apart_s = 5 * 3600 - 10
    assert beside == [(None, Beside(second, apart_s)), (Beside(first, apart_s), None), (None, None)]
