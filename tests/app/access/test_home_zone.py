"""No export, and nothing that a viewer is shown, has a place inside the home zones."""

import csv
import json
import re
from datetime import UTC, datetime, timedelta
from functools import partial

import gpxpy
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app import system
from app.pages import home_zone
from dashcam.access import tokens
from dashcam.access.roles import Role
from dashcam.catalog import deriving, home_zones, routes
from dashcam.catalog.models import TripRow, Video
from dashcam.config import Site
from dashcam.config.privacy import Zone
from dashcam.database import reading, writing
from dashcam.gps import home as rules
from dashcam.gps.plane import Plane, distance_m
from dashcam.records import Fix
from tests.app.access.conftest import Home, act, opened
from tests.catalog.car import Car, arrive, video_id
from tests.catalog.rows import add_sighting

HERE = (52.3806, 4.90)
ZONE = Zone(lat=HERE[0], lon=HERE[1], radius_m=300)
PLACE = re.compile(r"(52\.3\d{3,}), ?(4\.9\d*)|(4\.9\d*), ?(52\.3\d{3,})")


@pytest.fixture(params=["by the settings", "drawn"])
def drive(home: Home, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[str, int]:
    """A drive that goes through the zone, and a plate seen in its middle: the clip and the trip."""
    if request.param == "drawn":
        home.here.settle(partial(home_zones.draw, zone=ZONE))
    else:
        site = Site.model_validate({"server": {"host": "0.0.0.0"}, "privacy": {"home_zones": [ZONE.model_dump()]}})
        monkeypatch.setattr(home.here, "site", site)
    return driven(home)


def driven(home: Home) -> tuple[str, int]:
    car = Car()
    car.drive(datetime(2026, 6, 28, 12, tzinfo=UTC), 3)
    with writing(home.here.engine) as session:
        arrive(session, car.clips[0])
        clip = video_id(car.clips[0])
        video = session.get_one(Video, clip)
        video.outcome = "processed"
        inside = {"lat": HERE[0], "lon": HERE[1], "speed_mps": 15.0, "heading_deg": 0.0}
        add_sighting(session, video, "LT1HOME", 80.0, **inside)
        add_sighting(session, video, "LT2AWAY", 2.0, lat=52.3701, lon=4.90)
    deriving.derive_everything(home.here.engine, home.here.site.trips)
    with reading(home.here.engine) as session:
        return clip, session.scalars(select(TripRow.trip_id)).one()


def program(home: Home, role: Role) -> TestClient:
    with writing(home.here.engine) as session:
        return home.program(tokens.for_program(session, role.word, role, datetime.now(UTC), None)[0])


def nearest_m(places: list[tuple[float, float]]) -> float:
    return min(distance_m(HERE, place) for place in places)


def places_in(text: str) -> list[tuple[float, float]]:
    return [(float(a or d), float(b or c)) for a, b, c, d in PLACE.findall(text)]


def test_no_export_has_a_place_of_home(home: Home, drive: tuple[str, int]) -> None:
    clip, trip = drive
    member = program(home, Role.MEMBER)
    for scope in (f"video={clip}", f"trip={trip}", "since=2026-06-01T00:00:00Z&until=2026-07-01T00:00:00Z"):
        track = gpxpy.parse(member.get(f"/export/track.gpx?{scope}").raise_for_status().text).tracks[0]
        assert [len(one.points) > 5 for one in track.segments] == [True, True], "no line leads through it"
        points = [(point.latitude, point.longitude) for one in track.segments for point in one.points]
        assert 300 < nearest_m(points) < 340
        told = member.get(f"/export/track.geojson?{scope}").raise_for_status().json()
        lines = [one["geometry"]["coordinates"] for one in told["features"]]
        assert len(lines) == 2 and nearest_m([(lat, lon) for line in lines for lon, lat in line]) > 300
    rows = list(csv.DictReader(member.get("/export/sightings.csv").raise_for_status().text.splitlines()))
    known = {row["plate"]: row for row in rows}
    assert known["LT2AWAY"]["lat"] == "52.3701"
    nowhere = ("lat", "lon", "accuracy_m", "place_quality", "speed_mps", "heading_deg", "estimate_lat", "estimate_lon")
    assert {known["LT1HOME"][name] for name in nowhere} == {""} and known["LT1HOME"]["seen_utc"]
    for form in ("gpx", "geojson", "kml"):
        pins = member.get(f"/export/sightings.{form}").raise_for_status().text
        assert "LT2AWAY" in pins and "LT1HOME" not in pins


def test_all_of_it_is_an_admins_alone_and_written_down(home: Home, drive: tuple[str, int]) -> None:
    path = f"/export/track.gpx?video={drive[0]}&home=true"
    assert program(home, Role.MEMBER).get(path).status_code == 403
    track = gpxpy.parse(program(home, Role.ADMIN).get(path).raise_for_status().text).tracks[0]
    (segment,) = track.segments
    assert nearest_m([(point.latitude, point.longitude) for point in segment.points]) < 30
    noted = program(home, Role.ADMIN).get("/audit?kind=export").raise_for_status().text
    assert "home=true" in noted


def test_a_viewer_is_shown_no_place_of_home_and_who_lives_there_is(home: Home, drive: tuple[str, int]) -> None:
    clip, trip = drive
    calls = (f"/videos/{clip}/track", f"/trips/{trip}", "/trips")
    for role, sees in ((Role.VIEWER, False), (Role.MEMBER, True)):
        said = program(home, role)
        track = said.get(calls[0]).raise_for_status().json()
        assert (nearest_m([(one["lat"], one["lon"]) for one in track]) < 300) is sees
        for one in (said.get(calls[1]).json(), said.get(calls[2]).raise_for_status().json()["trips"][0]):
            assert (one["box"] is not None) is sees
            assert all(distance_m(HERE, (it["lat"], it["lon"])) > 300 for it in one["stops"] + one["events"]) or sees
        home.add(role.word, role)
        browser = home.logged_in(role.word)
        for page in (f"/maps/videos/{clip}", f"/maps/trips/{trip}"):
            places = places_in(browser.get(page).raise_for_status().text)
            assert len(places) > 20 and (nearest_m(places) < 300) is sees, page


def test_a_box_that_would_give_home_away() -> None:
    plane = Plane(*HERE)
    south, west = plane.to_degrees(-1000, -1000)
    north, east = plane.to_degrees(1000, 1000)
    assert rules.touches([ZONE], (south, west, north, east)), "home lies in it"
    assert rules.touches([ZONE], (*HERE, north, east)), "the drive begins there"
    assert not rules.touches([ZONE], (plane.to_degrees(0, 400)[0], west, north, east))
    assert not rules.touches([ZONE], None) and not rules.touches([], (south, west, north, east))


def test_without_a_zone_nothing_is_cut() -> None:
    at = datetime(2026, 6, 28, tzinfo=UTC)
    fixes = [Fix(t_s=t, utc=at + timedelta(seconds=t), lat=HERE[0], lon=HERE[1]) for t in range(3)]
    assert rules.pieces([], fixes) == [fixes] and rules.pieces([ZONE], fixes) == []
    assert not rules.is_inside([ZONE], None, None)


def test_what_an_admin_draws_counts_at_once_and_after_a_restart_and_is_written_down_without_its_place(
    home: Home,
) -> None:
    clip, _ = driven(home)
    admin, member, viewer = (program(home, role) for role in (Role.ADMIN, Role.MEMBER, Role.VIEWER))

    def nearest(said: TestClient) -> float:
        track = said.get(f"/videos/{clip}/track").raise_for_status().json()
        return nearest_m([(one["lat"], one["lon"]) for one in track])

    assert nearest(viewer) < 300
    small = ZONE.model_dump() | {"radius_m": 50}
    for said in (member, viewer):
        assert said.post("/home-zones", json=small).status_code == 403
    assert [said.get("/home-zones").status_code for said in (member, viewer)] == [200, 403]
    for size, least in ((small, 50), (ZONE.model_dump(), 300)):
        assert admin.post("/home-zones", json=size).status_code == 204
        assert nearest(viewer) > least > nearest(member)
    for wrong in ({"lat": 91}, {"radius_m": 10}, {"lon": None}):
        assert admin.post("/home-zones", json=ZONE.model_dump() | wrong).status_code == 422
    again = system.System(home.here.engine, home.here.configured, home.here.stores, home.here.token)
    again.heed()
    system.start(again)
    assert nearest(viewer) > 300
    assert member.get("/home-zones").json() == [ZONE.model_dump()]
    middle = {"lat": ZONE.lat, "lon": ZONE.lon}
    assert member.delete("/home-zones", params=middle).status_code == 403
    assert [admin.delete("/home-zones", params=middle).status_code for _ in range(2)] == [204, 404]
    assert nearest(viewer) < 300
    noted = admin.get("/audit?kind=settings").raise_for_status().text
    assert noted.count("drew a home zone") == 2 and noted.count("removed a home zone") >= 1
    assert str(ZONE.lat) not in noted


def test_only_an_admin_opens_the_page_where_it_is_drawn_and_its_map(home: Home) -> None:
    driven(home)
    for role in (Role.VIEWER, Role.MEMBER):
        home.add(role.word, role)
        browser = home.logged_in(role.word)
        assert [browser.get(path).status_code for path in ("/home-zone", "/maps/home")] == [403, 403]


def test_the_map_shows_all_of_a_zone(home: Home) -> None:
    home.here.settle(partial(home_zones.draw, zone=Zone(lat=52.37, lon=4.90, radius_m=3000)))
    home.add("ana", Role.ADMIN)
    page = home.logged_in("ana").get("/maps/home").text
    (south, west), (north, east) = json.loads(re.search(r"fitBounds\(\s*(\[\[.*?\]\])", page)[1])
    for edge in ((south, 4.90), (north, 4.90), (52.37, west), (52.37, east)):
        assert distance_m((52.37, 4.90), edge) == pytest.approx(3000, rel=0.01)


def test_what_is_sent_from_the_page_is_drawn_or_refused_in_a_sentence(home: Home) -> None:
    home.add("ana", Role.ADMIN)
    browser = home.logged_in("ana")
    page = opened(browser, "/home-zone")
    (form,) = [one for one in page.elements.values() if one.tag == "form" and one._event_listeners]
    act(
        browser,
        page,
        form,
        {"lat": "52.38060", "lon": "4.90000", "radius_m": "450"},
        lambda: bool(home.here.site.privacy.home_zones),
    )
    assert home.here.site.privacy.home_zones == [Zone(lat=52.3806, lon=4.9, radius_m=450)]
    for wrong in ({"lat": ""}, {"lat": "12", "lon": "200"}, {"lat": "nan", "lon": "1", "radius_m": "300"}):
        with pytest.raises(ValueError, match="in degrees, or click on the map"):
            home_zone.zone_of({"lat": "1", "lon": "1", "radius_m": "300"} | wrong)


def test_where_many_trips_begin_is_offered_until_it_is_home(home: Home) -> None:
    for day in range(3):
        car = Car()
        car.drive(datetime(2026, 6, 20 + day, 12, tzinfo=UTC), 3)
        with writing(home.here.engine) as session:
            arrive(session, car.clips[0])
    deriving.derive_everything(home.here.engine, home.here.site.trips)
    routes.draw(home.here.engine)
    home.add("ana", Role.ADMIN)
    browser = home.logged_in("ana")
    offered = [browser.get("/home-zone").text.count("3 of your 3 trips begin or end there")]
    home.here.settle(partial(home_zones.draw, zone=Zone(lat=52.37, lon=4.90, radius_m=500)))
    offered.append(browser.get("/home-zone").text.count("3 of your 3 trips begin or end there"))
    assert offered[0] == 2 * offered[1] > 0, "where they begin, and where they end"
