"""What a trip's page is given, however long the car stood afterwards."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from dashcam.catalog import deriving, trips
from dashcam.catalog import trips as trip_table
from dashcam.catalog.models import TripRow
from dashcam.config.model import TripSettings
from dashcam.database import reading, writing
from tests.catalog.rows import NOON, add_video


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
