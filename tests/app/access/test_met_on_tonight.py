"""How a plate was met stands on Tonight, for who may see plates, and by what is there for them."""

import html
from datetime import timedelta

import pytest

from dashcam.access.roles import Role
from dashcam.catalog.deriving import derive_everything
from dashcam.config import Site
from dashcam.database import writing
from tests.app.access.conftest import Home
from tests.catalog.rows import NOON, add_route, add_sighting, add_video


@pytest.fixture
def filled(home: Home) -> Home:
    """One car on four days."""
    with writing(home.here.engine) as session:
        for number in range(1, 5):
            video = add_video(session, number, NOON + timedelta(days=number))
            add_route(session, video)
            add_sighting(session, video, "LT21CGK", 1.0, lat=44.43, lon=26.1)
    derive_everything(home.here.engine, Site().trips)
    return home


def tonight(home: Home, name: str) -> str:
    return html.unescape(home.logged_in(name).get("/").text)


def test_tonight_says_how_a_plate_was_met_by_what_is_there_for_each_person(filled: Home) -> None:
    filled.add("ana", Role.ADMIN)
    filled.add("ben", Role.MEMBER, NOON + timedelta(days=2, hours=12))
    filled.add("vic", Role.VIEWER)
    for _ in range(2):
        assert "4 trips, 4 days, 1 place; where it stands" in tonight(filled, "ana")
    ben = tonight(filled, "ben")
    assert "2 trips, 2 days, 1 place" in ben and "4 trips" not in ben
    vic = tonight(filled, "vic")
    assert "Mark the trip of" in vic
    assert [word for word in ("LT21CGK", "Seen before", "1 place", "where it stands") if word in vic] == []
