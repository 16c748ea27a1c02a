"""What a plate's map is drawn from."""

import pytest
from sqlalchemy import Engine

from dashcam.catalog import seen_at
from dashcam.catalog.plates import plate_id
from dashcam.database import reading, writing
from tests.catalog.rows import NOON, add_sighting, add_video

AHEAD = {
    "kind": "estimate", "distance_m": 12.0, "lat": 52.0, "lon": 4.3, "bearing_deg": 0.0, "major_m": 3.0,
    "minor_m": 2.0, "angle_deg": 0.0,
}  # fmt: skip


def test_all_sightings_of_a_plate_are_on_its_map_and_the_newest_with_their_ellipse(
    any_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen_at, "ESTIMATES", 3)
    with writing(any_engine) as session:
        video = add_video(session, 1, NOON)
        for at_s in range(1, 6):
            fields = {"lat": 52.0, "lon": 4.3, "confirmed": at_s != 4}
            add_sighting(session, video, "AB12CDE", at_s, **fields, estimate=None if at_s == 3 else AHEAD)
        add_sighting(session, video, "AB12CDE", 6)
    with reading(any_engine) as session:
        number = plate_id(session, "AB12CDE")
        seen = seen_at.of_plate(session, number, 10)
        assert [(one.lat, one.lon, one.text) for one in seen] == [(52.0, 4.3, "AB12CDE")] * 5
        assert [one.confirmed for one in seen] == [True, False, True, True, True], "newest first"
        assert [one.estimate and one.estimate.distance_m for one in seen] == [12.0, 12.0, None, None, None]
        assert seen_at.of_plate(session, number, 2) == seen[:2]
        of_clip = seen_at.of_video(session, video.video_id, 10)
        assert [bool(one.estimate) for one in of_clip] == [True, True, False, True], "in a clip all have theirs"
