"""A near miss is said where the braking is, on Tonight and on the trip's page, to who may see what it was seen by."""

import pytest

from dashcam.access.roles import Role
from dashcam.database import writing
from tests.app.access.conftest import Home
from tests.catalog.rows import add_sighting, add_task, add_video
from tests.catalog.test_near_misses import reads, towards
from tests.catalog.test_reviews import add_trip

SAID = "s behind a car: a near miss"


@pytest.fixture
def braked(home: Home) -> Home:
    with writing(home.here.engine) as session:
        trip = add_trip(session, 1)
        event = {"kind": "braking", "utc": trip.start_utc.isoformat(), "value": 5.0, "lat": 1.0, "lon": 1.0}
        video = add_video(session, 7, trip.start_utc, trip_id=1)
        add_task(session, video, state="complete", completed_at=trip.end_utc)
        trip.events = [event | {"video_id": video.video_id, "t_s": 0.5}]
        close = reads(towards(12.0, 4.0))
        for read in close:
            read["box"] = [side * 1280 / 1920 for side in read["box"]]
        add_sighting(session, video, "CL0SE1", 1.0, first_s=0.0, last_s=2.0, reads=close)
    return home


def test_members_read_it_where_they_braked(braked: Home) -> None:
    braked.add("ana", Role.MEMBER)
    browser = braked.logged_in("ana")
    assert f"Hard braking, 1.2 {SAID}" in browser.get("/trips/1").text
    assert f"Braked hard, 1.2 {SAID}" in browser.get("/").text


def test_who_may_not_see_plates_hears_of_no_other_car(braked: Home) -> None:
    braked.add("vic", Role.VIEWER)
    browser = braked.logged_in("vic")
    for page, said in (("/trips/1", "Hard braking"), ("/", "Braked hard")):
        text = browser.get(page).text
        assert said in text and "behind a car" not in text and "CL0SE1" not in text
