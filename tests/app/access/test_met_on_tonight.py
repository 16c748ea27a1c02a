"""How a plate was met stands on Tonight, for who may see plates, and by what is there for them."""

import html
from datetime import timedelta

import pytest

from app import zones
from dashcam.access.roles import Role
from dashcam.catalog import routes
from dashcam.catalog.deriving import derive_everything
from dashcam.config import Site
from dashcam.config.privacy import Zone
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


def tonight(home: Home, name: str, page: str = "/") -> str:
    return html.unescape(home.logged_in(name).get(page).text)


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


def test_a_trip_on_tonight_is_named_by_its_towns_but_not_to_viewers_where_it_ends_at_home(
    filled: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    routes.draw(filled.here.engine)
    filled.add("ana", Role.ADMIN)
    filled.add("vic", Role.VIEWER)
    assert "near Bucharest · " in tonight(filled, "ana") and "near Bucharest · " in tonight(filled, "vic")
    at_home = {"home_zones": [Zone(lat=44.4318, lon=26.1, radius_m=100).model_dump()]}
    site = Site.model_validate({"server": {"host": "0.0.0.0"}, "privacy": at_home})
    monkeypatch.setattr(filled.here, "site", site)
    assert "near Bucharest · " in tonight(filled, "ana") and "Bucharest" not in tonight(filled, "vic")
    assert "near Bucharest" in tonight(filled, "ana", "/trips"), "the list of trips names them too"
    assert "Bucharest" not in tonight(filled, "vic", "/trips")


def test_a_way_has_both_of_its_ends_in_its_name(filled: Home) -> None:
    assert zones.way(((52.01, 4.36), (52.16, 4.49))) == "near Delft to near Leiden"
    assert zones.way(((0.0, -30.0), (52.16, 4.49))) == zones.way(None) == ""
