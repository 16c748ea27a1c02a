"""The map of everything shows each person what is theirs to see: plates, home, and what was before a date."""

import json
import math
from datetime import UTC, datetime, timedelta

import pytest

from dashcam.access.roles import Role
from dashcam.catalog import routes
from dashcam.config import Site
from tests.app.access.conftest import Home
from tests.app.access.test_home_zone import HERE, drive, nearest_m, program

AROUND = "box=52,4,53,5&zoom=14"
__all__ = ["drive"]


@pytest.fixture
def drawn(home: Home, drive: tuple[str, int]) -> tuple[str, int]:
    assert routes.draw(home.here.engine) == 1
    return drive


def test_no_way_and_no_time_of_home_is_shown_to_a_viewer_and_who_lives_there_sees_it(
    home: Home, drawn: tuple[str, int]
) -> None:
    for role, sees in ((Role.VIEWER, False), (Role.MEMBER, True)):
        said = program(home, role)
        ((trip, line),) = said.get(f"/map/routes?{AROUND}").raise_for_status().json()["routes"]
        assert trip == drawn[1]
        pieces = routes.places_of(json.dumps(line))
        assert len(pieces) == (1 if sees else 2)
        if not sees:
            assert nearest_m([place for piece in pieces for place in piece]) > 300
        heat = said.get(f"/map/heat?{AROUND}").raise_for_status().json()
        cells = [(south + heat["size"] / 2, west + heat["size"] / 2) for south, west, _ in heat["cells"]]
        assert (nearest_m(cells) < 300) is sees
        day = said.get("/map/day").raise_for_status().json()
        assert day["day"] == "2026-06-28"
        fixes = [(lat, lon) for piece in day["pieces"] for _, lat, lon, _ in piece]
        assert (nearest_m(fixes) < 300) is sees
        tiny = f"box={HERE[0] - 0.001},{HERE[1] - 0.001},{HERE[0] + 0.001},{HERE[1] + 0.001}"
        assert said.get(f"/map/trips?{tiny}").raise_for_status().json()["total"] == sees, "nor by asking for a spot"


def test_of_a_trip_that_stayed_in_a_home_zone_a_viewer_hears_nothing(
    home: Home, drawn: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    member, viewer = program(home, Role.MEMBER), program(home, Role.VIEWER)
    zone = {"lat": HERE[0], "lon": HERE[1], "radius_m": 20_000}
    site = Site.model_validate({"server": {"host": "0.0.0.0"}, "privacy": {"home_zones": [zone]}})
    monkeypatch.setattr(home.here, "site", site)
    told = [who.get("/map/trips?box=52,4,53,5").raise_for_status().json()["total"] for who in (member, viewer)]
    assert told == [1, 0]


def test_how_far_a_trip_reaches_tells_a_viewer_nothing_about_home(home: Home, drawn: tuple[str, int]) -> None:
    """Window by window, the smallest one that the trip is in would lie over where it began."""
    viewer, member = program(home, Role.VIEWER), program(home, Role.MEMBER)
    nowhere = math.floor(HERE[0] * 10) / 10 + 0.002, math.floor(HERE[1] * 10) / 10 + 0.002
    totals = {}
    for name, (lat, lon) in (("home", HERE), ("nowhere", nowhere)):
        asked = f"/map/routes?zoom=14&box={lat},{lon},{lat + 0.001},{lon + 0.001}"
        totals[name] = [who.get(asked).raise_for_status().json()["total"] for who in (member, viewer)]
    assert totals == {"home": [1, 1], "nowhere": [0, 1]}


def test_a_viewer_is_shown_no_sighting(home: Home, drawn: tuple[str, int]) -> None:
    viewer, member = program(home, Role.VIEWER), program(home, Role.MEMBER)
    for call in (f"/map/clusters?{AROUND}", "/map/sightings?box=52,4,53,5"):
        assert viewer.get(call).status_code == 403
        assert member.get(call).status_code == 200
    assert viewer.get("/map/day").json()["sightings"] == []
    assert {one["text"] for one in member.get("/map/day").json()["sightings"]} == {"LT1HOME", "LT2AWAY"}
    assert viewer.get(f"/map/routes?{AROUND}&plate=LT1HOME").json()["total"] == 0, "nor where a plate was"
    assert member.get(f"/map/routes?{AROUND}&plate=LT1HOME").json()["total"] == 1
    home.add("vic", Role.VIEWER)
    page = home.logged_in("vic").get("/maps/everything").raise_for_status().text
    assert '"plates":false' in page and "52.38" not in page


def test_what_was_before_a_persons_date_is_not_on_the_map(home: Home, drawn: tuple[str, int]) -> None:
    for date, there in (
        (datetime(2026, 6, 1, tzinfo=UTC), 1),
        (datetime(2026, 6, 28, 12, tzinfo=UTC) + timedelta(1), 0),
    ):
        home.add(f"ben{there}", Role.MEMBER, date)
        ben = home.logged_in(f"ben{there}")
        assert ben.get(f"/map/routes?{AROUND}").raise_for_status().json()["total"] == there
        assert ben.get(f"/map/clusters?{AROUND}").raise_for_status().json()["total"] == 2 * there
        assert ben.get(f"/map/heat?{AROUND}").raise_for_status().json()["cells"] or not there
        assert bool(ben.get("/map/day").raise_for_status().json()["pieces"]) is bool(there)


def test_a_bent_window_is_answered_with_a_sentence(home: Home, drawn: tuple[str, int]) -> None:
    member = program(home, Role.MEMBER)
    for box in ("1,2,3", "a,b,c,d", "53,4,52,5", "52,4,53,500", "nan,nan,nan,nan"):
        assert member.get(f"/map/clusters?zoom=3&box={box}").status_code == 422, box
        assert member.get(f"/maps/everything?box={box}").status_code in (200, 403, 404)
    assert member.get("/map/clusters?zoom=99").status_code == 422
    assert member.get("/map/day?day=2026-99-99").status_code == 200
    assert member.get("/map/clusters?zoom=3").json()["words"] == "2 sightings"
